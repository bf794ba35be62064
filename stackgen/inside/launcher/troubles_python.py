"""Whether the Python that is started is the module's, and what it would import first."""

import os
from typing import Iterator, List, Mapping, NamedTuple, Optional, Set

from stackgen.inside.launcher.description import Site
from stackgen.inside.launcher.importing import module_names
from stackgen.inside.launcher.surroundings import Loaded, again, found_on_path, programs_of, site_packages_of
from stackgen.inside.launcher.troubles import Trouble, enumerated, forgetting, setting
from stackgen.inside.launcher.words import shown

_LEADING_ASTRAY = ("PYTHONHOME", "PYTHONPLATLIBDIR", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__")
_OF_NO_INTEREST = {"test", "tests", "docs", "examples", "scripts", "setup", "conftest", "tools", "src"}
"""Names that lie in many directories, and that nobody imports from a framework."""


class Environment(NamedTuple):
    """A virtual environment over a framework."""

    program: str
    """Its Python."""
    module: str
    """The framework's; empty where the release has it no more."""


def python_troubles(one: Loaded, environ: Mapping[str, str], cwd: str) -> List[Trouble]:
    """What keeps the loaded framework's Python, or its packages, from being used."""
    if not one.framework.python:
        return []
    names = _names_of(one)
    return [
        *_interpreter(one, environ),
        *_functions(environ),
        *_variables(one, environ),
        *_python_path(one, environ, cwd, names),
        *_user_site(one, environ, names),
        *_working_directory(one, cwd, names),
    ]


def _names_of(one: Loaded) -> Set[str]:
    """What can be imported from the framework's Python."""
    below = os.path.join("lib", "python" + one.framework.python)
    places = [site_packages_of(one.framework), os.path.join(one.framework.prefix, "base", below)]
    return {name for place in places for name in module_names(place)} - _OF_NO_INTEREST


def _interpreter(one: Loaded, environ: Mapping[str, str]) -> Iterator[Trouble]:
    """Of the programs that users type, the first that is not the module's."""
    own = programs_of(one)
    for name in ("python", "python3", "pip"):
        program = os.path.join(own, name)
        hits = found_on_path(name, environ)
        if not os.access(program, os.X_OK) or (hits and _same(os.path.dirname(hits[0]), own)):
            continue
        if not any(_same(os.path.dirname(hit), own) for hit in hits):
            text = f"PATH no longer has the programs of {one.framework.module}, in {own}."
            yield Trouble(text, again(one.framework.module))
        else:
            yield _other_program(one, name, hits[0])
        return


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _other_program(one: Loaded, name: str, hit: str) -> Trouble:
    """Whose program is started in place of the module's."""
    place = os.path.dirname(os.path.dirname(hit))
    begin = f"`{name}` is {hit}, "
    home = home_of_environment(place)
    if home and (home + "/").startswith(one.framework.prefix + "/"):
        text = f"of your virtual environment over {one.framework.module}: its packages come first."
        return Trouble(begin + text, wrong=False)
    if home:
        text = f"of a virtual environment that is not made over {one.framework.module}, but over {home}."
        return Trouble(begin + text, "deactivate")
    if os.path.isdir(os.path.join(place, "conda-meta")):
        text = "which is conda's, and comes before the module in PATH."
        return Trouble(begin + text, f"conda deactivate\n{again(one.framework.module)}")
    text = f"and not that of {one.framework.module}, which comes later in PATH."
    return Trouble(begin + text, again(one.framework.module))


def home_of_environment(place: str) -> str:
    """Where the Python lies that a virtual environment was made with; empty where it is none."""
    try:
        with open(os.path.join(place, "pyvenv.cfg"), encoding="utf-8", errors="replace") as stream:
            pairs = [line.split("=", 1) for line in stream if "=" in line]
    except OSError:
        return ""
    return next((value.strip() for name, value in pairs if name.strip() == "home"), "")


def environment_in_path(site: Site, environ: Mapping[str, str]) -> Optional[Environment]:
    """The virtual environment over a framework whose Python is the first in PATH, loaded or not."""
    active = os.path.join(environ.get("VIRTUAL_ENV", ""), "bin")
    is_first = active in environ.get("PATH", "").split(":")  # even where its Python has gone
    programs = [os.path.join(active, "python")] if is_first else found_on_path("python", environ)
    for program in programs[:1]:
        home = home_of_environment(os.path.dirname(os.path.dirname(program)))
        for one in site.frameworks:
            if (home + "/").startswith(one.prefix + "/"):
                return Environment(program, one.module)
        if home.startswith(os.path.join(site.prefix, "pythons") + "/"):
            return Environment(program, "")
    return None


def _functions(environ: Mapping[str, str]) -> Iterator[Trouble]:
    """Functions that bash hands on; others, and aliases, no program can see."""
    for name in ("python", "python3", "pip"):
        if f"BASH_FUNC_{name}%%" in environ:
            yield Trouble(
                f"`{name}` is a function of your shell, which hides the program.", f"unset -f {name}"
            )


def _variables(one: Loaded, environ: Mapping[str, str]) -> Iterator[Trouble]:
    for name in _LEADING_ASTRAY:
        if environ.get(name):
            text = f"{name} is {environ[name]}, which leads the Python of {one.framework.module} astray."
            yield Trouble(text, forgetting(environ, name))


def _python_path(one: Loaded, environ: Mapping[str, str], cwd: str, names: Set[str]) -> Iterator[Trouble]:
    if not environ.get("PYTHONPATH"):
        return
    harmless = []
    for entry in environ["PYTHONPATH"].split(":"):
        place = os.path.join(cwd, entry)
        hiding = names.intersection(module_names(place))
        if hiding:
            yield _hiding(
                f"PYTHONPATH leads to {place}, where", hiding, one, forgetting(environ, "PYTHONPATH")
            )
        else:
            harmless.append(place)
    if harmless:
        text = (
            f"PYTHONPATH leads to {enumerated(harmless)} first; nothing there hides a package of the module."
        )
        yield Trouble(text, wrong=False)


def _hiding(where: str, hiding: Set[str], one: Loaded, remedy: str) -> Trouble:
    ending = "hides that" if len(hiding) == 1 else "hide those"
    return Trouble(f"{where} {enumerated(sorted(hiding))} {ending} of {one.framework.module}.", remedy)


def _user_site(one: Loaded, environ: Mapping[str, str], names: Set[str]) -> Iterator[Trouble]:
    """What is installed with `pip install --user`, where the module's guard against it is gone."""
    if environ.get("PYTHONNOUSERSITE"):
        return
    base = environ.get("PYTHONUSERBASE") or os.path.join(environ.get("HOME", "/"), ".local")
    place = os.path.join(base, "lib", "python" + one.framework.python, "site-packages")
    hiding = names.intersection(module_names(place))
    if hiding:
        remedy = setting(environ, "PYTHONNOUSERSITE", "1")
        yield _hiding(f"PYTHONNOUSERSITE is not set any more, and in {place}", hiding, one, remedy)


def _working_directory(one: Loaded, cwd: str, names: Set[str]) -> Iterator[Trouble]:
    """What is imported from where a program is started, or lies."""
    if (cwd + "/").startswith(one.framework.prefix + "/"):
        return
    hiding = names.intersection(module_names(cwd))
    if hiding:
        entries = [
            name + ".py" if os.path.isfile(os.path.join(cwd, name + ".py")) else name for name in hiding
        ]
        moves = [["mv", os.path.join(cwd, one), os.path.join(cwd, "my_" + one)] for one in sorted(entries)]
        remedy = "\n".join(shown(move) for move in moves[:3])
        where = f"Programs that lie in {cwd}, and `python -c`, import what is there first:"
        yield _hiding(where, hiding, one, remedy)
