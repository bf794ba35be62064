"""Unpacking: only plain files, directories and links that stay inside, and only so many."""

import lzma
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Self

from stackgen import files
from stackgen.errors import WorkError
from stackgen.pins import Pin

ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2")
"""What the names of archives that can be read end with."""
_MOST_ENTRIES = 200_000
_MOST_BYTES = 2**30
_CHUNK = 2**20
_LONGEST_NAME = 2**16


def root_in(names: Iterator[str], pin: Pin) -> str | None:
    """The directory among these files (empty, or with a `/` at its end) that holds what is pinned."""
    found = [name for name in names if name == pin.sign or name.endswith(f"/{pin.sign}")]
    return min(found, key=len)[: -len(pin.sign)] if found else None


def unpack(archive: Path, pin: Pin, into: Path) -> bool:
    """Unpack of an archive what is pinned, unless it holds nothing of it; WorkError where it is not sound."""
    with _opened(archive) as source:
        members = _members(archive, source)
        root = root_in((member.name for member in members if member.isreg()), pin)
        if root is None:
            return False
        wanted = [member for member in members if member.name.startswith(root)]
        for member in sorted(wanted, key=lambda member: member.issym()):  # nothing is written through a link
            _place(archive, source, member, into, PurePosixPath(member.name[len(root) :]))
    return True


class _BombError(Exception):
    """tarfile takes an error of its own for a sign of another compression."""


class _Header(tarfile.TarInfo):
    """A header whose names and attributes, which are read into memory as they come, are no bomb."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.type not in tarfile.REGULAR_TYPES and header.size > _LONGEST_NAME:
            raise _BombError(f"a name or an attribute of {header.size} bytes")
        return header


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    try:
        with files.reported(f"cannot unpack {archive}"), tarfile.open(archive, tarinfo=_Header) as source:
            yield source
    except (_BombError, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError) as error:
        reason = str(error).partition("\n")[0].rstrip(":")  # then how each compression failed
        raise WorkError(f"{archive} is not a whole archive ({reason})", "copy it again") from None


def _members(archive: Path, source: tarfile.TarFile) -> list[tarfile.TarInfo]:
    members: list[tarfile.TarInfo] = []
    size = 0
    for member in source:
        size += member.size
        if len(members) >= _MOST_ENTRIES or size > _MOST_BYTES:
            raise WorkError(f"{archive} is far larger than Spack is", "name a release of Spack")
        members.append(member)
    return members


def _place(
    archive: Path, source: tarfile.TarFile, member: tarfile.TarInfo, into: Path, path: PurePosixPath
) -> None:
    if path.is_absolute() or ".." in path.parts:
        raise WorkError(f"{archive} holds {_quoted(member)}, which leads out of it", "do not trust it")
    target = into / path
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if member.issym():
        _link(archive, member, target, path)
    elif member.isreg():
        stream = source.extractfile(member)
        assert stream is not None
        with stream, target.open("xb") as written:
            shutil.copyfileobj(stream, written, _CHUNK)
        target.chmod(0o755 if member.mode & 0o100 else 0o644)
    else:
        raise WorkError(f"{archive} holds {_quoted(member)}, which is no plain file", "do not trust it")


def _quoted(member: tarfile.TarInfo) -> str:
    """A name that a stranger chose, on one line."""
    return member.name if member.name.isprintable() else repr(member.name)


def _link(archive: Path, member: tarfile.TarInfo, target: Path, path: PurePosixPath) -> None:
    end = os.path.normpath(path.parent / member.linkname)
    if os.path.isabs(member.linkname) or end.split("/")[0] == "..":  # noqa: PTH117
        raise WorkError(f"{archive} holds {_quoted(member)}, a link that leads out of it", "do not trust it")
    target.symlink_to(member.linkname)
