"""The virtual tree: directories, files whose contents stay where they are, and symbolic links."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from stackgen.errors import WorkError

_MOST_LINKS = 40
"""As the kernel has it: https://man7.org/linux/man-pages/man7/path_resolution.7.html"""
MOST_NODES = 2_000_000
"""Images have a tenth of it."""
_LONGEST_PATH = 4095
_LONGEST_NAME = 255


class Compiled(NamedTuple):
    """What the header of bytecode says of its source: seconds and bytes, both modulo 2**32."""

    seconds: int
    size: int


@dataclass(slots=True, eq=False, kw_only=True)
class File:
    """A file by the part with its contents and its position there; one File at two places is a hard link."""

    part: int
    index: int
    size: int
    mode: int
    seconds: int
    """When its source says that it was changed; what it gets is decided when all is merged."""
    compiled: Compiled | None = None


@dataclass(slots=True, eq=False)
class Link:
    """A symbolic link; its target may say anything."""

    target: str


@dataclass(slots=True, eq=False)
class Folder:
    """A directory; one that no source names, but paths lead through, has the usual mode."""

    mode: int = 0o755
    children: "dict[str, Node]" = field(default_factory=dict)


Node = File | Link | Folder


class Spot(NamedTuple):
    """A name in a directory, whether something is there or not; the root itself has no name."""

    folder: Folder
    name: str

    @property
    def node(self) -> Node | None:
        """What is there."""
        return self.folder.children.get(self.name) if self.name else self.folder


class PathError(Exception):
    """A path that cannot be followed; the text says what it does."""


class Nodes:
    """The tree in the making; paths are followed as `chroot` would, so nothing leads out of it."""

    def __init__(self) -> None:
        self.root = Folder()
        self._made = 0

    def spot(self, path: str, *, make: bool = True) -> Spot | None:
        """Where a path leads, its last name not followed; parents that lack are made, or nothing is given."""
        *parents, name = names_of(path) or [""]
        folder = self._followed(parents, make=make)
        return None if folder is None else Spot(folder, name)

    def folder(self, path: str, *, make: bool = True) -> Folder | None:
        """The directory that a path leads to, its last name followed too."""
        return self._followed(names_of(path), make=make)

    def look(self, path: str) -> Node | None:
        """What a path leads to, followed to the end; nothing where nothing is, or links lead in a circle."""
        try:
            *parents, name = names_of(path) or [""]
            for _ in range(_MOST_LINKS):
                folder = self._followed(parents, make=False)
                node = None if folder is None else Spot(folder, name).node
                if not isinstance(node, Link):
                    return node
                target = node.target.split("/")
                *parents, name = [*target] if node.target.startswith("/") else [*parents, *target]
                if name in ("", ".", ".."):
                    return self._followed([*parents, name], make=False)
        except PathError:
            return None
        return None

    def put(self, spot: Spot, node: Node) -> None:
        """Put something at its place, whatever was there."""
        self._made += 1
        if self._made > MOST_NODES:
            raise PathError(f"is one more than {MOST_NODES} files")
        spot.folder.children[spot.name] = node

    def _followed(self, names: list[str], *, make: bool) -> Folder | None:
        stack, pending, links = [self.root], names[::-1], 0
        while pending:
            name = pending.pop()
            if name in ("", "."):
                continue
            if name == "..":
                del stack[max(1, len(stack) - 1) :]  # the parent of the root is the root
                continue
            match stack[-1].children.get(name):
                case None if not make:
                    return None
                case None:
                    stack.append(made := Folder())
                    self.put(Spot(stack[-2], _checked(name)), made)
                case Folder() as folder:
                    stack.append(folder)
                case File() if not make:
                    return None
                case File():
                    raise PathError(f"leads through {name}, which is a file")
                case Link(target):
                    links += 1
                    if links > _MOST_LINKS:
                        raise PathError("leads through symbolic links in a circle")
                    del stack[1 if target.startswith("/") else len(stack) :]
                    pending.extend(target.split("/")[::-1])
        return stack[-1]

    def walk(self) -> Iterator[tuple[str, Node]]:
        """Each path below the root, without a `/` at its front, sorted, directories before what they hold."""
        pending: list[tuple[str, Node]] = _below("", self.root)
        while pending:
            path, node = pending.pop()
            if len(path.encode(errors="surrogateescape")) > _LONGEST_PATH:
                raise WorkError(f"the path {quoted(path)} is longer than {_LONGEST_PATH} bytes")
            yield path, node
            if isinstance(node, Folder):
                pending.extend(_below(f"{path}/", node))


def _below(front: str, folder: Folder) -> list[tuple[str, Node]]:
    return [(front + name, folder.children[name]) for name in sorted(folder.children, reverse=True)]


def names_of(path: str) -> list[str]:
    """The names of an archive's path, of which none leads upwards out of the root."""
    names: list[str] = []
    if len(path) > _LONGEST_PATH:
        raise PathError(f"is longer than {_LONGEST_PATH} bytes")
    for name in path.split("/"):
        if name == "..":
            if not names:
                raise PathError("leads out of the root")
            names.pop()
        elif name not in ("", "."):
            names.append(_checked(name))
    return names


def _checked(name: str) -> str:
    if "\0" in name:
        raise PathError("has a zero byte in its name")
    if len(name.encode(errors="surrogateescape")) > _LONGEST_NAME:
        raise PathError(f"has a name of more than {_LONGEST_NAME} bytes")
    return name


def quoted(name: str) -> str:
    """A name that a stranger chose, on one line that is not too long."""
    shown = name if len(name) < _LONGEST_NAME else f"{name[:60]}..."
    return shown if shown.isprintable() else repr(shown)
