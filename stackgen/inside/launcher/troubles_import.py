"""Why one import comes from where it does."""

import os
from typing import Iterator, List, Mapping, Sequence, Tuple

from stackgen.inside.launcher.description import Loadable, Site
from stackgen.inside.launcher.importing import Import, has_module, import_names, import_of, package_with
from stackgen.inside.launcher.listing import normalized, packages_of
from stackgen.inside.launcher.surroundings import Loaded, found_on_path, place_of_release, programs_of
from stackgen.inside.launcher.troubles import Trouble, enumerated
from stackgen.inside.launcher.troubles_python import environment_in_path, home_of_environment
from stackgen.inside.launcher.words import nearest


def import_troubles(
    site: Site, one: Loaded, name: str, environ: Mapping[str, str], cwd: str
) -> List[Trouble]:
    """Where an import comes from in the Pythons that one may mean, the module's and the first in PATH."""
    module, told = module_meant(one, name)
    own = os.path.join(programs_of(one), "python")
    found = list(told)
    found.append(_judged(site, one, own, module, environ, cwd))
    first = (found_on_path("python", environ) or [own])[0]
    if os.path.realpath(os.path.dirname(first)) != os.path.realpath(os.path.dirname(own)):
        found.append(_of_other(one, first, module))
    return found


def module_meant(one: Loaded, name: str) -> Tuple[str, Sequence[Trouble]]:
    """The module of a name that may be a package's, and what is to be said of that."""
    top = name.partition(".")[0]
    if top.isidentifier() and (
        has_module(one.framework, top) or not import_names(one.framework, normalized(name))
    ):
        return top, ()
    names = import_names(one.framework, normalized(name))
    if not names:
        return top, ()
    text = f"The package {normalized(name)} is imported as {enumerated(names)}."
    best = [known for known in names if not known.startswith("_")] or names
    return best[0], (Trouble(text, wrong=False),)


def _judged(  # noqa: PLR0913, PLR0917 - all of it is what the question is about
    site: Site, one: Loaded, program: str, module: str, environ: Mapping[str, str], cwd: str
) -> Trouble:
    """What the module's own Python would import."""
    framework, found = one.framework, import_of(program, module)
    if found.failure:
        return Trouble(f"The Python of {framework.module} cannot look for {module}: {found.failure}.")
    if not found.origin:
        return _missing(site, one, module)
    if _is_own(framework, found):
        package = package_with(framework, module)
        version = [each.version for each in packages_of(one) or () if each.name == package]
        known = f", {package} {version[0]}" if version else ""
        whose = "Python's own" if _is_pythons(found) else "the module's"
        text = f"`import {module}` takes {found.origin}, which is {whose}{known}."
        return Trouble(text, wrong=False)
    has = has_module(framework, module) or normalized(module) in [
        each.name for each in packages_of(one) or ()
    ]
    ending = f"and not that of {framework.module}." if has else f"{framework.module} has none itself."
    text = f"`import {module}` takes {found.origin}: {_reason_for(found, environ, cwd)}; {ending}"
    return Trouble(text, wrong=has)


def _is_own(framework: Loadable, found: Import) -> bool:
    """Whether it is the framework's, or Python's; in a container, all of its Python's packages are."""
    place = found.prefix if framework.image else framework.prefix
    return _is_pythons(found) or (found.origin + "/").startswith(place + "/")


def _is_pythons(found: Import) -> bool:
    """Whether it is part of Python itself."""
    if found.origin in ("built-in", "frozen"):
        return True
    inside = found.origin[len(found.library) :] if found.origin.startswith(found.library + "/") else ""
    return bool(inside) and not inside.startswith(("/site-packages/", "/dist-packages/"))


def _reason_for(found: Import, environ: Mapping[str, str], cwd: str) -> str:
    """Why a Python looks there."""
    places = [
        entry for entry in found.path if (found.origin + "/").startswith(os.path.join(cwd, entry) + "/")
    ]
    entry = max(places, key=len) if places else ""
    base = environ.get("PYTHONUSERBASE") or os.path.join(environ.get("HOME", "/"), ".local")
    if entry and entry in [os.path.join(cwd, one) for one in environ.get("PYTHONPATH", "").split(":")]:
        return "PYTHONPATH leads there"
    if (found.origin + "/").startswith(base + "/"):
        return "it was installed by `pip install --user`, and PYTHONNOUSERSITE is not set"
    if not entry or os.path.realpath(entry) == os.path.realpath(cwd):
        return "it lies in the working directory"
    return f"{entry} is where that Python looks first"


def _missing(site: Site, one: Loaded, module: str) -> Trouble:
    """Who has it instead."""
    package = normalized(module)
    having = [
        framework.module
        for framework in site.frameworks
        if framework.module != one.framework.module and _has(site, framework, package, module)
    ]
    text = f"{one.framework.module} has no {module}."
    listed = [each.name for each in packages_of(one) or ()]
    if package in listed:
        text = (
            f"{one.framework.module} should have {module}, but its Python does not find it: it is not whole."
        )
        return Trouble(f"{text} Those who run {site.system} can build it again.")
    if having:
        return Trouble(
            f"{text} {enumerated(having)} {'has' if len(having) == 1 else 'have'}:",
            f"module load {having[0]}",
        )
    near = nearest(module, listed, "")
    if near:
        return Trouble(f"{text[:-1]}; {near}")
    remedy = f"{site.namespace} venv ~/my\n~/my/bin/pip install {package}"
    return Trouble(f"{text} Add it in a virtual environment of your own:", remedy)


def _has(site: Site, framework: Loadable, package: str, module: str) -> bool:
    listed = packages_of(Loaded(framework, site.release, place_of_release(site)), package)
    return any(each.name == package for each in listed or ()) or has_module(framework, module)


def _of_other(one: Loaded, program: str, module: str) -> Trouble:
    """What the Python imports that is started in place of the module's."""
    found = import_of(program, module)
    if found.failure:
        text = f"`python`, which is {program}, cannot look for {module}: {found.failure}."
    elif found.origin:
        text = f"`python`, which is {program}, takes {found.origin}."
    else:
        text = f"`python`, which is {program}, has no {module}."
    place = os.path.dirname(os.path.dirname(program))
    mine = home_of_environment(place).startswith(one.framework.prefix + "/")
    return Trouble(text, wrong=not mine or not found.origin)


def unloaded_import(site: Site, name: str, environ: Mapping[str, str]) -> Iterator[Trouble]:
    """What to load for an import, where nothing is; a virtual environment over a framework needs nothing."""
    package, module = normalized(name), name.partition(".")[0]
    mine = environment_in_path(site, environ)
    found = import_of(mine.program, module) if mine and mine.module else None
    if mine and found and found.origin:
        text = f"`import {module}` takes {found.origin} in your virtual environment over {mine.module}."
        yield Trouble(text, wrong=False)
        return
    having = [one.module for one in site.frameworks if _has(site, one, package, module)]
    text = f"No framework is loaded, so `import {module}` takes whatever your own Python has."
    if having:
        yield Trouble(
            f"{text} {enumerated(having)} {'has' if len(having) == 1 else 'have'} it:",
            f"module load {having[0]}",
        )
    else:
        yield Trouble(f"{text} No framework of the release {site.release} has it.")
