"""`which`: where a framework, a command or a package is, and which one is taken."""

import os
from typing import List, Optional, Sequence, Tuple

from stackgen.inside.launcher.description import Site, withdrawal
from stackgen.inside.launcher.importing import has_module, import_names, import_of, package_with
from stackgen.inside.launcher.listing import is_called, normalized, packages_of, packages_seen
from stackgen.inside.launcher.overview import folded
from stackgen.inside.launcher.surroundings import (
    Loaded,
    found_on_path,
    place_of_release,
    programs_of,
    the_loaded_one,
)
from stackgen.inside.launcher.words import LauncherError, nearest, parsed, put

WHICH_HELP = """\
usage: {0} which NAME

Where a framework, a command or a Python package is, and which one is taken here.

  {0} which tensorflow
  {0} which python
  {0} which keras"""


def which(site: Site, words: Sequence[str]) -> None:
    """Print all that goes by a name; LauncherError with near names where nothing does."""
    _, rest = parsed(words, ())
    if len(rest) != 1 or not rest[0]:
        raise LauncherError(f"which takes one name, such as `{site.namespace} which keras`")
    name, loaded = rest[0], the_loaded_one(site, os.environ)
    there = [Loaded(one, site.release, place_of_release(site)) for one in site.frameworks]
    if loaded and all(loaded.framework.module != one.framework.module for one in there):
        there.append(loaded)
    parts = [
        *_frameworks(site, name, there, loaded),
        _command(name, there, loaded),
        _package(name, there, loaded),
        _reason(site, name),
    ]
    if not any(parts):
        raise _unknown_name(site, name, there)
    put("\n\n".join("\n".join(part) for part in parts if part))


def _frameworks(site: Site, name: str, there: Sequence[Loaded], loaded: Optional[Loaded]) -> List[List[str]]:
    found = []
    for one in there:
        framework = one.framework
        if not is_called(site, framework, name) and name.lower() != framework.title.lower():
            continue
        here = ", and loaded" if loaded and loaded.framework.module == framework.module else ""
        lines = [f"{framework.module} is a framework of the release {one.release}{here}"]
        refusal = withdrawal(site, framework.module)
        if refusal:
            lines += folded(refusal, "  ")
        elif not here:
            lines.append(f"  load    module load {framework.module}")
        lines.append(f"  prefix  {framework.prefix}")
        if framework.image:
            lines[-1] = f"  image   {framework.image}"
        if framework.python:
            lines.append(f"  python  {os.path.join(programs_of(one), 'python')} ({framework.python})")
        found.append(lines)
    return found


def _command(name: str, there: Sequence[Loaded], loaded: Optional[Loaded]) -> List[str]:
    """What PATH gives for a name, and which frameworks have a command of it."""
    if "/" in name:
        return []
    hits = found_on_path(name, os.environ)
    having = {os.path.join(programs_of(one), name): one.framework.module for one in there}
    having = {program: module for program, module in having.items() if os.access(program, os.X_OK)}
    if not hits and not having:
        return []
    lines = [f"{name} is a command"]
    for index, hit in enumerate(hits):
        whose = f"  ({having[hit]})" if hit in having else ""
        lines.append("  {}  {}{}".format("then " if index else "taken", hit, whose))
    lines += [f"  not loaded: {module}" for program, module in having.items() if program not in hits]
    own = os.path.join(programs_of(loaded), name) if loaded else ""
    if loaded and own in having and hits[:1] != [own]:
        lines += folded(f"So it is not that of the loaded {loaded.framework.module}.")
    return lines


def _package(name: str, there: Sequence[Loaded], loaded: Optional[Loaded]) -> List[str]:
    """The frameworks that have a package, with its versions, and what the loaded one would import."""
    package = normalized(name)
    found = _versions(package, there)
    module = name if name.isidentifier() else ""
    if not found and module:
        having = [one.framework for one in there if has_module(one.framework, name)]
        package = package_with(having[0], name) if having else ""
        found = _versions(package, there) if package else []
        if having and not found:
            found = [(one, "") for one in there if has_module(one.framework, name)]
            package = name
    yours = _imported_by_venv(found, package, module)
    if not found:
        return [f"{name} is a Python package", *yours] if yours else []
    told = f", imported as {name}" if package != normalized(name) and package != name else ""
    lines = [f"{package} is a Python package{told}"]
    widest = max(len(version) for _, version in found)
    for one, version in found:
        here = "  (loaded)" if loaded and one.framework.module == loaded.framework.module else ""
        lines.append(f"  {version:<{widest}}  in {one.framework.module}{here}")
    return [*lines, *yours, *(_imported(package, module, loaded) if loaded else [])]


def _versions(package: str, there: Sequence[Loaded]) -> List[Tuple[Loaded, str]]:
    listed = [(one, packages_of(one, package)) for one in there]
    known = [(one, packages_seen(one.framework) if found is None else found) for one, found in listed]
    return [(one, each.version) for one, found in known for each in found if each.name == package]


def _imported(package: str, module: str, loaded: Loaded) -> List[str]:
    """What the loaded framework's Python would import."""
    meant = _module_meant(package, module, [loaded]) if loaded.framework.python else ""
    if not meant:
        return []
    found = import_of(os.path.join(programs_of(loaded), "python"), meant)
    if found.failure:
        return folded(f"What the loaded Python would import, it cannot say: {found.failure}")
    return [f"  import {meant}, in the loaded Python: {found.origin or 'not found'}"]


def _imported_by_venv(found: Sequence[Tuple[Loaded, str]], package: str, module: str) -> List[str]:
    """What the virtual environment would import whose Python is the one that is taken, if there is one."""
    venv = os.environ.get("VIRTUAL_ENV", "")
    python = os.path.join(venv, "bin", "python")
    if not venv or found_on_path("python", os.environ)[:1] != [python]:
        return []
    meant = _module_meant(package, module, [one for one, _ in found])
    origin = import_of(python, meant).origin if meant else ""
    return [f"  import {meant}, in the virtual environment {venv}: {origin}"] if origin else []


def _module_meant(package: str, module: str, there: Sequence[Loaded]) -> str:
    """What is imported of a package, as these have it; else the name that was asked for, where it can be."""
    for one in there:
        names = [module] if module and has_module(one.framework, module) else []
        names = names or import_names(one.framework, package)
        if names:
            return names[0]
    return module


def _reason(site: Site, name: str) -> List[str]:
    """Why something is not here."""
    for other, reason in site.unsupported.items():
        if other.lower() == name.lower():
            return folded(f"{other} is not here: {reason}")
    return []


def _unknown_name(site: Site, name: str, there: Sequence[Loaded]) -> LauncherError:
    names = {one.module.split("/")[1] for one in site.frameworks} | set(site.unsupported)
    names |= {each.name for one in there for each in packages_of(one) or packages_seen(one.framework)}
    near = nearest(name, sorted(names), "")
    otherwise = f"`{site.namespace}` lists the frameworks, `{site.namespace} packages` what is in one"
    return LauncherError(f"nothing here is called {name[:60]}; {near or otherwise}", 1)


def which_help(site: Site) -> str:
    """How it is used."""
    return WHICH_HELP.format(site.namespace)
