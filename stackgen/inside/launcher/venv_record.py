"""What an environment knows of itself, and how those who remove releases know of it."""

import contextlib
import fcntl
import hashlib
import json
import os
from typing import Any, Iterator, Mapping, NamedTuple, Optional

from stackgen.inside.launcher.description import Loadable, Site
from stackgen.inside.launcher.words import LauncherError

RECORD = ".stackgen-venv.json"
"""Its place in an environment."""
REGISTER = "registered"
"""Where users leave an entry below a prefix, if its admin has opened that."""


class VenvRecord(NamedTuple):
    """What an environment stands on."""

    state: str
    """`making` until all of it is there, then `made`."""
    prefix: str
    """Of all releases."""
    release: str
    module: str
    framework: str
    """The framework's own prefix."""
    python: str
    """Major and minor version."""


def new_record(site: Site, framework: Loadable) -> VenvRecord:
    """What is known when an environment is begun."""
    prefix = os.path.realpath(site.prefix)
    return VenvRecord("making", prefix, site.release, framework.module, framework.prefix, framework.python)


def record_of_venv(place: str) -> Optional[VenvRecord]:
    """What an environment says of itself; None where there is none of ours, made or half made."""
    try:
        with open(os.path.join(place, RECORD), encoding="utf-8") as stream:
            told = json.load(stream)
        found = VenvRecord(**{name: told[name] for name in VenvRecord._fields})
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return found if all(isinstance(value, str) for value in found) else None


def write_record(place: str, record: VenvRecord) -> None:
    """Say it, all of it or nothing."""
    beside = os.path.join(place, "{}.{}".format(RECORD, os.getpid()))
    with open(beside, "w", encoding="utf-8") as stream:
        json.dump(dict(record._asdict(), format=1), stream, indent=1)
        stream.write("\n")
    os.rename(beside, os.path.join(place, RECORD))


@contextlib.contextmanager
def writing_venv(place: str) -> Iterator[None]:
    """Be the only one who changes an environment, where its file system can tell; OSErrors in one line."""
    try:
        number = _locked_directory(place)
        try:
            yield
        finally:
            os.close(number)
    except OSError as error:
        text = "cannot write {}: {}; choose a directory of yours with room, or make room there"
        raise LauncherError(text.format(place, error.strerror or error), 1) from None


def _locked_directory(place: str) -> int:
    if os.path.lexists(place) and not os.path.isdir(place):
        raise LauncherError(f"{place} is a file; choose another name")
    if os.path.isdir(place) and os.listdir(place) and not os.path.lexists(os.path.join(place, RECORD)):
        raise LauncherError(f"{place} is there, and no environment of ours; choose another name")
    os.makedirs(place, exist_ok=True)
    number = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        raise LauncherError(f"another `venv` is at work on {place}; wait for it", 1) from None
    except OSError:  # not all file systems can
        pass
    return number


def register_venv(site: Site, place: str) -> None:
    """Tell those who remove releases that this one is needed, where they listen; never an error."""
    entry = {"format": 1, "kind": "venv", "place": place, "record": RECORD, "release": site.release}
    leave_entry(os.path.realpath(site.prefix), os.geteuid(), entry)


def leave_entry(prefix: str, owner: int, entry: Mapping[str, Any]) -> bool:
    """Note below a prefix what stands on a release of it, in one step; whether that could be done."""
    directory = os.path.join(prefix, REGISTER)
    place = hashlib.sha256(entry["place"].encode("utf-8")).hexdigest()[:32]
    name = "{}-{}.json".format(owner, place)
    beside = os.path.join(directory, ".{}.{}".format(name, os.getpid()))
    try:
        number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with open(number, "w", encoding="utf-8") as stream:
            os.fchmod(number, 0o644)  # whatever the umask: the admin reads it
            if owner != os.geteuid():
                with contextlib.suppress(OSError):  # by whoever is not root
                    os.fchown(number, owner, -1)  # or its owner could never write it anew
            json.dump(entry, stream)
            stream.write("\n")
        _rename(beside, os.path.join(directory, name))
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        return False
    return True


def _rename(beside: str, file: str) -> None:
    """Give an entry its name; where another's has it, whom nobody may replace, one that nobody foresees."""
    try:
        os.rename(beside, file)
    except PermissionError:
        other = "-{}.json".format(os.urandom(4).hex())
        os.rename(beside, file[: -len(".json")] + other)
