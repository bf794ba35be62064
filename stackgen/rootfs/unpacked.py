"""Archives on their way out of their packing, watched: what they were said to be, and no bombs."""

import bz2
import gzip
import hashlib
import lzma
import sys
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from stackgen import files
from stackgen.errors import WorkError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_HARMLESS = 2**30
"""Bytes that an archive may have, however small it is packed."""
_MOST_TIMES = 200
"""How many times its packed size it may have beyond; gzip reaches 1000 for zeros, software has 2 to 10."""
_XZ = b"\xfd7zXZ\0"
_LONGEST_MAGIC = len(_XZ)


class BrokenError(Exception):
    """An archive that is not what it should be; tarfile would take errors of its own kinds for its end."""


@contextmanager
def sound(name: str) -> Iterator[None]:
    """Turn all that a broken archive lets Python's readers raise into one WorkError."""
    told = (tarfile.TarError, zlib.error, lzma.LZMAError, zstd.ZstdError, BrokenError, EOFError)
    untold = (ValueError, OverflowError, RecursionError, IndexError, KeyError)
    try:
        with files.reported(f"cannot read {name}"), _told_of_packing():
            yield
    except told as error:
        reason = str(error).partition("\n")[0] or "it ends too soon"
        raise WorkError(f"{name} is not a whole archive: {reason}", "get it anew") from None
    except untold:  # from numbers in headers that are none, and headers of headers without end
        raise WorkError(f"{name} is not a whole archive: a header in it is broken", "get it anew") from None


@contextmanager
def _told_of_packing() -> Iterator[None]:
    """gzip and bz2 speak of broken archives as if the operating system did, but without its number."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise BrokenError(str(error)) from None
        raise


class Unpacked:
    """The bytes of an archive without its packing, read forwards."""

    def __init__(self, packed: BinaryIO, *, hashed: bool = False) -> None:
        self._packed = _Counted(packed)
        self._stream = _unpacking(self._packed)
        self._size = 0
        self._digest = hashlib.sha256() if hashed else None
        self.allowance: int | None = None
        """How many bytes more may be read, where not all: headers are read into memory as they come."""

    def read(self, size: int) -> bytes:
        """As many bytes, fewer at the end; BrokenError where they are more than there can be."""
        chunk = self._stream.read(size)
        self._size += len(chunk)
        if self._digest:
            self._digest.update(chunk)
        if self._size > _HARMLESS and self._size > _MOST_TIMES * self._packed.size:
            raise BrokenError(f"it unpacks to more than {_MOST_TIMES} times its size")
        if self.allowance is not None:
            self.allowance -= len(chunk)
            if self.allowance < 0:
                raise BrokenError("a header in it is too large")
        return chunk

    def finish(self) -> str:
        """Read what is left, so that checksums at the end are looked at; the digest of all."""
        while self.read(2**20):
            pass
        return f"sha256:{self._digest.hexdigest()}" if self._digest else ""


class _Counted:
    """A stream that says how many bytes were read, and whose first ones can be looked at."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.size = stream, 0
        self.head = stream.read(_LONGEST_MAGIC)
        self._kept = self.head

    def read(self, size: int = -1) -> bytes:
        if self._kept:
            size = len(self._kept) if size < 0 else size  # a part is enough for all who read on
            chunk, self._kept = self._kept[:size], self._kept[size:]
        else:
            chunk = self._stream.read(size)
        self.size += len(chunk)
        return chunk


def _unpacking(packed: _Counted) -> BinaryIO:
    """By the first bytes: what media types and names say of the packing is not always so."""
    stream = cast(BinaryIO, packed)
    match packed.head:
        case head if head.startswith(b"\x1f\x8b"):
            return cast(BinaryIO, gzip.GzipFile(fileobj=stream, mode="rb"))
        case head if head.startswith(b"\x28\xb5\x2f\xfd") or head[1:4] == b"\x2a\x4d\x18":
            return cast(BinaryIO, zstd.ZstdFile(stream))
        case head if head.startswith(_XZ):
            return cast(BinaryIO, lzma.LZMAFile(stream))
        case head if head.startswith(b"BZh"):
            return cast(BinaryIO, bz2.BZ2File(stream))
    return stream
