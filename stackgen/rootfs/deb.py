"""Where a Debian package has its files: https://man7.org/linux/man-pages/man5/deb.5.html.

Read here, since Python has no reader of the format and others seek in it: it is sixty bytes a member.
"""

import io
from typing import BinaryIO

from stackgen.rootfs.sources import Deb, Opener
from stackgen.rootfs.unpacked import BrokenError

_MAGIC = b"!<arch>\n"
_HEADER = 60
_MOST_BEFORE = 2**26
"""Of what comes before the files: scripts and descriptions."""


class _Slice(io.RawIOBase):
    """The next bytes of a stream, as a stream of its own."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self._left = stream, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        chunk = self._stream.read(min(len(buffer), self._left))
        if not chunk and self._left:
            raise EOFError("it ends too soon")
        buffer[: len(chunk)] = chunk
        self._left -= len(chunk)
        return len(chunk)

    def close(self) -> None:
        self._stream.close()
        super().close()


def data_archive(package: Deb) -> Opener:
    """Opens the archive of a package's files; what is no package is a BrokenError when it is opened."""
    return _archive(package, b"data.tar")


def control_archive(package: Deb) -> Opener:
    """Opens the archive of a package's description and scripts, as `data_archive` does that of its files."""
    return _archive(package, b"control.tar")


def _archive(package: Deb, name: bytes) -> Opener:
    def opened() -> BinaryIO:
        stream = package.open()
        try:
            return io.BufferedReader(_archive_in(stream, name), 2**20)
        except BaseException:
            stream.close()
            raise

    return opened


def _archive_in(stream: BinaryIO, name: bytes) -> _Slice:
    if stream.read(len(_MAGIC)) != _MAGIC:
        raise BrokenError("it is no Debian package")
    while header := stream.read(_HEADER):
        if len(header) < _HEADER or header[58:] != b"`\n" or not header[48:58].strip().isdigit():
            raise BrokenError("a header in it is broken")
        size = int(header[48:58])
        if header[:16].startswith(name):
            return _Slice(stream, size)
        if size > _MOST_BEFORE:
            raise BrokenError("its description is too large")
        stream.read(size + size % 2)
    raise BrokenError("it has no files")
