"""A tar archive, packed or not, read forwards twice: its headers first, some of its contents later."""

import tarfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, BinaryIO, Self, cast

from stackgen.errors import WorkError
from stackgen.rootfs.nodes import MOST_NODES, Compiled
from stackgen.rootfs.parts import HEADER, Member, Type, compiled
from stackgen.rootfs.sources import Opener
from stackgen.rootfs.unpacked import BrokenError, Unpacked, sound

_BUFFER = 2**20
_LARGEST_HEADER = 2**23
"""With names, attributes and the map of a file with holes."""


class _Header(tarfile.TarInfo):
    """A header that is either right or an error: tarfile takes a broken one in the middle for the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.InvalidHeaderError:  # type: ignore[attr-defined]
            raise BrokenError("a header in it is broken") from None
        except tarfile.TruncatedHeaderError:  # type: ignore[attr-defined]
            raise BrokenError("it ends too soon") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivePart:
    """The members of an archive; its `diff_id` is what it must be unpacked, where somebody says it."""

    name: str
    open: Opener
    diff_id: str = ""

    def members(self) -> Iterator[Member]:
        """All members; WorkError where the archive is broken, or not what was said."""
        with self._opened(hashed=bool(self.diff_id)) as unpacked, sound(self.name):
            for index, header, archive in _headers(unpacked):
                if index >= MOST_NODES:
                    raise BrokenError(f"it has more than {MOST_NODES} members")
                yield _member(index, header, archive)
            found = unpacked.finish()
        if found != self.diff_id:
            raise WorkError(f"{self.name} is {found}, where the image says {self.diff_id}", "get it anew")

    def contents(self, wanted: Collection[int]) -> Iterator[tuple[int, BinaryIO]]:
        """The files that are wanted, up to the last one."""
        last = max(wanted)
        with self._opened() as unpacked, sound(self.name):
            for index, header, archive in _headers(unpacked):
                if index in wanted:
                    yield index, cast(BinaryIO, _Content(archive.extractfile(header), self.name))
                if index == last:
                    return

    @contextmanager
    def _opened(self, *, hashed: bool = False) -> Iterator[Unpacked]:
        with sound(self.name):
            packed = self.open()
        try:
            with sound(self.name):
                unpacked = Unpacked(packed, hashed=hashed)
            yield unpacked
        finally:
            packed.close()


def _headers(unpacked: Unpacked) -> Iterator[tuple[int, tarfile.TarInfo, tarfile.TarFile]]:
    """Each header with its position, until the archive's end."""
    unpacked.allowance = _LARGEST_HEADER  # opening reads the first one
    stream = cast(BinaryIO, unpacked)
    with tarfile.open(fileobj=stream, mode="r|", bufsize=_BUFFER, tarinfo=_Header) as archive:
        header, index = archive.next(), 0
        while header:
            unpacked.allowance = None
            yield index, header, archive
            _pass(archive)
            archive.members.clear()  # type: ignore[attr-defined] # tarfile keeps them all
            unpacked.allowance = _LARGEST_HEADER
            header, index = archive.next(), index + 1
    unpacked.allowance = None


def _pass(archive: tarfile.TarFile) -> None:
    """Go past a file's contents; tarfile would go on beyond the end, for as long as a header says."""
    stream = archive.fileobj
    assert stream
    left = archive.offset - stream.tell()
    while left > 0:
        chunk = stream.read(min(left, _BUFFER))
        if not chunk:
            raise BrokenError("it ends too soon")
        left -= len(chunk)


def _member(index: int, header: tarfile.TarInfo, archive: tarfile.TarFile) -> Member:
    if header.size < 0:
        raise BrokenError(f"a file of {header.size} bytes")
    return Member(
        name=header.name,
        type=_type(header),
        index=index,
        mode=header.mode,
        size=header.size,
        seconds=int(header.mtime),
        target=header.linkname,
        compiled=_compiled(header, archive),
    )


def _type(header: tarfile.TarInfo) -> Type:
    if header.isreg():
        return Type.FILE
    if header.isdir():
        return Type.DIRECTORY
    if header.issym():
        return Type.LINK
    return Type.HARD_LINK if header.islnk() else Type.OTHER


def _compiled(header: tarfile.TarInfo, archive: tarfile.TarFile) -> Compiled | None:
    content = archive.extractfile(header) if header.isreg() and header.name.endswith(".pyc") else None
    return compiled(header.name, content.read(HEADER)) if content else None


class _Content:
    """A file of an archive, whose end may come too soon."""

    def __init__(self, stream: IO[bytes] | None, name: str) -> None:
        assert stream
        self._stream, self._name = stream, name

    def read(self, size: int = -1) -> bytes:
        with sound(self._name):
            return self._stream.read(size)
