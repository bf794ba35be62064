"""What of the environment comes before the module's commands, libraries and settings."""

import os
import re
from typing import Iterator, List, Mapping, Tuple

from stackgen.inside.launcher.portrait import shown_setting
from stackgen.inside.launcher.surroundings import Loaded, again, programs_of
from stackgen.inside.launcher.troubles import Trouble, enumerated, forgetting
from stackgen.inside.launcher.troubles_python import home_of_environment

_LIBRARY = re.compile(
    r"lib(stdc\+\+|gomp|iomp5|mpi|cudart|cudnn|cublas|nccl|python3[.0-9]*|hdf5|ssl|crypto)\.so(\.[.0-9]+)?\Z"
)
_OF_CUDA = {"libcudart", "libcudnn", "libcublas", "libnccl"}
_SYSTEMS = (
    "/usr/lib64",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib/powerpc64le-linux-gnu",
)


def path_troubles(one: Loaded, environ: Mapping[str, str]) -> List[Trouble]:
    """What hides something of the loaded framework; what users have set in its place is good to know."""
    return [
        *_commands_hidden(one, environ),
        *_preloaded(environ),
        *_libraries(one, environ),
        *_set(one, environ),
    ]


def _commands_hidden(one: Loaded, environ: Mapping[str, str]) -> Iterator[Trouble]:
    """Commands that another directory has as well; where Python itself is one, that is told elsewhere."""
    own, entries = programs_of(one), environ.get("PATH", "").split(":")
    mine = set(_programs_in(own))
    for entry in entries[: entries.index(own)] if own in entries else []:
        hidden = mine.intersection(_programs_in(entry))
        if hidden and "python" not in hidden and not home_of_environment(os.path.dirname(entry)):
            module = one.framework.module
            text = f"{entry} comes first in PATH, and hides {enumerated(sorted(hidden))} of {module}."
            yield Trouble(text, again(module))


def _programs_in(directory: str) -> List[str]:
    try:
        return os.listdir(directory or ".")
    except OSError:
        return []


def _preloaded(environ: Mapping[str, str]) -> Iterator[Trouble]:
    for path in re.split("[ :]+", environ.get("LD_PRELOAD", "")):
        if "/" in path and not os.path.exists(path):
            text = f"LD_PRELOAD names {path}, which is not there: every program complains of it."
            yield Trouble(text, forgetting(environ, "LD_PRELOAD"))
        elif path:
            text = f"LD_PRELOAD puts {path} before the libraries of every program."
            yield Trouble(text, wrong=False)


def _libraries(one: Loaded, environ: Mapping[str, str]) -> Iterator[Trouble]:
    """Libraries that come from elsewhere, because LD_LIBRARY_PATH says so."""
    for entry in filter(None, environ.get("LD_LIBRARY_PATH", "").split(":")):
        found = {"lib" + match.group(1) for match in map(_LIBRARY.match, _programs_in(entry)) if match}
        bad = {name for name in found if _is_bad(name, entry, one)}
        remedy = forgetting(environ, "LD_LIBRARY_PATH")
        if bad:
            text = f"LD_LIBRARY_PATH has {one.framework.module} take {enumerated(sorted(bad))} from {entry},"
            yield Trouble(
                f"{text} which {'is' if len(bad) == 1 else 'are'} not what it was made with.", remedy
            )
        elif found:
            text = f"LD_LIBRARY_PATH has programs take {enumerated(sorted(found))} from {entry}."
            yield Trouble(text, wrong=False)


def _is_bad(name: str, directory: str, one: Loaded) -> bool:
    """Whether a library is sure to be another one than a framework expects."""
    if name in _OF_CUDA:
        return bool(one.framework.cuda)
    if name.startswith("libpython"):
        return bool(one.framework.python)
    if name == "libstdc++":
        here = _release_of_library(os.path.join(directory, "libstdc++.so.6"))
        systems = [_release_of_library(os.path.join(place, "libstdc++.so.6")) for place in _SYSTEMS]
        return bool(here) and here < max(systems)
    return False


def _release_of_library(path: str) -> Tuple[int, ...]:
    """The numbers that the file behind a link ends with, as 6, 0, 30; nothing where it has none."""
    found = re.search(r"\.so\.([0-9.]+)\Z", os.path.realpath(path)) if os.path.exists(path) else None
    return tuple(int(part) for part in found.group(1).split(".") if part) if found else ()


def _set(one: Loaded, environ: Mapping[str, str]) -> Iterator[Trouble]:
    """The module's settings in whose place the user's hold, both values."""
    for name, value in sorted(one.framework.settings.items()):
        marker = "__{}SET_{}".format(one.framework.root[: -len("ROOT")], name)
        wanted, here = environ.get(marker, shown_setting(value)), environ.get(name)
        if here is None and ("{" not in wanted or marker in environ):
            yield Trouble(f"{name} is not set; the module would set it to {wanted}.", wrong=False)
        elif here is not None and here != wanted:
            yield Trouble(
                f"{name} is {here or 'empty'}, set by you; the module would set {wanted}.", wrong=False
            )
