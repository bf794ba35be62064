"""What users have that stands on a release: they leave a file in PREFIX/registered, if its admin opened that.

Everybody may write there, so nothing that lies there is believed: what an entry names has to belong to the
entry's owner, and to say the same. What somebody of PREFIX, or root, has put there may belong to anybody.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, StringConstraints, ValidationError

from stackgen import files
from stackgen.errors import WorkError
from stackgen.inside.launcher.venv_record import REGISTER, leave_entry
from stackgen.model.base import Strict, refuse
from stackgen.model.scalars import ReleaseName

_LARGEST = 2**20
"""Bytes of an entry, or of a record; either may list a thousand packages."""
_MODE = 0o1777
_UNSEEN = {
    errno.EACCES,
    errno.EPERM,
    errno.ESTALE,
    errno.EIO,
    errno.ENOTCONN,
    errno.ETIMEDOUT,
    errno.EHOSTDOWN,
}
"""What says nothing of whether something is there, as in a home that root may not look into."""


def _plain(text: str) -> str:
    if not text.isprintable() or not text.startswith("/") or ".." in PurePosixPath(text).parts:
        raise refuse("it is no plain absolute path", "register it again")
    return text


def _inside(text: str) -> str:
    if not text.isprintable() or text.startswith("/") or ".." in PurePosixPath(text).parts:
        raise refuse("it is no path inside", "register it again")
    return text


_Hashes = tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{32}$")], ...]


class Entry(Strict):
    """What a file in PREFIX/registered says."""

    format: Literal[1] = 1
    kind: Literal["stack", "venv"]
    place: Annotated[str, AfterValidator(_plain)]
    """What stands on the release: the release of another stack, or a virtual environment."""
    record: Annotated[str, AfterValidator(_inside)]
    """The file in that place which says the same."""
    release: ReleaseName
    packages: _Hashes = ()
    """As in the record, for who may not look into a home, as root on a file system of the network."""


class Record(Strict):
    """What something says of itself that stands on a release; what else it says is its own."""

    model_config = ConfigDict(extra="ignore")

    prefix: str
    release: str
    packages: _Hashes = ()
    """The hashes of what Spack has built there and it uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """An entry as it was found; `fault` says why it does not count."""

    file: Path
    owner: int
    entry: Entry | None = None
    fault: str = ""
    gone: bool = False
    """Whether there is nothing any more that it names, or nothing that can be read."""
    packages: tuple[str, ...] = ()


def open_register(prefix: Path) -> Path:
    """Let everybody leave entries below a prefix, and nobody touch those of others."""
    place = prefix / REGISTER
    with files.reported(f"cannot open {place}"):
        place.mkdir(exist_ok=True)
        place.chmod(_MODE)
    return place


def register(prefix: Path, entry: Entry, owner: int | None = None) -> bool:
    """Leave an entry; whether that could be done. Who cannot need not: the admin may, or pins the release."""
    without = set() if entry.packages else {"packages"}
    said = entry.model_dump(mode="json", exclude=without)
    return leave_entry(str(prefix), os.geteuid() if owner is None else owner, said)


def registered(prefix: Path) -> Iterator[Registered]:
    """Every entry below a prefix, looked at with distrust; sorted by its file's name.

    WorkError where there is a register that cannot be read.
    """
    trusted = {0, prefix.stat().st_uid}
    place = prefix / REGISTER
    if place.is_symlink():
        raise WorkError(f"{place} is a link", "have a directory there: users leave their entries in it")
    with files.reported(f"cannot read {place}"):
        found = sorted(place.iterdir()) if place.exists() else []
    for file in found:
        if not file.name.startswith("."):
            with suppress(FileNotFoundError):
                yield _looked_at(file, prefix, trusted)


def _looked_at(file: Path, prefix: Path, trusted: set[int]) -> Registered:
    owner = file.lstat().st_uid
    try:
        text, owner = _read(file)
        entry = Entry.model_validate_json(text)
    except ValidationError:
        return Registered(file=file, owner=owner, fault="it is no entry")
    except (OSError, ValueError) as error:
        return Registered(file=file, owner=owner, fault=_words(error))
    return _compared(file, owner, entry, prefix, trusted)


def _compared(file: Path, owner: int, entry: Entry, prefix: Path, trusted: set[int]) -> Registered:
    """Whether what an entry names is its owner's, and says the same."""
    try:
        text, whose = _read(Path(entry.place, entry.record))
    except OSError as error:
        gone = error.errno not in _UNSEEN and error.errno != errno.ELOOP
        fault = "its record is a link" if error.errno == errno.ELOOP else ""
        return Registered(
            file=file, owner=owner, entry=entry, gone=gone and not fault, fault=fault, packages=entry.packages
        )
    except ValueError:
        return Registered(file=file, owner=owner, entry=entry, gone=True, packages=entry.packages)
    if whose != owner and owner not in trusted:
        return Registered(file=file, owner=owner, entry=entry, fault="it names what belongs to another user")
    try:
        record = Record.model_validate_json(text)
    except ValidationError:  # half a file, after a full disk: what it is of may well be needed
        return Registered(file=file, owner=whose, entry=entry, gone=True, packages=entry.packages)
    if record.release != entry.release or not _is_same(record.prefix, prefix):
        return Registered(file=file, owner=owner, entry=entry, gone=True, packages=entry.packages)
    packages = (*record.packages, *entry.packages)
    return Registered(file=file, owner=whose, entry=entry, packages=packages)


def _is_same(prefix: str, other: Path) -> bool:
    return os.path.realpath(prefix) == os.path.realpath(other)


def _read(file: Path) -> tuple[bytes, int]:
    """The bytes of a plain file and its owner; no link is followed, and nothing else is opened to be read.

    Opening alone does something to some devices: it rewinds a tape, and starts a watchdog.
    """
    place = os.open(file, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status = os.fstat(place)
        if stat.S_ISLNK(status.st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is no plain file")
        if status.st_size > _LARGEST:
            raise ValueError("it is too large")
        with open(f"/proc/self/fd/{place}", "rb") as stream:  # noqa: PTH123 - a link to what was looked at
            return stream.read(_LARGEST), status.st_uid
    finally:
        os.close(place)


def _words(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return "it is a link" if error.errno == errno.ELOOP else f"it cannot be read: {error.strerror}"
    return str(error)
