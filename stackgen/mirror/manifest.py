"""Where a mirror's files lie, and its manifest: what it should hold, for whom, and where that came from."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import NonNegativeInt, StringConstraints, ValidationError

from stackgen import files
from stackgen.errors import InputError, Place
from stackgen.lock import Lock, LockedFile
from stackgen.model.base import Strict

NAME = "manifest.json"


class Entry(Strict):
    """A file of a mirror."""

    path: Annotated[str, StringConstraints(pattern=r"^wheels/[0-9a-f]{2}/[0-9a-f]{64}/[^/]+$")]
    """Relative to the mirror."""
    size: NonNegativeInt
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    origin: str
    """The address that it came from, without credentials; empty where it is not known."""
    needed_by: tuple[str, ...]
    """Names of environments; none where it was needed once."""


class Manifest(Strict):
    """`manifest.json`, sorted by path."""

    format: Literal[1] = 1
    files: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """A mirror by its directory."""

    root: Path

    def path(self, file: LockedFile) -> Path:
        """Where a file lies: by its content, so that equal files of different environments are one."""
        return self.root / relative_path(file)

    def holds(self, file: LockedFile) -> bool:
        """Whether the file is there in its full size; `flaws` reads the bytes."""
        try:
            return self.path(file).stat().st_size == file.size
        except OSError:
            return False


def relative_path(file: LockedFile) -> str:
    """The place of a file below a mirror's root."""
    return f"wheels/{file.sha256[:2]}/{file.sha256}/{file.name}"


def missing(mirror: Mirror, lock: Lock) -> tuple[LockedFile, ...]:
    """The files of a lock that a mirror lacks."""
    return tuple(file for file in lock.files if not mirror.holds(file))


def read_manifest(root: Path) -> Manifest:
    """The manifest of a mirror, an empty one where there is none.

    InputError where it is damaged, WorkError where it cannot be read.
    """
    path = root / NAME
    try:
        with files.reported(f"cannot read {root}"):
            if not path.exists():
                return Manifest()
            text = path.read_text(encoding="utf-8")
        return Manifest.model_validate(json.loads(text))
    except (ValidationError, ValueError, RecursionError):
        raise InputError.of(
            "is damaged", "remove it and run `stackgen mirror create` again", place=Place(file=str(path))
        ) from None


def write_manifest(root: Path, manifest: Manifest) -> None:
    """Put the manifest in place, if it says anything new."""
    text = json.dumps(manifest.model_dump(mode="json"), indent=1, sort_keys=True) + "\n"
    path = root / NAME
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        files.write(path, text)


def updated(manifest: Manifest, locks: Mapping[str, Lock], origins: Mapping[LockedFile, str]) -> Manifest:
    """The manifest once these environments need what their locks say now; others' needs stay."""
    entries = {entry.path: _without(entry, locks.keys()) for entry in manifest.files}
    for environment, lock in locks.items():
        for file in lock.files:
            path = relative_path(file)
            before = entries.get(path)
            entries[path] = Entry(
                path=path,
                size=file.size,
                sha256=file.sha256,
                origin=origins.get(file) or (before.origin if before else ""),
                needed_by=tuple(sorted({environment, *(before.needed_by if before else ())})),
            )
    return Manifest(files=tuple(entries[path] for path in sorted(entries)))


def _without(entry: Entry, environments: Iterable[str]) -> Entry:
    needed_by = tuple(name for name in entry.needed_by if name not in set(environments))
    return entry.model_copy(update={"needed_by": needed_by})
