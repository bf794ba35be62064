"""What the processes of this node use of a prefix, as /proc shows it: programs, files, directories.

A shell tells here only what it was started with, not the module that it has loaded since; what it starts
tells that. Of other nodes nothing is known at all: there, what was current keeps for as long as a job may be.
"""

import os
import pwd
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_AREAS = "releases|pythons|images|publications|staged"
_END = r"[^/:;'\"\s\0]+"
_NOTHING = re.compile(r"/(?:\.?/)+")
"""What users may write for one slash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Who uses what."""

    users: Mapping[str, tuple[str, ...]]
    """By the path of something below the prefix, a few words for each process."""
    unseen: int
    """How many processes nobody but root may look at."""


def running(prefix: Path, tree: Path, proc: Path = Path("/proc"), *, names: Iterable[Path] = ()) -> Running:
    """The processes that use something below a prefix, whose store's install tree is `tree`.

    `names` are further ones of the prefix.
    """
    pattern = _pattern(prefix, tree, names)
    found: dict[str, list[str]] = defaultdict(list)
    unseen = 0
    for process in sorted(proc.glob("[0-9]*"), key=lambda path: int(path.name)):
        if int(process.name) == os.getpid():
            continue
        try:
            paths = _paths(process, pattern)
        except PermissionError:
            unseen += 1
            continue
        except OSError:  # it has ended
            continue
        for path in paths:
            found[str(prefix / path)].append(_words(process))
    return Running(users={path: tuple(ones) for path, ones in found.items()}, unseen=unseen)


def _pattern(prefix: Path, tree: Path, names: Iterable[Path]) -> re.Pattern[str]:
    all_names = {str(prefix), os.path.realpath(prefix), *map(str, names)}
    begin = "|".join(sorted(map(re.escape, all_names), key=len, reverse=True))
    packages = rf"{re.escape(str(tree.relative_to(prefix)))}/linux-{_END}/{_END}"
    return re.compile(rf"(?:{begin})/((?:{_AREAS})/{_END}|{packages})")


def _paths(process: Path, pattern: re.Pattern[str]) -> set[str]:
    """What a process uses, relative to the prefix."""
    found = {path for text in _texts(process) for path in pattern.findall(_NOTHING.sub("/", text))}
    return {path for path in found if not path.endswith(("/.", "/.."))}


def _texts(process: Path) -> Iterator[str]:
    yield _text(process / "environ")  # the first: who may read that may read the rest
    yield _text(process / "maps")
    yield _text(process / "cmdline")
    with suppress(FileNotFoundError):
        for name in ("exe", "cwd", "root"):
            yield str((process / name).readlink())
    with suppress(FileNotFoundError):
        for descriptor in (process / "fd").iterdir():
            with suppress(FileNotFoundError):
                yield str(descriptor.readlink())


def _text(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")


def _words(process: Path) -> str:
    try:
        owner = user_name(process.stat().st_uid)
        command = _text(process / "comm").strip()
    except OSError:
        owner, command = "?", "?"
    shown = command if command.isprintable() else repr(command)
    return f"process {process.name} of {owner} ({shown})"


def user_name(number: int) -> str:
    """The name of a user, or the number where there is none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
