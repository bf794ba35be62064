"""What is loaded, and which release is the current one: what the environment and the prefix tell."""

import json
import os
import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from stackgen.inside.launcher.deprecation import Deprecation
from stackgen.inside.launcher.description import DESCRIPTION, Loadable, Site

_UNTOLD_OF_FRAMEWORK: Dict[str, Any] = {
    "default": False,
    "distributed": False,
    "features": (),
    "settings": {},
    "cuda": None,
}
"""What stands for what the release of another stackgen does not say; else an empty text does."""


class Loaded(NamedTuple):
    """A framework whose module is loaded, of whichever release."""

    framework: Loadable
    release: str
    place: str
    """The directory of its release; both are empty where the environment does not tell."""


def capitals(name: str) -> str:
    """A name as a part of an environment variable: the rule of `stackgen.effects.variable_name`."""
    plain = re.sub(r"[^A-Z0-9_]", "_", name.upper())
    return "_" + plain if plain[:1].isdigit() else plain


def place_of_release(site: Site) -> str:
    """Where the launcher's own release lies."""
    return os.path.dirname(os.path.dirname(site.modules))


def release_variable_of(site: Site) -> str:
    """The variable that tells where the release of the loaded framework lies."""
    return capitals(site.namespace) + "_RELEASE"


def current_name(prefix: str) -> str:
    """The release of a prefix that new shells get; empty where it does not tell."""
    try:
        target = os.readlink(os.path.join(prefix, "current"))
    except OSError:
        return ""
    return os.path.basename(os.path.dirname(target))


def later_release(one: Loaded) -> str:
    """The release that is current in place of the loaded one; empty where that is still the current one."""
    prefix, _, below = one.place.rpartition("/releases/")
    current = current_name(prefix) if prefix and below == one.release else ""
    return current if current != one.release else ""


def loaded_here(site: Site, environ: Mapping[str, str]) -> List[Loaded]:
    """The frameworks that are loaded, of whichever release; more than one where something went wrong."""
    place = environ.get(release_variable_of(site), "")
    own = place_of_release(site)
    pattern = re.compile(capitals(site.namespace) + "_.+_ROOT" + r"\Z")
    found = []
    for root in sorted(name for name in environ if pattern.match(name)):
        prefix = environ[root]
        ours = [one for one in site.frameworks if (one.root, one.prefix) == (root, prefix)]
        if ours and place in ("", own):
            found.append(Loaded(ours[0], site.release, own))
        elif prefix:
            told = frameworks_told(place) if place else []
            theirs = [one for one in told if (one.root, one.prefix) == (root, prefix)] or ours
            framework = theirs[0] if theirs else _unknown(site, root, prefix, environ)
            found.append(Loaded(framework, os.path.basename(place), place))
    return found


def deprecations_told(place: str) -> Optional[Tuple[Deprecation, ...]]:
    """What a release says of versions that are to go; None where it does not tell."""
    try:
        with open(os.path.join(place, DESCRIPTION), encoding="utf-8") as stream:
            told = json.load(stream)["deprecations"]
        found = tuple(Deprecation(*(str(one[field]) for field in Deprecation._fields)) for one in told)
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return found


def frameworks_told(place: str) -> List[Loadable]:
    """The frameworks of a release, whichever stackgen has made it; none where it does not tell."""
    try:
        with open(os.path.join(place, DESCRIPTION), encoding="utf-8") as stream:
            return [framework_told(one) for one in json.load(stream)["frameworks"]]
    except (OSError, ValueError, AttributeError, LookupError, TypeError):
        return []


def framework_told(told: Mapping[str, Any]) -> Loadable:
    """A framework as any stackgen has described it; older ones say less, newer ones more."""
    name, _, version = told["module"].split("/", 1)[-1].partition("/")
    known: Dict[str, Any] = {"name": name, "title": name, "version": version}
    for field in Loadable._fields:
        known[field] = told.get(field, known.get(field, _UNTOLD_OF_FRAMEWORK.get(field, "")))
    known["features"] = tuple(known["features"])
    return Loadable(**known)


def _unknown(site: Site, root: str, prefix: str, environ: Mapping[str, str]) -> Loadable:
    """A framework of which only the environment tells."""
    loaded = environ.get("LOADEDMODULES", "").split(":")
    mine = [name for name in loaded if name.startswith(site.namespace + "/")]
    fitting = [name for name in mine if capitals(name.split("/")[1]) in root]
    plain = root[len(capitals(site.namespace)) + 1 : -len("_ROOT")].lower()
    module = (fitting or mine or [site.namespace + "/" + plain])[0]
    return framework_told({"module": module, "root": root, "prefix": prefix})


def found_on_path(name: str, environ: Mapping[str, str]) -> List[str]:
    """All programs of a name in the order of PATH: the first is the one that is started."""
    found: List[str] = []
    for directory in environ.get("PATH", "").split(":"):
        path = os.path.join(directory or ".", name)
        if path not in found and os.access(path, os.X_OK) and os.path.isfile(path):
            found.append(path)
    return found


def programs_of(loaded: Loaded) -> str:
    """The directory of a framework's commands."""
    if loaded.framework.image:
        return os.path.join(loaded.place, "containers", loaded.framework.name, "bin")
    return os.path.join(loaded.framework.prefix, "bin")


def site_packages_of(framework: Loadable) -> str:
    """Where a framework has its packages; inside of its image, where it runs in one."""
    return os.path.join(framework.prefix, "lib", "python" + framework.python, "site-packages")


def the_loaded_one(site: Site, environ: Mapping[str, str]) -> Optional[Loaded]:
    """The framework that is loaded, if there is one; of several, that whose programs come first."""
    entries = environ.get("PATH", "").split(":")

    def place_on_path(one: Loaded) -> int:
        programs = programs_of(one)
        return entries.index(programs) if programs in entries else len(entries)

    found = loaded_here(site, environ)
    return min(found, key=place_on_path) if found else None


def again(module: str) -> str:
    """What to type to load a module anew."""
    return f"module unload {module}; module load {module}"
