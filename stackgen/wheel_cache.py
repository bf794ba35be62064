"""Wheels that were built from source, by all that decided them, for other prefixes."""

import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from stackgen import files


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelCache:
    """A directory with a directory for each key and one wheel in it; who may write to it is trusted."""

    directory: Path
    writable: bool

    def take(self, key: str, into: Path) -> Path | None:
        """A copy of the wheel of a key in a directory; None where there is none that can be read."""
        found = next(iter(sorted((self.directory / key).glob("*.whl"))), None)
        if found is None:
            return None
        try:
            copy = into / found.name
            shutil.copyfile(found, copy)
            with zipfile.ZipFile(copy) as archive:
                return None if archive.testzip() else copy
        except (OSError, zipfile.BadZipFile):
            return None

    def keep(self, key: str, wheel: Path) -> None:
        """Put a wheel under its key, in place of one that cannot be read."""
        if not self.writable:
            return
        place = self.directory / key / wheel.name
        with files.reported(f"cannot write {place}"):
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".", dir=place.parent) as beside:
                copy = Path(beside) / wheel.name
                shutil.copyfile(wheel, copy)
                copy.chmod(0o644)
                files.sync(copy)
                copy.replace(place)
