"""The Pythons that frameworks may have a copy of."""

import re
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Tuple

from stackgen.probe.reading import (
    exists,
    is_environment,
    is_plain,
    matching,
    numbers_in,
    path_directories,
    real,
)

_OLDEST_MINOR = 9
"""Of Python 3: stackgen's tools run on no older one."""


def complete_pythons(environment: Mapping[str, str], root: Path) -> List[Dict[str, str]]:
    """The complete CPythons of a machine, one a minor version.

    The system's own come first, then /usr/local, PATH and pyenv's; the newest first in each place.
    """
    found: Dict[str, Dict[str, str]] = {}
    for directory in _python_places(environment, root):
        for version, prefix in sorted(_pythons_in(directory), key=_newness, reverse=True):
            found.setdefault(version, {"version": version, "prefix": str(prefix)})
    return list(found.values())


def _newness(python: Tuple[str, Path]) -> Tuple[int, ...]:
    return numbers_in(python[0])


def _python_places(environment: Mapping[str, str], root: Path) -> Iterator[Path]:
    yield root / "usr/bin"
    yield root / "usr/local/bin"
    for directory in path_directories(environment):
        yield directory
    pyenv = Path(environment.get("PYENV_ROOT") or Path(environment.get("HOME", "/"), ".pyenv"))
    for version in sorted(matching(pyenv, "versions/*"), key=_by_number, reverse=True):
        yield version / "bin"


def _by_number(path: Path) -> Tuple[int, ...]:
    return numbers_in(path.name)


def _pythons_in(directory: Path) -> Iterator[Tuple[str, Path]]:
    """The interpreters that programs of a directory are, or are links to: version and prefix."""
    if is_environment(directory.parent):
        return
    for program in matching(directory, "python3.*"):
        target = real(program)
        prefix, version = target.parent.parent, target.name[len("python") :]
        if program.name == target.name and _is_recent(version) and _is_whole(prefix, version):
            yield version, prefix


def _is_recent(version: str) -> bool:
    return re.match(r"3\.[0-9]{1,2}$", version) is not None and numbers_in(version)[1] >= _OLDEST_MINOR


def _is_whole(prefix: Path, version: str) -> bool:
    """Whether the standard library is there; shims and other Pythons have none by this name."""
    libraries = [prefix / library / "python{}".format(version) / "os.py" for library in ("lib", "lib64")]
    return is_plain(prefix) and not is_environment(prefix) and any(exists(library) for library in libraries)
