"""A part of a source as two passes see it: its members by name first, the contents of its files later."""

import io
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import BinaryIO, Protocol

from stackgen import files
from stackgen.errors import WorkError
from stackgen.rootfs.nodes import Compiled
from stackgen.rootfs.sources import Directory, Texts

_CHUNK = 2**20
HEADER = 16
"""Bytes of bytecode's header."""


class Type(Enum):
    """What a member asks to be made."""

    FILE = auto()
    DIRECTORY = auto()
    LINK = auto()
    HARD_LINK = auto()
    OTHER = auto()
    """A device, a pipe or a socket: left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One thing in a part, as the part says it; nothing of it is trusted."""

    name: str
    type: Type
    index: int = 0
    mode: int = 0o755
    size: int = 0
    seconds: int = 0
    target: str = ""
    compiled: Compiled | None = None


class Part(Protocol):
    """What can be read twice; each member's `index` names its contents."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    def members(self) -> Iterator[Member]:
        """All of its members; to be read to the end, or what is broken may stay unseen."""
        ...

    def contents(self, wanted: Collection[int]) -> Iterator[tuple[int, BinaryIO]]:
        """The contents of some members, in the part's order; each is read before the next is asked for."""
        ...


def compiled(name: str, head: bytes) -> Compiled | None:
    """What bytecode says of its source's time, where it is such; https://peps.python.org/pep-0552/."""
    if not name.endswith(".pyc") or len(head) < HEADER or head[2:4] != b"\r\n" or any(head[4:8]):
        return None
    return Compiled(*(int.from_bytes(head[at : at + 4], "little") for at in (8, 12)))


def copy(source: BinaryIO, target: BinaryIO, size: int, name: str) -> None:
    """Copy as many bytes as a file was said to have; WorkError where it has fewer by now."""
    left = size
    while left:
        chunk = source.read(min(left, _CHUNK))
        if not chunk:
            raise changed(name)
        target.write(chunk)
        left -= len(chunk)


def changed(name: str) -> WorkError:
    """Somebody writes where only stackgen should."""
    return WorkError(f"{name} was changed while it was read", "run the same command again")


class DirectoryPart:
    """A directory of this machine, or one file; what changes between the passes is found out."""

    def __init__(self, source: Directory) -> None:
        self.name = str(source.path)
        self._source = source
        self._paths: list[tuple[str, int]] = []

    def members(self) -> Iterator[Member]:
        """All below the directory, sorted, each at its place inside and then at the second one."""
        at, also = self._source.at, self._source.also_at
        with files.reported(f"cannot read {self._source.path}"):
            for path, below in _walked(os.path.realpath(self._source.path)):
                member = self._member(path, at + below)
                yield member
                if also and member.type != Type.OTHER:
                    yield _again(member, also + below)

    def _member(self, path: str, name: str) -> Member:
        state = os.lstat(path)
        if stat.S_ISDIR(state.st_mode):
            return Member(name=name, type=Type.DIRECTORY, mode=state.st_mode)
        if stat.S_ISLNK(state.st_mode):
            return Member(name=name, type=Type.LINK, target=_text(os.readlink(path)))  # noqa: PTH115
        if not stat.S_ISREG(state.st_mode):
            return Member(name=name, type=Type.OTHER)
        self._paths.append((path, state.st_size))
        return Member(
            name=name,
            type=Type.FILE,
            index=len(self._paths) - 1,
            mode=state.st_mode,
            size=state.st_size,
            seconds=int(state.st_mtime),
            compiled=_compiled_at(path),
        )

    def contents(self, wanted: Collection[int]) -> Iterator[tuple[int, BinaryIO]]:
        """The files, each opened for as long as it is read."""
        for index, (path, size) in enumerate(self._paths):
            if index not in wanted:
                continue
            with files.reported(f"cannot read {path}"), open(path, "rb") as stream:  # noqa: PTH123
                if os.fstat(stream.fileno()).st_size != size:
                    raise changed(path)
                yield index, stream


def _again(member: Member, name: str) -> Member:
    if member.type == Type.FILE:
        return Member(name=name, type=Type.HARD_LINK, target=member.name)
    return replace(member, name=name)


def _walked(path: str) -> Iterator[tuple[str, str]]:
    """Each path with what follows the first one in it, sorted by names; as deep as they go."""
    pending = [(path, "")]
    while pending:
        here, below = pending.pop()
        yield here, _text(below)
        if os.path.isdir(here) and not os.path.islink(here):  # noqa: PTH112, PTH114 - this loop is hot
            names = sorted(os.listdir(here), reverse=True)  # noqa: PTH208
            pending.extend((f"{here}/{name}", f"{below}/{name}") for name in names)


def _compiled_at(path: str) -> Compiled | None:
    if not path.endswith(".pyc"):
        return None
    with open(path, "rb") as stream:  # noqa: PTH123
        return compiled(path, stream.read(HEADER))


def _text(name: str) -> str:
    """A name of this machine's file system in the encoding of the archive."""
    return os.fsencode(name).decode("utf-8", "surrogateescape")


class TextsPart:
    """What is written here."""

    name = "stackgen's own files"

    def __init__(self, source: Texts) -> None:
        self._source = source
        self._contents = tuple(file.text.encode() for file in source.tree.values())

    def members(self) -> Iterator[Member]:
        """Files, directories and links."""
        for index, (path, file) in enumerate(self._source.tree.items()):
            size = len(self._contents[index])
            yield Member(name=path, type=Type.FILE, index=index, mode=file.mode, size=size)
        for path in sorted(self._source.directories):
            yield Member(name=path, type=Type.DIRECTORY)
        for path, target in sorted(self._source.links.items()):
            yield Member(name=path, type=Type.LINK, target=target)

    def contents(self, wanted: Collection[int]) -> Iterator[tuple[int, BinaryIO]]:
        """The files' texts."""
        for index, content in enumerate(self._contents):
            if index in wanted:
                yield index, io.BytesIO(content)
