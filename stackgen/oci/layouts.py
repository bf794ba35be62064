"""Images that lie here: OCI layouts as directories and as archives, archives of Docker's."""

import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from stackgen import files
from stackgen.errors import InputError

_LARGEST_DOCUMENT = 8 * 2**20
"""Bytes."""
_BROKEN = (tarfile.TarError, ValueError, OverflowError, RecursionError)
"""What tarfile raises of headers that are broken: places that are none, headers of headers without end."""


class Members(Protocol):
    """Files by their paths in a directory or an archive."""

    def size(self, path: str) -> int | None:
        """Bytes; None where there is no such file."""
        ...

    def open(self, path: str) -> IO[bytes]:
        """A file that is there."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfDirectory:
    root: Path

    def size(self, path: str) -> int | None:
        place = self.root / path
        return place.stat().st_size if place.is_file() else None

    def open(self, path: str) -> IO[bytes]:
        return (self.root / path).open("rb")


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfArchive:
    archive: tarfile.TarFile
    members: dict[str, tarfile.TarInfo]

    def size(self, path: str) -> int | None:
        member = self._member(path)
        return member.size if member else None

    def open(self, path: str) -> IO[bytes]:
        member = self._member(path)
        stream = self.archive.extractfile(member) if member else None
        if stream is None:
            raise FileNotFoundError(2, "no such member", path)
        return stream

    def _member(self, path: str) -> tarfile.TarInfo | None:
        """A regular file, or the one that a link points to: `docker save` links equal layers."""
        for _ in range(8):
            member = self.members.get(path)
            if member is None or member.isreg():
                return member
            if member.issym():
                path = _joined(path, member.linkname)
            elif member.islnk():
                path = _plain(member.linkname)
            else:
                return None
        return None


def _plain(path: str) -> str:
    return "/".join(part for part in path.split("/") if part not in {"", "."})


def _joined(path: str, target: str) -> str:
    """Where a link of an archive points; empty where that is outside of it."""
    parts = path.split("/")[:-1]
    for part in target.split("/"):
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


@contextmanager
def members(place: Path, where: str) -> Iterator[Members]:
    """What is in a directory, or in an archive that is not compressed; InputError where it is neither."""
    with files.reported(f"cannot read {place}"):
        if place.is_dir():
            yield _OfDirectory(root=place)
            return
        if not place.exists():
            raise InputError.of(f"{place} is not there", "correct its name", where=where)
        with _opened(place, where) as archive:
            try:
                found = {_plain(member.name): member for member in archive}
            except _BROKEN as error:
                raise _no_archive(place, error, where) from None
            yield _OfArchive(archive=archive, members=found)


def _opened(place: Path, where: str) -> tarfile.TarFile:
    try:
        return tarfile.open(place, "r:")
    except _BROKEN as error:
        raise _no_archive(place, error, where) from None


def _no_archive(place: Path, error: Exception, where: str) -> InputError:
    remedy = "name an archive as `skopeo copy ... oci-archive:FILE` writes it, unpacked where it is a .gz"
    return InputError.of(f"{place} is no archive of an image: {error}", remedy, where=where)


def document(there: Members, path: str, what: str, where: str) -> bytes:
    """A small file; InputError where it is not there, or not small."""
    size = there.size(path)
    if size is None:
        raise InputError.of(f"{what} has no {path}", "have it made or copied again", where=where)
    if size > _LARGEST_DOCUMENT:
        raise InputError.of(f"{what} has {size} bytes in {path}", "have it made or copied again", where=where)
    with there.open(path) as stream:
        return stream.read()


def blob_path(digest: str) -> str:
    """Where a blob lies in a layout."""
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def is_layout(there: Members) -> bool:
    """Whether these files are an OCI layout."""
    return there.size("oci-layout") is not None and there.size("index.json") is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerArchive:
    """What `docker save` wrote: the paths of an image's configuration and layers."""

    config: str
    layers: tuple[str, ...]


def docker_archive(there: Members, what: str, where: str) -> DockerArchive:
    """The only image of an archive of Docker's; InputError where there are several."""
    content = document(there, "manifest.json", what, where)
    match _parsed(content):
        case [{"Config": str(config), "Layers": [*layers]}]:
            return DockerArchive(config=_plain(config), layers=tuple(_plain(str(layer)) for layer in layers))
        case [_, _, *_]:
            raise InputError.of(f"{what} holds several images", "save one alone", where=where)
    raise InputError.of(f"{what} is no archive of an image", "have it made or copied again", where=where)


def _parsed(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
