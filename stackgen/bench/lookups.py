"""How often programs ask a file system for files, out of a trace by strace; what they ask inside an image is
not counted, since that asks the image."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

CALLS = "%file,setns,pivot_root,chroot,clone,clone3,fork,vfork"
"""What strace has to watch: who asks for files, who goes into an image, and whose child goes with it."""
OPTIONS = ("strace", "-f", "-y", "-s", "4096", "-e", f"trace={CALLS}")

_LINE = re.compile(r"(?P<pid>\d+) +(?:<\.\.\. )?(?P<call>\w+)(?P<rest>[( ].*)")
_CHILD = re.compile(r"= (\d+)(?:<[^>]*>)?$")
_AT = re.compile(r'\((?:AT_FDCWD|\d+)<(?P<directory>[^>]*)>, "(?P<path>[^"]*)"')
_PATH = re.compile(r'[(,] ?"(?P<path>[^"]*)"')
_IS_MOUNTS = re.compile(r"<mnt:|/ns/mnt>|CLONE_NEWNS")
"""What `setns` is told that leads to other mounts; its flag may be 0, for any namespace."""
_FORKS = frozenset({"clone", "clone3", "fork", "vfork"})
_OPENS = frozenset({"open", "openat", "openat2", "creat"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """How many files were opened, and how many were asked for at all, each as often as it was."""

    opened: int
    looked_up: int


def lookups(trace: str, places: Iterable[Path]) -> Lookups:
    """What was asked for below some directories of this machine, by their own names or their real ones."""
    roots = {str(path) for place in places for path in (place, place.resolve())}
    found = [call for call in _outside(trace.splitlines()) if _is_below(call.path, roots)]
    return Lookups(opened=sum(call.opened for call in found), looked_up=len(found))


@dataclass(frozen=True, slots=True)
class _Call:
    path: str
    opened: bool


def _outside(lines: Iterable[str]) -> Iterator[_Call]:
    """The calls that name a file, of processes that are not in an image yet."""
    inside: set[str] = set()
    begun: dict[str, str] = {}
    for line in lines:
        told = _LINE.match(line)
        if told is None:
            continue
        pid, call, rest = told["pid"], told["call"], told["rest"]
        if rest.endswith("<unfinished ...>"):
            begun[pid] = rest.removesuffix("<unfinished ...>")
            continue
        if "resumed>" in rest:
            rest = begun.pop(pid, "") + rest.partition("resumed>")[2]
        if call in _FORKS:
            child = _CHILD.search(rest)
            inside |= {child[1]} if child and pid in inside else set()
        elif call in {"pivot_root", "chroot"} or (call == "setns" and _IS_MOUNTS.search(rest)):
            inside.add(pid)
        elif pid not in inside and (path := _path(rest)):
            yield _Call(path, call in _OPENS and re.search(r"\) += \d", rest) is not None)


def _path(rest: str) -> str:
    """The file that a call names, from the root on; empty where it names none."""
    if relative := _AT.search(rest):
        return str(Path(relative["directory"], relative["path"]))
    plain = _PATH.search(rest)
    return plain["path"] if plain else ""


def _is_below(path: str, roots: Iterable[str]) -> bool:
    return any(path == root or path.startswith(f"{root}/") for root in roots)
