"""What is wrong with the files of a mirror, told from their bytes."""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stackgen import files
from stackgen.lock import LockedFile
from stackgen.mirror.manifest import Mirror
from stackgen.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Why a file cannot be used."""

    kind: Literal["missing", "altered", "unreadable"]
    detail: str = ""


def flaw(path: Path, size: int, sha256: str) -> Flaw | None:
    """The flaw of a file that should have this size and SHA-256, if it has one."""
    try:
        if not path.is_file():
            return Flaw(kind="missing")
        if (there := path.stat().st_size) != size:
            return Flaw(kind="altered", detail=f"it has {there} bytes, not {size}")
        found = files.sha256(path)
    except OSError as error:
        return Flaw(kind="unreadable", detail=error.strerror or str(error))
    return None if found == sha256 else Flaw(kind="altered", detail=f"its SHA-256 is {found}")


def flaws(mirror: Mirror, wanted: Collection[LockedFile], progress: Progress) -> dict[LockedFile, Flaw]:
    """The files that a mirror does not hold as their lock names them, sorted, each with its flaw."""

    if not wanted:
        return {}
    found = {}
    largest_first = sorted(wanted, key=lambda file: -file.size)
    total = sum(file.size for file in wanted)
    with (
        progress.task(f"checking {len(wanted)} files", total, unit="bytes") as advance,
        ThreadPoolExecutor() as threads,
    ):
        examined = threads.map(lambda file: flaw(mirror.path(file), file.size, file.sha256), largest_first)
        for file, its_flaw in zip(largest_first, examined, strict=True):
            advance(file.size)
            if its_flaw:
                found[file] = its_flaw
    return dict(sorted(found.items()))
