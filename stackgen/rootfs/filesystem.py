"""A merged root file system: what is in it, and all of it as one tar stream, the same bytes every time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from stackgen.errors import WorkError
from stackgen.rootfs.nodes import File, Folder, Link, Node, Nodes
from stackgen.rootfs.parts import Part, copy
from stackgen.rootfs.tar import TarWriter
from stackgen.rootfs.times import kept_times

_MOST_READ = 2**26


class Kind(StrEnum):
    """What something in a root file system is."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing in a root file system."""

    path: str
    """Absolute."""
    kind: Kind
    mode: int
    """Permission bits; those of a symbolic link mean nothing."""
    size: int = 0
    target: str = ""
    """Of a symbolic link."""


class RootFs:
    """A root file system whose contents still lie in its sources; `told` is what was left out or changed."""

    def __init__(self, nodes: Nodes, parts: Sequence[Part], told: tuple[str, ...]) -> None:
        self._nodes, self._parts, self.told = nodes, parts, told
        self._times = kept_times(nodes)

    @property
    def mode(self) -> int:
        """The permission bits of the root directory."""
        return self._nodes.root.mode

    @property
    def newest(self) -> int:
        """The latest time of a file in it, in seconds of Unix; nearly all have none."""
        return max(self._times.values(), default=0)

    def __iter__(self) -> Iterator[Entry]:
        """All but the root, sorted, directories before what they hold."""
        return (_entry(f"/{path}", node) for path, node in self._nodes.walk())

    def look(self, path: str) -> Entry | None:
        """What a path leads to, symbolic links followed as inside; nothing where there is nothing."""
        node = self._nodes.look(path)
        return None if node is None else _entry(path, node)

    def names(self, directory: str) -> tuple[str, ...]:
        """What lies in a directory, sorted; nothing where there is no directory."""
        node = self._nodes.look(directory)
        return tuple(sorted(node.children)) if isinstance(node, Folder) else ()

    def read(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """The contents of those of these files that are there, links followed; one pass over the sources.

        WorkError where one has more than 64 MiB.
        """
        nodes = {path: self._nodes.look(path) for path in paths}
        found: dict[File, bytes] = {}
        wanted = {node: "" for node in nodes.values() if isinstance(node, File)}
        for file, _, stream in self._contents(wanted):
            if file.size > _MOST_READ:
                raise WorkError(f"a file of {file.size} bytes is too large to be read at once")
            found[file] = stream.read()
        return {path: found[node] for path, node in nodes.items() if isinstance(node, File)}

    def write(self, stream: BinaryIO) -> None:
        """Write all as one tar archive: directories and links sorted, then files as their sources have them.

        WorkError where a source is not what it was, or broken.
        """
        archive = TarWriter(stream)
        first: dict[File, str] = {}
        again: list[tuple[str, File]] = []
        for path, node in self._nodes.walk():
            match node:
                case Folder():
                    archive.directory(path, node.mode)
                case Link():
                    archive.link(path, node.target)
                case File() if node in first:
                    again.append((path, node))
                case File():
                    first[node] = path
        for file, path, content in self._contents(first):
            archive.file(path, file.mode, file.size, self._times.get(file, 0))
            copy(content, stream, file.size, path)
            archive.pad(file.size)
        for path, file in again:
            archive.hard_link(path, first[file])
        archive.end()

    def _contents(self, wanted: Mapping[File, str]) -> Iterator[tuple[File, str, BinaryIO]]:
        """Each file with its path and its contents, part by part, as they come."""
        by_part: dict[int, dict[int, File]] = {}
        for file in wanted:
            by_part.setdefault(file.part, {})[file.index] = file
        for number, files in sorted(by_part.items()):
            for index, content in self._parts[number].contents(files.keys()):
                yield files[index], wanted[files[index]], content


def _entry(path: str, node: Node) -> Entry:
    match node:
        case Folder():
            return Entry(path=path, kind=Kind.DIRECTORY, mode=node.mode)
        case Link():
            return Entry(path=path, kind=Kind.LINK, mode=0o777, target=node.target)
        case File():
            return Entry(path=path, kind=Kind.FILE, mode=node.mode, size=node.size)
