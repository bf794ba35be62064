"""`venv`: a virtual environment over a framework, which knows its release."""

import os
from typing import Dict, Optional, Sequence, Tuple

from stackgen.inside.launcher.deprecation import sentence_today
from stackgen.inside.launcher.description import Loadable, Site, framework_named, loaded_framework
from stackgen.inside.launcher.surroundings import the_loaded_one
from stackgen.inside.launcher.venv_installing import install_into, keep_wanted, reinstall
from stackgen.inside.launcher.venv_kernel import add_venv_kernel
from stackgen.inside.launcher.venv_making import aside, clear_aside, make_venv, put_back, unmake_venv
from stackgen.inside.launcher.venv_packages import own_packages
from stackgen.inside.launcher.venv_record import VenvRecord, record_of_venv, register_venv, writing_venv
from stackgen.inside.launcher.words import LauncherError, Option, options_help, parsed, put, shown, tell

VENV_HELP = """\
usage: {0} venv NAME [options]

A virtual environment in the directory NAME, over the loaded framework: what you install there comes first,
all else is the framework's. It needs no module to be loaded: NAME/bin/python does by itself, in jobs as well,
and so does `source NAME/bin/activate` (activate.csh, activate.fish).

{1}

  {0} venv ~/my                          over the framework that is loaded
  {0} venv ~/my -m tensorflow --kernel   and a kernel for notebooks
  {0} venv ~/my --recreate               on what is loaded now, with the packages that it has

pip and uv of the environment leave the framework's own packages as they are, unless you name them:
`pip install numpy==2.1.3` brings another numpy, and `--unconstrained` lets anything be replaced."""
VENV_OPTIONS = (
    Option("m", "module", "NAME", "over this framework, loaded or not"),
    Option("", "kernel", "", "a kernel of its own, for notebooks"),
    Option("", "recreate", "", "make it anew, and install your packages again"),
)
_UNUSABLE = (":", '"', "$", "`", "\\")
"""PATH can hold no colon, and the programs that pip writes none of the others."""
INSTALLING = "--install"
"""The word by which pip and uv of an environment come back here."""


def venv(site: Site, words: Sequence[str]) -> Optional[int]:
    """Make a virtual environment, or make it anew."""
    if len(words) > 2 and words[0] == INSTALLING and words[2] in ("pip", "uv"):
        return install_into(site, words[1], words[2], words[3:])
    found, name = _asked_of_venv(words)
    place = place_of_venv(name)
    framework = _framework_below(site, found.get("module"))
    with writing_venv(place):
        standing = record_of_venv(place)
        if standing and standing.state == "made" and "recreate" not in found:
            _require_same(site, framework, standing, place)
            tell(f"{place} is there already, over {framework.module} of the release {site.release}")
            reinstall(site, place)  # one that was killed, or had no room, has left some
        else:
            _make_anew(site, framework, place, again="recreate" in found)
            put(_how_to_use(site, framework, place))
        register_venv(site, place)
    if "kernel" in found:
        add_venv_kernel(site, framework, place)
    return None


def venv_help(site: Site) -> str:
    """How it is used."""
    return VENV_HELP.format(site.namespace, options_help(VENV_OPTIONS))


def _asked_of_venv(words: Sequence[str]) -> Tuple[Dict[str, str], str]:
    """The options, before and after the name, and the name."""
    found, rest = parsed(words, VENV_OPTIONS)
    if not rest:
        raise LauncherError("no directory is named for the environment; name one, such as ~/my")
    more, others = parsed(rest[1:], VENV_OPTIONS)
    if others:
        raise LauncherError(f"venv takes one name, and {others[0]} is another word")
    return dict(found, **more), rest[0]


def place_of_venv(name: str) -> str:
    """The directory of an environment, as Python will see it; LauncherError where it cannot be one."""
    try:
        place = os.path.realpath(os.path.abspath(name)) if name else ""
    except FileNotFoundError:
        raise LauncherError("the working directory has been removed; go to another one by `cd`", 1) from None
    try:
        readable = place.encode("utf-8").decode("utf-8").isprintable()
    except UnicodeError:
        readable = False
    if not place or not readable or any(character in place for character in _UNUSABLE):
        text = "{} cannot be the name of an environment; choose one without control characters and {}"
        raise LauncherError(text.format(ascii(name) if name in place else ascii(place), " ".join(_UNUSABLE)))
    return place


def _framework_below(site: Site, named: Optional[str]) -> Loadable:
    """What the environment is to stand on; LauncherError where nothing can."""
    framework = framework_named(site, named) if named else loaded_framework(site, os.environ)
    if framework is None:
        loaded = the_loaded_one(site, os.environ)
        if loaded:
            other = f"{loaded.place or 'its release'}/bin/{site.namespace}"
            text = "{} of the release {} is loaded, and this is the {} of {}: call {}, or name one by -m"
            known = (loaded.framework.module, loaded.release, site.namespace, site.release, other)
            raise LauncherError(text.format(*known))
        first = next((one.module for one in site.frameworks if one.default), site.namespace + "/tensorflow")
        raise LauncherError(f"no framework is loaded; `module load {first}` first, or name one by -m")
    sentence, _ = sentence_today(site.deprecations, framework.module)
    if sentence:
        tell(sentence)
    if framework.image:
        module = framework.module.split("/")[1]
        text = (
            "{0} runs in a container, where this does not reach; with its module loaded,"
            " `python -m venv --system-site-packages NAME` makes an environment,"
            " and `{1} NAME/bin/python` starts it"
        )
        raise LauncherError(text.format(framework.module, module))
    if not framework.python:
        raise LauncherError(f"{framework.module} has no Python that an environment could stand on")
    return framework


def _require_same(site: Site, framework: Loadable, standing: VenvRecord, place: str) -> None:
    if (standing.framework, standing.release) == (framework.prefix, site.release):
        return
    text = "{} stands on {} of the release {}; `{}` moves it to {} of {}, with your packages"
    again = shown([site.namespace, "venv", place, "--recreate"])
    here = (place, standing.module, standing.release, again, framework.module, site.release)
    raise LauncherError(text.format(*here), 1)


def _make_anew(site: Site, framework: Loadable, place: str, *, again: bool) -> None:
    """Make it where there is nothing, or half of it; `again` keeps the packages of what is there."""
    before = ""
    if again and record_of_venv(place) is None:
        raise LauncherError(f"{place} is no environment that could be made anew; leave out --recreate", 1)
    keep_wanted(place, own_packages(place))
    if again:
        before = aside(place)
    try:
        make_venv(site, framework, place)
    except BaseException:
        unmake_venv(place)
        if before:
            put_back(place, before)
        raise
    clear_aside(place)
    reinstall(site, place)


def _how_to_use(site: Site, framework: Loadable, place: str) -> str:
    """What to type next."""
    lines = [f"{place} stands on {framework.module} of the release {site.release}:", ""]
    lines.append("  " + shown(["source", place + "/bin/activate"]))
    lines.append("  pip install PACKAGE")
    lines.append("")
    lines.append("and without that, in jobs too: " + shown([place + "/bin/python", "train.py"]))
    return "\n".join(lines)
