"""Read a mirror back: is every file of its manifest there and whole, and nothing else?"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stackgen import files
from stackgen.errors import InputError
from stackgen.mirror.manifest import NAME, Entry, Manifest, read_manifest
from stackgen.progress import Progress

_AT_ONCE = 4
_OURS = frozenset({NAME, ".lock", ".lock-holder"})


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Defect:
    """A file that is not as the manifest says."""

    path: str
    """Relative to the mirror."""
    kind: Literal["missing", "altered", "unknown"]
    detail: str = ""
    needed_by: tuple[str, ...] = ()

    def __str__(self) -> str:
        reason = f" ({self.detail})" if self.detail else ""
        whose = f", needed by {', '.join(self.needed_by)}" if self.needed_by else ""
        return f"{self.kind}: {self.path}{reason}{whose}"


def verify(root: Path, progress: Progress) -> tuple[Defect, ...]:
    """Every defect of a mirror, sorted by path; InputError where there is no mirror."""
    if not (root / NAME).is_file():
        raise InputError.of(f"{root} is no mirror: it has no {NAME}", "run `stackgen mirror create`")
    manifest = read_manifest(root)
    total = sum(entry.size for entry in manifest.files)
    with (
        files.reported(f"cannot read {root}"),
        progress.task(f"reading {len(manifest.files)} files", total, unit="bytes") as advance,
        ThreadPoolExecutor(_AT_ONCE) as pool,
    ):
        defects = []
        for entry, defect in zip(
            manifest.files, pool.map(lambda entry: _defect(root, entry), manifest.files), strict=True
        ):
            advance(entry.size)
            defects += [defect] if defect else []
        return tuple(sorted([*defects, *_unknown(root, manifest)]))


def _defect(root: Path, entry: Entry) -> Defect | None:
    path = root / entry.path
    if not path.is_file():
        return Defect(path=entry.path, kind="missing", needed_by=entry.needed_by)
    size = path.stat().st_size
    if size != entry.size:
        detail = f"it has {size} bytes, not {entry.size}"
    elif (found := files.sha256(path)) != entry.sha256:
        detail = f"its SHA-256 is {found}"
    else:
        return None
    return Defect(path=entry.path, kind="altered", detail=detail, needed_by=entry.needed_by)


def _unknown(root: Path, manifest: Manifest) -> Iterator[Defect]:
    """Files that no manifest names; what an interrupted download left is none."""
    known = {entry.path for entry in manifest.files}
    for directory, _, names in os.walk(root):
        for name in names:
            path = Path(directory, name).relative_to(root).as_posix()
            unfinished = path.endswith(".part") and path.removesuffix(".part") in known
            if path not in known and path not in _OURS and not unfinished:
                yield Defect(path=path, kind="unknown")
