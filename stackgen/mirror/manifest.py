"""Where a mirror's files lie, and its manifest: what it should hold, for whom, and where that came from."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import NonNegativeInt, StringConstraints, ValidationError, model_validator

from stackgen import files
from stackgen.errors import InputError, Place
from stackgen.lock import Lock, LockedFile
from stackgen.mirror.layout import IMAGES, PACKAGES, SOURCES, WHEELS, area, misplaced
from stackgen.mirror.wanted import Wanted, relative_path, wanted
from stackgen.model.base import Strict, refuse

NAME = "manifest.json"
SIGNATURE = f"{NAME}.asc"
FORMAT: Final = 3
"""The newest; 1 had nothing but wheels, and only where there is something for images it is 3."""
_LARGEST = 64 * 2**20
"""Bytes; a manifest of a hundred thousand files has half of it."""
_Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]


class Entry(Strict):
    """A file of a mirror."""

    path: str
    """Relative to the mirror."""
    size: NonNegativeInt
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    origin: _Line
    """The address that it came from, without credentials; empty where it is not known."""
    needed_by: tuple[_Line, ...]
    """Names of environments; none where it was needed once."""

    @model_validator(mode="after")
    def _lies_where_it_may(self) -> Self:
        if misplaced(self.path, self.sha256):
            raise refuse("this is no place in a kit", "take the manifest that the kit was made with")
        return self


class Manifest(Strict):
    """`manifest.json`, sorted by path."""

    format: Literal[1, 2, 3] = 2
    files: tuple[Entry, ...] = ()

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        paths = [entry.path for entry in self.files]
        if len(set(paths)) != len(paths):
            raise refuse("a path is named twice", "take the manifest that the kit was made with")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """A mirror by its directory."""

    root: Path

    @property
    def remedy(self) -> str:
        """What makes it whole, on either side of the gap."""
        command = f"stackgen mirror create ENV.yaml -d {self.root}"
        return (
            f"copy it again, or make it whole with `{command}` where there is a network, or name another with"
            " --mirror"
        )

    def path(self, file: LockedFile) -> Path:
        """Where a file lies: by its content, so that equal files of different environments are one."""
        return self.root / relative_path(file)

    def holds(self, file: LockedFile) -> bool:
        """Whether the file is there in its full size; `flaws` reads the bytes."""
        return self._size(relative_path(file)) == file.size

    def lacks(self, *locks: Lock) -> tuple[Wanted, ...]:
        """What these locks need and is not there, sorted by place; no bytes are read."""
        return tuple(want for want in wanted(locks).values() if not self._has(want))

    def _has(self, want: Wanted) -> bool:
        size = self._size(want.path)
        return size is not None and want.size in {size, None}

    def _size(self, path: str) -> int | None:
        """Bytes; None where nothing lies that can be looked at."""
        try:
            return (self.root / path).stat().st_size
        except OSError:
            return None


def read_manifest(root: Path) -> Manifest:
    """The manifest of a mirror, an empty one where there is none.

    InputError where it is damaged, WorkError where it cannot be read.
    """
    path = root / NAME
    try:
        with files.reported(f"cannot read {root}"):
            if not path.exists():
                return Manifest()
            if path.is_symlink() or path.stat().st_size > _LARGEST or path.is_fifo():
                raise ValueError
            text = path.read_text(encoding="utf-8")
        content = json.loads(text)
        _refuse_newer(content, root)
        return Manifest.model_validate(content)
    except (ValidationError, ValueError, RecursionError):
        remedy = "copy the kit again; or, where it was made, remove this and run `stackgen mirror create`"
        raise InputError.of("is damaged", remedy, place=Place(file=str(path))) from None


def refuse_other(root: Path) -> None:
    """InputError where a directory is no mirror."""
    with files.reported(f"cannot read {root}"):
        if not (root / NAME).exists():
            remedy = f"copy all of it again, or run `stackgen mirror create ENV.yaml -d {root}`"
            raise InputError.of(f"{root} is no mirror: it has no {NAME}", remedy)


def _refuse_newer(content: object, root: Path) -> None:
    match content:
        case {"format": int(number)} if number > FORMAT:
            what = f"{root} was made by a newer stackgen: its manifest has format {number}, not {FORMAT}"
            raise InputError.of(what, "use that stackgen, or make the kit anew with this one")


def write_manifest(root: Path, manifest: Manifest) -> None:
    """Put the manifest in place, if it says anything new; a signature of the old one goes.

    For those alone who hold the directory.
    """
    text = json.dumps(manifest.model_dump(mode="json"), indent=1, sort_keys=True) + "\n"
    path = root / NAME
    for written in (path, root / SIGNATURE):
        files.remove_unfinished(written)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        (root / SIGNATURE).unlink(missing_ok=True)
        files.write(path, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What is known of a file that has come."""

    size: int
    sha256: str
    origin: str


def updated(
    manifest: Manifest, needs: Mapping[str, Mapping[str, Wanted]], come: Mapping[str, Holding]
) -> Manifest:
    """The manifest once these environments need these files by path; what others need stays.

    A file whose size nobody says is in it once it has come.
    """
    of_locks = {WHEELS, SOURCES, IMAGES, PACKAGES}
    entries = {entry.path: entry for entry in without(manifest, needs.keys(), of_locks).files}
    for environment, wants in needs.items():
        for path, want in wants.items():
            before = entries.get(path)
            holding = come.get(path) or _holding(want, before)
            if holding:
                others = before.needed_by if before else ()
                entries[path] = Entry(
                    path=path,
                    size=holding.size,
                    sha256=holding.sha256,
                    origin=holding.origin,
                    needed_by=tuple(sorted({environment, *others})),
                )
    return of_entries(entries.values())


def _holding(want: Wanted, before: Entry | None) -> Holding | None:
    """What a manifest or a lock says of a file already."""
    if before:
        return Holding(size=before.size, sha256=before.sha256, origin=before.origin)
    if want.size is None:
        return None
    return Holding(size=want.size, sha256=want.sha256, origin="")


def of_entries(entries: Iterable[Entry]) -> Manifest:
    """A manifest as it is written: sorted, and in the oldest format that has it all."""
    found = tuple(sorted(entries, key=lambda entry: entry.path))
    has_images = any(area(entry.path) in {IMAGES, PACKAGES} for entry in found)
    return Manifest(format=FORMAT if has_images else 2, files=found)


def without(manifest: Manifest, environments: Collection[str], areas: Collection[str]) -> Manifest:
    """The manifest where these environments need nothing in these areas of the kit."""

    def left(entry: Entry) -> Entry:
        if area(entry.path) not in areas:
            return entry
        needed_by = tuple(name for name in entry.needed_by if name not in environments)
        return entry.model_copy(update={"needed_by": needed_by})

    return of_entries(map(left, manifest.files))
