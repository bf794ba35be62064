"""`doctor`: what is wrong here, and what mends it."""

import os
import re
from typing import List, Mapping, Optional, Sequence, Tuple

from stackgen.inside.launcher.description import Site
from stackgen.inside.launcher.overview import first_to_load, sees_modules
from stackgen.inside.launcher.surroundings import Loaded, found_on_path, loaded_here, the_loaded_one
from stackgen.inside.launcher.troubles import Trouble, troubles_text
from stackgen.inside.launcher.troubles_gpu import gpu_troubles
from stackgen.inside.launcher.troubles_import import import_troubles, unloaded_import
from stackgen.inside.launcher.troubles_machine import machine_troubles
from stackgen.inside.launcher.troubles_paths import path_troubles
from stackgen.inside.launcher.troubles_python import Environment, environment_in_path, python_troubles
from stackgen.inside.launcher.troubles_release import release_troubles
from stackgen.inside.launcher.words import LauncherError, parsed, put

DOCTOR_HELP = """\
usage: {0} doctor [IMPORT]

What is wrong with what is loaded, here, in this shell or job, each with its remedy: what keeps programs
from the module's Python, what hides its commands, packages and libraries, why there is no GPU, what has
been removed, where there is no room. With a name, why `import` of it comes from where it does.
Nothing is written. The exit status is 0 where nothing is wrong, and 1 where something is.

Aliases and functions of a shell no program sees: `type python` tells them; and quotas `quota -s`.

  {0} doctor
  {0} doctor keras"""


def doctor(site: Site, words: Sequence[str]) -> int:
    """Print what is wrong; whether anything is, as an exit status."""
    _, rest = parsed(words, ())
    if len(rest) > 1:
        raise LauncherError(f"doctor takes one name, and {rest[1]} is another word")
    if rest and not re.match(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z", rest[0]):
        text = "{} is no name of a module or a package; write it as after `import`, such as keras"
        raise LauncherError(text.format(rest[0][:60] or "nothing"))
    one = the_loaded_one(site, os.environ)
    found = troubles_of(site, one, rest[0] if rest else "", os.environ)
    put(_what_is_loaded(one))
    put(troubles_text(found))
    if one and not any(each.wrong for each in found):
        put("Aliases and functions of a shell no program sees: `type python` tells them.")
    return 1 if any(each.wrong for each in found) else 0


def troubles_of(site: Site, one: Optional[Loaded], name: str, environ: Mapping[str, str]) -> List[Trouble]:
    """All that is found; with a name, of its import alone, and of what keeps all imports from the module."""
    cwd, found = _working_directory_told()
    loaded = loaded_here(site, environ)
    found += release_troubles(site, loaded, environ)
    if name and one:
        usable = not any(each.wrong for each in found)
        imported = import_troubles(site, one, name, environ, cwd) if usable else []
        return [*found, *imported, *python_troubles(one, environ, cwd)]
    if name:
        return [*found, *unloaded_import(site, name, environ)]
    if one:
        found += [*python_troubles(one, environ, cwd), *path_troubles(one, environ)]
    elif not found:
        found.append(_nothing_loaded(site, environ))
    return [*found, *gpu_troubles(site, one, environ), *machine_troubles(site, one, environ)]


def _working_directory_told() -> Tuple[str, List[Trouble]]:
    """Where we are, and what to do where that has been removed."""
    try:
        return os.getcwd(), []
    except OSError:
        return "/", [Trouble("The working directory has been removed.", "cd")]


def _what_is_loaded(one: Optional[Loaded]) -> str:
    node = os.uname().nodename
    if one is None:
        return f"On {node}, no framework is loaded."
    of = f" of the release {one.release}" if one.release else ""
    return f"On {node}, {one.framework.module}{of} is loaded."


def _nothing_loaded(site: Site, environ: Mapping[str, str]) -> Trouble:
    """What `python` is without a module."""
    mine = environment_in_path(site, environ)
    if mine:
        return _environment_told(site, mine)
    programs = found_on_path("python", environ) or found_on_path("python3", environ)
    what = f"{os.path.basename(programs[0])} is {programs[0]}" if programs else "there is no python"
    remedy = f"module load {first_to_load(site.frameworks)}"
    if not sees_modules(site, environ):
        remedy = f"module use {os.path.join(site.prefix, 'current', 'modules', 'Core')}\n{remedy}"
    return Trouble(f"No framework is loaded: {what}.", remedy, wrong=False)


def _environment_told(site: Site, mine: Environment) -> Trouble:
    """A virtual environment needs no module, but the framework that it was made over."""
    place = os.path.dirname(os.path.dirname(mine.program))
    begin = f"No framework is loaded: python is {mine.program}, of your virtual environment"
    if mine.module:
        return Trouble(f"{begin} over {mine.module}; it needs no module.", wrong=False)
    again = f"{site.namespace} venv {place} --recreate -m {first_to_load(site.frameworks).split('/')[-1]}"
    if os.access(mine.program, os.X_OK):
        text = f"{begin} over a framework of another release. To have it over one of {site.release}:"
        return Trouble(text, again, wrong=False)
    return Trouble(f"{begin}, and the framework that it was made over has been removed:", again)


def doctor_help(site: Site) -> str:
    """How it is used."""
    return DOCTOR_HELP.format(site.namespace)
