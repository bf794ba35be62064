"""`packages`: what is inside a framework, a package a line."""

import json
import os
import re
from typing import Dict, List, NamedTuple, Optional, Sequence

from stackgen.inside.launcher.deprecation import covers
from stackgen.inside.launcher.description import Loadable, Site, framework_named
from stackgen.inside.launcher.surroundings import Loaded, place_of_release, site_packages_of, the_loaded_one
from stackgen.inside.launcher.words import LauncherError, Option, options_help, parsed, put, tell

PACKAGES_HELP = """\
usage: {0} packages [--json] [FRAMEWORK]

What is inside a framework, the loaded one where none is named, a package a line:
its name, its version, its licence in brackets, and what it is for.

{1}

  {0} packages tensorflow | grep keras"""
LISTED = (Option("", "json", "", "for programs: a list of objects"),)


class Packaged(NamedTuple):
    """A package in a framework; what nobody says of it is empty."""

    name: str
    version: str
    license: str
    summary: str


def packages(site: Site, words: Sequence[str]) -> None:
    """Print what is inside a framework."""
    last = [word for word in words if word == "--json"]  # after the name as well: nothing is started here
    found, rest = parsed([*last, *(word for word in words if word != "--json")], LISTED)
    if len(rest) > 1:
        raise LauncherError(f"packages takes one framework, and {rest[1]} is another word")
    chosen = chosen_framework(site, rest[0] if rest else None)
    listed = packages_of(chosen)
    if listed is None:
        listed = packages_seen(chosen.framework)
        text = "the release {} tells nothing of packages; these lie in the Python of {}"
        tell(text.format(chosen.release or "that is loaded", chosen.framework.module))
    if "json" in found:
        put(json.dumps([dict(one._asdict()) for one in listed], indent=1))
    elif listed:
        put(packages_text(listed))
    else:
        put("no packages of Python's")


def chosen_framework(site: Site, name: Optional[str]) -> Loaded:
    """The framework of a name; without one, the loaded one; LauncherError where there is none."""
    loaded = the_loaded_one(site, os.environ)
    if name is None and loaded is None:
        known = site.frameworks[0].module.split("/", 1)[-1] if site.frameworks else "tensorflow"
        raise LauncherError(f"no framework is loaded; load its module, or name one, such as {known}")
    if loaded and (name is None or is_called(site, loaded.framework, name)):
        return loaded
    assert name is not None
    return Loaded(framework_called(site, name), site.release, place_of_release(site))


def is_called(site: Site, framework: Loadable, name: str) -> bool:
    """Whether a framework goes by a name: its own, or its module's with or without namespace and version."""
    full = name if name.startswith(site.namespace + "/") else site.namespace + "/" + name
    if name == framework.name or (framework.module + "/").startswith(full + "/"):
        return True
    return full.count("/") > 1 and covers(full, framework.module)


def framework_called(site: Site, name: str) -> Loadable:
    """A framework of the release by what users call it; of several versions, the default."""
    called = [one for one in site.frameworks if is_called(site, one, name)]
    called += [one for one in site.frameworks if name.lower() in (one.name.lower(), one.title.lower())]
    if not called:
        return framework_named(site, name)
    return ([one for one in called if one.default] or called[-1:])[0]


def packages_of(chosen: Loaded, naming: str = "") -> Optional[List[Packaged]]:
    """What a framework's release tells of its packages; None where an older stackgen has made it.

    With `naming`, nothing where no package has that name, which is quicker: many are asked.
    """
    path = os.path.join(chosen.place, "share", "packages", chosen.framework.name + ".json")
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        if naming and json.dumps(naming) not in text:
            return []
        return [_packaged(one) for one in json.loads(text)["packages"]]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        text = f"cannot read {path}: {error.strerror}"
    except (ValueError, AttributeError, LookupError, TypeError):
        text = f"{path} does not list packages"
    raise LauncherError(text + "; this release is not whole", 1)


def _packaged(told: Dict[str, str]) -> Packaged:
    """Of texts that others have written, only what a terminal shows as it stands."""
    texts = (told["name"], told["version"], told.get("license", ""), told.get("summary", ""))
    return Packaged(*map(_printable, texts))


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(one if one.isprintable() else "?" for one in text)


def packages_seen(framework: Loadable) -> List[Packaged]:
    """The packages that lie in a framework's Python, by the names of their directories."""
    try:
        entries = os.listdir(site_packages_of(framework))
    except OSError:
        return []
    parts = [entry[: -len(".dist-info")].split("-") for entry in entries if entry.endswith(".dist-info")]
    named = [Packaged(normalized(part[0]), part[1], "", "") for part in parts if len(part) == 2]
    return sorted(named)


def normalized(name: str) -> str:
    """A package's name as indexes have it: PyYAML is pyyaml, ruamel.yaml is ruamel-yaml."""
    return re.sub("[-_.]+", "-", name).lower()


def packages_text(listed: Sequence[Packaged]) -> str:
    """A line for each package, in even columns; the last has what is left."""
    names = max(len(one.name) for one in listed)
    versions = max(len(one.version) for one in listed)
    lines = []
    for one in listed:
        words = " ".join(filter(None, (f"[{one.license}]" if one.license else "", one.summary)))
        lines.append(f"{one.name:<{names}}  {one.version:<{versions}}  {words}".rstrip())
    return "\n".join(lines)


def packages_help(site: Site) -> str:
    """How it is used."""
    return PACKAGES_HELP.format(site.namespace, options_help(LISTED))
