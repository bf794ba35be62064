"""The programs of an environment: shells that say what is wrong where the release below is gone."""

import os
import shlex
from typing import Dict, NamedTuple

from stackgen.inside.launcher.description import Loadable, Site
from stackgen.inside.launcher.surroundings import place_of_release, release_variable_of
from stackgen.inside.threads import pieces_of_setting

_PYTHON = """\
#!/bin/bash -p
# Python, with the packages of this environment and those of {module} below it; no module needs to be loaded.
# What is set here is what the module sets. -p: no BASH_ENV is read.
real={real}
if [ ! -x "$real" ]; then
    echo {gone} >&2
    exit 1
fi
if [ ! "$0" -ef {place}/bin/python ]; then
    echo {moved} >&2
    exit 1
fi
if [ "${{1-}}" = -m ] && [ "${{2-}}" = pip ]; then
    shift 2
    exec {place}/bin/pip "$@"
fi
unset PYTHONHOME PYTHONPLATLIBDIR PYTHONEXECUTABLE __PYVENV_LAUNCHER__
{settings}
exec -a {place}/bin/python "$real" "$@"
"""
_INSTALLER = """\
#!/bin/sh
# {tool} for this environment: the framework's own packages stay what they are, unless they are named.
launcher={launcher}
if [ ! -x "$launcher" ] || [ ! -x {real} ]; then
    echo {gone} >&2
    exit 1
fi
exec "$launcher" venv --install {place} {tool} "$@"
"""


class VenvWords(NamedTuple):
    """What the texts of an environment are made from."""

    site: Site
    framework: Loadable
    place: str


def gone_text(words: VenvWords) -> str:
    """What is said where the release below has gone."""
    text = (
        "{} stands on {} of the release {}, which has been removed, or its disk is not there;"
        " load another one and run `{} venv {} --recreate`, which keeps your packages"
    )
    place = shlex.quote(words.place)
    return text.format(words.place, words.framework.module, words.site.release, words.site.namespace, place)


def moved_text(words: VenvWords) -> str:
    """What is said where the environment lies elsewhere than where it was made."""
    text = "this environment was made as {}, and cannot be moved; run `{} venv NAME` to make another one"
    return text.format(words.place, words.site.namespace)


def real_python(framework: Loadable) -> str:
    """The program below it all: a framework's own Python is an environment on it, too."""
    return os.path.realpath(os.path.join(framework.prefix, "bin", "python"))


def defaults_of(words: VenvWords) -> Dict[str, str]:
    """What the module sets where the user has not; what only a rank can know is left out."""
    found = {"PYTHONNOUSERSITE": "1"}
    for name, value in sorted(words.framework.settings.items()):
        pieces = list(pieces_of_setting(value))
        if not any(placeholder for _, placeholder in pieces):
            found[name] = "".join(text for text, _ in pieces)
    return found


def assigned_by(words: VenvWords) -> Dict[str, str]:
    """What the module sets to tell which framework it is."""
    release = place_of_release(words.site)
    return {words.framework.root: words.framework.prefix, release_variable_of(words.site): release}


def python_script(words: VenvWords) -> str:
    """`bin/python`."""
    settings = [
        f'[ "${{{name}+set}}" ] || export {name}={shlex.quote(value)}'
        for name, value in defaults_of(words).items()
    ]
    return _PYTHON.format(
        module=words.framework.module,
        real=shlex.quote(real_python(words.framework)),
        place=shlex.quote(words.place),
        gone=shlex.quote(gone_text(words)),
        moved=shlex.quote(moved_text(words)),
        settings="\n".join(settings),
    )


def pip_script(words: VenvWords) -> str:
    """`bin/pip`."""
    return _installer(words, "pip")


def uv_script(words: VenvWords) -> str:
    """`bin/uv`."""
    return _installer(words, "uv")


def _installer(words: VenvWords, tool: str) -> str:
    launcher = "{}/bin/{}".format(place_of_release(words.site), words.site.namespace)
    return _INSTALLER.format(
        tool=tool,
        launcher=shlex.quote(launcher),
        real=shlex.quote(real_python(words.framework)),
        place=shlex.quote(words.place),
        gone=shlex.quote(gone_text(words)),
    )
