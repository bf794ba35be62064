"""Merging sources into one root file system: what replaces what, and what is left out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stackgen.errors import WorkError
from stackgen.rootfs.archive import ArchivePart
from stackgen.rootfs.deb import data_archive
from stackgen.rootfs.filesystem import RootFs
from stackgen.rootfs.nodes import File, Folder, Link, Nodes, PathError, Spot, names_of, quoted
from stackgen.rootfs.parts import DirectoryPart, Member, Part, TextsPart, Type
from stackgen.rootfs.sources import Debs, Directory, Layers, Source, Texts

_SETS_ID = 0o6000
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_LONGEST_TARGET = 4095
_MOST_BYTES = 2**38


@dataclass(frozen=True, slots=True)
class _Step:
    """A part, and how it treats what came before."""

    part: Part
    layered: bool = False
    """Of an image: it has whiteouts, and its directories replace links; others follow them, as dpkg does."""


def root_file_system(sources: Iterable[Source]) -> RootFs:
    """All sources in one tree, the later ones over the earlier; reads headers, and no contents.

    WorkError where a source is broken or names what lies outside of the root.
    """
    merging = _Merging()
    for source in sources:
        for step in _steps(source):
            merging.add(step)
    return RootFs(merging.nodes, merging.parts, tuple(merging.told))


def _steps(source: Source) -> Iterator[_Step]:
    match source:
        case Layers(image=image, layers=layers):
            for layer in layers:
                name = f"{image}: {layer.name}"
                yield _Step(ArchivePart(name=name, open=layer.open, diff_id=layer.diff_id), layered=True)
        case Debs(packages=packages, merged=merged):
            usr = tuple(f"usr/{name}" for name in merged)
            yield _Step(TextsPart(Texts(directories=usr, links=dict(zip(merged, usr, strict=True)))))
            for package in packages:
                yield _Step(ArchivePart(name=f"package {package.name}", open=data_archive(package)))
        case Directory():
            yield _Step(DirectoryPart(source))
        case Texts():
            yield _Step(TextsPart(source))


class _Merging:
    """The tree in the making, and what is told of it."""

    def __init__(self) -> None:
        self.nodes = Nodes()
        self.parts: list[Part] = []
        self.told: list[str] = []
        self._bytes = 0

    def add(self, step: _Step) -> None:
        """Put all of a part in."""
        self.parts.append(step.part)
        members = self._whitened(step) if step.layered else step.part.members()
        for member in members:
            self._member(step, member)

    def _whitened(self, step: _Step) -> list[Member]:
        """What a layer has but whiteouts, which hide what lies below by now, but not what it has itself."""
        members = list(step.part.members())
        own = [member for member in members if not _is_whiteout(member)]
        for member in own:
            if member.type == Type.DIRECTORY:
                self._clear(step, member)
        for member in members:
            if _is_whiteout(member):
                self._whiteout(step, member)
        return own

    def _clear(self, step: _Step, member: Member) -> None:
        """Let a directory replace what is none, or whiteouts in it would be for what a link leads to."""
        try:
            spot = self.nodes.spot(member.name, make=False)
            if spot and isinstance(spot.node, File | Link):
                self.nodes.put(spot, Folder())
        except PathError as error:
            raise _refused(step, member, error) from None

    def _whiteout(self, step: _Step, member: Member) -> None:
        front, _, name = member.name.rpartition("/")
        try:
            folder = self.nodes.folder("/".join(names_of(front)), make=False)
        except PathError as error:
            raise _refused(step, member, error) from None
        if folder and name == _OPAQUE:
            folder.children.clear()
        elif folder:
            folder.children.pop(name.removeprefix(_WHITEOUT), None)

    def _member(self, step: _Step, member: Member) -> None:
        try:
            spot = self.nodes.spot(member.name)
            assert spot
            self._place(step, member, spot)
        except PathError as error:
            raise _refused(step, member, error) from None

    def _place(self, step: _Step, member: Member, spot: Spot) -> None:
        if not spot.name and member.type != Type.DIRECTORY:
            raise PathError("would replace the root")
        match member.type:
            case Type.DIRECTORY:
                self._directory(step, member, spot)
            case Type.FILE:
                self.nodes.put(spot, self._file(step, member))
            case Type.LINK:
                self._link(step, member, spot)
            case Type.HARD_LINK:
                self._hard_link(step, member, spot)
            case Type.OTHER:
                spot.folder.children.pop(spot.name, None)
                self._tell(step, member, "is left out: a device, a pipe or a socket")

    def _directory(self, step: _Step, member: Member, spot: Spot) -> None:
        node = spot.node
        if isinstance(node, Link) and not step.layered:
            self.nodes.folder(member.name)  # made where it is not there; its mode is of whoever made it
            return
        if not isinstance(node, Folder):
            node = Folder()
            self.nodes.put(spot, node)
        node.mode = member.mode & 0o1777

    def _file(self, step: _Step, member: Member) -> File:
        self._bytes += member.size
        if self._bytes > _MOST_BYTES:
            raise PathError(f"is one more than {_MOST_BYTES >> 30} GiB hold")
        if member.mode & _SETS_ID:
            self._tell(step, member, "has lost its setuid and setgid bits")
        return File(
            part=len(self.parts) - 1,
            index=member.index,
            size=member.size,
            mode=member.mode & 0o777,
            seconds=member.seconds,
            compiled=member.compiled,
        )

    def _link(self, step: _Step, member: Member, spot: Spot) -> None:
        target = member.target
        if not target or "\0" in target or len(target.encode(errors="surrogateescape")) > _LONGEST_TARGET:
            raise PathError("is a symbolic link to nothing that can be named")
        if isinstance(spot.node, Folder) and not step.layered:
            return  # https://www.debian.org/doc/debian-policy/ch-files.html: a directory stays one
        self.nodes.put(spot, Link(target))

    def _hard_link(self, step: _Step, member: Member, spot: Spot) -> None:
        target = self.nodes.spot(member.target, make=False)
        node = target.node if target else None
        if node is None or isinstance(node, Folder):
            raise PathError(f"is a hard link to {quoted(member.target)}, which is no file")
        self.nodes.put(spot, node)

    def _tell(self, step: _Step, member: Member, what: str) -> None:
        self.told.append(f"{step.part.name}: {quoted(member.name)} {what}")


def _is_whiteout(member: Member) -> bool:
    return member.name.rpartition("/")[2].startswith(_WHITEOUT)


def _refused(step: _Step, member: Member, error: PathError) -> WorkError:
    return WorkError(f"{step.part.name}: {quoted(member.name)} {error}", "do not trust it")
