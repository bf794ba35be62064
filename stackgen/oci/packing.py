"""Directories packed as one layer: the same content gives the same bytes, whoever packs it."""

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from stackgen import files
from stackgen.errors import InputError

EPOCH = 315532800
"""Seconds: 1980, as everywhere where nobody needs a time."""


class Counted(io.RawIOBase):
    """Counts and hashes what is written, and passes it on to a file, if there is one."""

    def __init__(self, out: BinaryIO | None) -> None:
        self.size, self.hash, self._out = 0, hashlib.sha256(), out

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, content: bytes) -> int:  # type: ignore[override]
        """All of it is taken."""
        self.size += len(content)
        self.hash.update(content)
        if self._out:
            self._out.write(content)
        return len(content)


def pack(
    directory: Path, out: BinaryIO | None = None, where: str = "", *, any_umask: bool = False
) -> tuple[str, int]:
    """Write a directory as a tar archive, or only measure it: its digest and its size in bytes.

    Owners and times are nobody's; a Python source keeps its time, which its bytecode names, unless it has to
    be the same whatever umask and time it came here with (`any_umask`). InputError where something is no
    file, directory or link.
    """
    counted = Counted(out)
    with (
        files.reported(f"cannot read {directory}"),
        tarfile.open(fileobj=counted, mode="w|", format=tarfile.PAX_FORMAT, bufsize=2**20) as archive,
    ):
        linked: dict[tuple[int, int], str] = {}
        for path in _below(directory, where):
            member = _member(path, path.relative_to(directory).as_posix())
            if any_umask:
                member.mtime, member.mode = EPOCH, _usual(member.mode) if path.is_file() else 0o755
            _add(archive, path, member, linked)
    return f"sha256:{counted.hash.hexdigest()}", counted.size


def _below(directory: Path, where: str) -> Iterator[Path]:
    """Everything, sorted by path, directories before what they hold; no link is followed."""
    pending = _entries(directory)
    while pending:
        entry = pending.pop()
        mode = entry.stat(follow_symlinks=False).st_mode
        path = Path(entry.path)
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)):
            if stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode):
                continue  # whoever listened there is not in the image
            raise InputError.of(
                f"{path} is a device", "remove it: an image gets its devices from the machine", where=where
            )
        yield path
        if stat.S_ISDIR(mode):
            pending += _entries(path)


def _entries(directory: Path) -> list[os.DirEntry[str]]:
    """What a directory holds, the first one last."""
    with os.scandir(directory) as entries:
        return sorted(entries, key=lambda entry: os.fsencode(entry.name), reverse=True)


def _member(path: Path, name: str) -> tarfile.TarInfo:
    status = path.lstat()
    member = tarfile.TarInfo(name)
    member.mtime = int(status.st_mtime) if name.endswith(".py") else EPOCH
    member.mode = stat.S_IMODE(status.st_mode) & 0o777
    return member


def _usual(mode: int) -> int:
    return 0o755 if mode & 0o111 else 0o644


def _add(
    archive: tarfile.TarFile, path: Path, member: tarfile.TarInfo, linked: dict[tuple[int, int], str]
) -> None:
    status = path.lstat()
    if stat.S_ISDIR(status.st_mode):
        member.type = tarfile.DIRTYPE
        archive.addfile(member)
    elif stat.S_ISLNK(status.st_mode):
        member.type, member.linkname, member.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
        archive.addfile(member)
    elif status.st_nlink > 1 and (first := linked.get((status.st_dev, status.st_ino))):
        member.type, member.linkname = tarfile.LNKTYPE, first
        archive.addfile(member)
    else:
        linked[status.st_dev, status.st_ino] = member.name
        member.size = status.st_size
        with path.open("rb") as source:
            archive.addfile(member, source)
