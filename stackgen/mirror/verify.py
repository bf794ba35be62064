"""Read a mirror back: is every file there and whole that manifest and locks name, and nothing else?"""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from stackgen import files
from stackgen.mirror.complete import Demanded, demanded
from stackgen.mirror.flaws import flaw
from stackgen.mirror.layout import COMING, SOURCES, area
from stackgen.mirror.manifest import NAME, SIGNATURE, Entry, Manifest, read_manifest, refuse_other
from stackgen.mirror.memory import Stamp, remember, stamp
from stackgen.progress import Progress

_OURS = frozenset({NAME, SIGNATURE, ".lock", ".lock-holder"})


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Defect:
    """A file that is not as the manifest says."""

    path: str
    """Relative to the mirror."""
    kind: Literal["missing", "altered", "unreadable", "unknown"]
    detail: str = ""
    needed_by: tuple[str, ...] = ()

    def __str__(self) -> str:
        reason = f" ({self.detail})" if self.detail else ""
        whose = f", needed by {', '.join(self.needed_by)}" if self.needed_by else ""
        return f"{self.kind}: {_printable(self.path)}{reason}{whose}"


def _printable(text: str) -> str:
    """A name that may be shown on a terminal, whoever chose it."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def verify(root: Path, progress: Progress) -> tuple[Defect, ...]:
    """Every defect of a mirror, sorted by path; InputError where there is no mirror."""
    refuse_other(root)
    manifest, demand = read_manifest(root), demanded(root)
    with files.reported(f"cannot read {root}"):
        there = dict(_found(root))
    defects = [*_examined(root, manifest, there, progress), *_unknown(manifest, there)]
    defects += _missing(manifest, demand)
    return tuple(sorted(_explained(defects, demand)))


def _found(root: Path) -> Iterator[tuple[str, str]]:
    """What lies below a directory, by path: empty for a file, else what it is; no link is followed."""
    for directory, directories, names in os.walk(root):
        for name in (*names, *directories):
            place = Path(directory, name)
            mode = place.lstat().st_mode
            path = place.relative_to(root).as_posix()
            if stat.S_ISLNK(mode):
                yield path, "a symbolic link"
            elif not stat.S_ISDIR(mode):
                yield path, "" if stat.S_ISREG(mode) else "no file, but a device, a pipe or a socket"


def _examined(
    root: Path, manifest: Manifest, there: Mapping[str, str], progress: Progress
) -> Iterator[Defect]:
    """The defects of what the manifest names; what is whole need not be read by `mirror create` again."""
    largest_first = sorted(manifest.files, key=lambda entry: -entry.size)
    total = sum(entry.size for entry in manifest.files)
    stamps: dict[str, Stamp] = {}

    def examine(entry: Entry) -> Defect | None:
        now = stamp(root / entry.path)
        defect = _defect(root, entry, there.get(entry.path))
        if defect is None and now:
            stamps[entry.path] = now
        return defect

    with (
        files.reported(f"cannot read {root}"),
        progress.task(f"reading {len(manifest.files)} files", total, unit="bytes") as advance,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        for entry, defect in zip(largest_first, pool.map(examine, largest_first), strict=True):
            advance(entry.size)
            if defect:
                yield defect
    remember(root, stamps)


def _defect(root: Path, entry: Entry, kind: str | None) -> Defect | None:
    if kind is None:  # or in a directory that may not be looked into
        why = _hidden(root / entry.path)
        return Defect(
            path=entry.path,
            kind="unreadable" if why else "missing",
            detail=why,
            needed_by=entry.needed_by,
        )
    if kind:
        return Defect(path=entry.path, kind="altered", detail=f"it is {kind}", needed_by=entry.needed_by)
    found = flaw(root / entry.path, entry.size, entry.sha256)
    if found is None:
        return None
    return Defect(path=entry.path, kind=found.kind, detail=found.detail, needed_by=entry.needed_by)


def _hidden(place: Path) -> str:
    """Why nobody can say whether a file is there; empty where that can be said."""
    try:
        place.lstat()
    except PermissionError as error:
        return error.strerror or str(error)
    except OSError:
        pass
    return ""


def _unknown(manifest: Manifest, there: Mapping[str, str]) -> Iterator[Defect]:
    """Files that no manifest names; what an interrupted download left is none."""
    known = {entry.path for entry in manifest.files}
    for path, kind in there.items():
        finished = path.removesuffix(".part")
        unfinished = finished != path and not kind and (finished in known or area(finished) == SOURCES)
        ours = path in _OURS and not kind
        unfinished = unfinished or path.startswith(f"{COMING}/")
        if path not in known and not ours and not unfinished:
            yield Defect(path=path, kind="unknown", detail=f"it is {kind}" if kind else "")


def _missing(manifest: Manifest, demand: Demanded) -> Iterator[Defect]:
    """What the locks in the kit need and its manifest does not have, and locks that do not say."""
    known = {entry.path for entry in manifest.files}
    for path in demand.wants.keys() - known:
        yield Defect(path=path, kind="missing", needed_by=tuple(sorted(demand.needed_by[path])))
    for path, reason in demand.unreadable.items():
        yield Defect(path=path, kind="unreadable", detail=reason)


def _explained(defects: Iterable[Defect], demand: Demanded) -> Iterator[Defect]:
    """The defects, with package and file where something is missing."""
    for defect in defects:
        want = demand.wants.get(defect.path) if defect.kind == "missing" else None
        detail = f"{want.package}, {want.name}, {want.known_by}" if want else defect.detail
        yield replace(defect, detail=detail)
