"""Writing a tar archive whose headers say nothing of this machine, its users or its clock."""

import tarfile
from typing import BinaryIO

_BLOCK = 512


class TarWriter:
    """Headers in GNU's format: names are bytes there, and they and files as long as they like."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def directory(self, path: str, mode: int) -> None:
        """A directory."""
        header = _header(path, tarfile.DIRTYPE, mode)
        self._write(header)

    def link(self, path: str, target: str) -> None:
        """A symbolic link."""
        header = _header(path, tarfile.SYMTYPE, 0o777)
        header.linkname = target
        self._write(header)

    def hard_link(self, path: str, target: str) -> None:
        """Another name of a file that came before."""
        header = _header(path, tarfile.LNKTYPE, 0o644)
        header.linkname = target
        self._write(header)

    def file(self, path: str, mode: int, size: int, seconds: int) -> None:
        """The header of a file; its contents and `pad` have to follow."""
        header = _header(path, tarfile.REGTYPE, mode)
        header.size, header.mtime = size, seconds
        self._write(header)

    def pad(self, size: int) -> None:
        """Fill the last block of a file."""
        self._stream.write(bytes(-size % _BLOCK))

    def end(self) -> None:
        """What tells readers that nothing lacks."""
        self._stream.write(bytes(2 * _BLOCK))

    def _write(self, header: tarfile.TarInfo) -> None:
        self._stream.write(header.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape"))


def _header(path: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(path)
    header.type, header.mode = kind, mode
    return header
