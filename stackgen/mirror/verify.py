"""Read a mirror back: is every file of its manifest there and whole, and nothing else?"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stackgen import files
from stackgen.errors import InputError
from stackgen.mirror.flaws import flaw
from stackgen.mirror.manifest import NAME, SIGNATURE, Entry, Manifest, read_manifest
from stackgen.progress import Progress

_AT_ONCE = 4
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
        return f"{self.kind}: {self.path}{reason}{whose}"


def verify(root: Path, progress: Progress) -> tuple[Defect, ...]:
    """Every defect of a mirror, sorted by path; InputError where there is no mirror."""
    with files.reported(f"cannot read {root}"):
        if not (root / NAME).exists():
            raise InputError.of(
                f"{root} is no mirror: it has no {NAME}", f"run `stackgen mirror create ENV.yaml -d {root}`"
            )
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
    found = flaw(root / entry.path, entry.size, entry.sha256)
    if found is None:
        return None
    return Defect(path=entry.path, kind=found.kind, detail=found.detail, needed_by=entry.needed_by)


def _unknown(root: Path, manifest: Manifest) -> Iterator[Defect]:
    """Files that no manifest names; what an interrupted download left is none."""
    known = {entry.path for entry in manifest.files}
    for directory, _, names in os.walk(root):
        for name in names:
            path = Path(directory, name).relative_to(root).as_posix()
            unfinished = path.endswith(".part") and path.removesuffix(".part") in known
            if path not in known and path not in _OURS and not unfinished:
                yield Defect(path=path, kind="unknown")
