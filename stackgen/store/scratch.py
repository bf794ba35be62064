"""The place where packages are compiled: this user's alone, whoever else may write beside it."""

import os
from pathlib import Path

from stackgen import files
from stackgen.errors import WorkError
from stackgen.store.place import Store


def clear(store: Store) -> None:
    """Have the workplace there and empty; WorkError where somebody else has put something in its place."""
    place = store.workplace
    if store.scratch and not store.scratch.is_dir():
        raise WorkError(f"{store.scratch} is not there", "name another directory by --scratch")
    _refuse_strange(place)
    files.remove(place)
    with files.reported(f"cannot work in {place}"):
        place.mkdir(mode=0o700, parents=True)
        (place / "tmp").mkdir(mode=0o700)


def _refuse_strange(place: Path) -> None:
    """Directories for everybody, such as /tmp, hold what anybody has put there."""
    if place.is_symlink() or (place.exists() and place.stat().st_uid != os.geteuid()):
        raise WorkError(
            f"{place} is somebody else's", "have it removed, or name another directory by --scratch"
        )
