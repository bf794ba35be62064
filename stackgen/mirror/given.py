"""Files taken by hash from directories that somebody named: archives of a site, other kits, downloads."""

import os
from collections.abc import Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from stackgen import files
from stackgen.errors import InputError
from stackgen.mirror.layout import SOURCES
from stackgen.mirror.wanted import Wanted
from stackgen.progress import Advance, Progress

_AT_ONCE = os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    path: Path
    size: int
    likeness: int
    """0: its path names the hash, 1: it has the file's name, 2: its ending or its size, 3: nothing."""


def find(wants: Collection[Wanted], directories: Collection[Path], progress: Progress) -> dict[Wanted, Path]:
    """Where these files lie below the directories, whatever their names; InputError where one is none.

    Files are read in the order of their likeness, until everything is found. What has no hash is taken from
    where Spack would look for it.
    """
    require_directories(directories)
    found = {
        want: place
        for want in wants
        if not want.sha256
        for directory in directories
        if (place := _by_path(want, directory))
    }
    hashed = [want for want in wants if want.sha256]
    return found | _by_hash(hashed, directories, progress) if hashed and directories else found


def require_directories(directories: Collection[Path]) -> None:
    """InputError where one is none."""
    for directory in directories:
        if not directory.is_dir():
            raise InputError.of(f"{directory} is no directory", "name one that is there", where="--from")


def _by_path(want: Wanted, directory: Path) -> Path | None:
    """A file of a kit, of a mirror of Spack's, or of what `sources` of a kit holds."""
    places = (directory / want.path, directory / want.path.removeprefix(f"{SOURCES}/"))
    return next((place for place in places if place.is_file()), None)


def _by_hash(
    wants: Collection[Wanted], directories: Collection[Path], progress: Progress
) -> dict[Wanted, Path]:
    with files.reported("cannot look for files"):
        candidates, unread = _candidates(wants, directories)
    waiting: dict[str, list[Wanted]] = {}
    for want in wants:
        waiting.setdefault(want.sha256, []).append(want)
    total = sum(candidate.size for candidate in candidates)
    names = ", ".join(map(str, directories))
    found: dict[Wanted, Path] = {}
    with progress.task(f"looking through {len(candidates)} files of {names}", total, unit="bytes") as advance:
        for candidate, sha256 in _hashed(candidates, advance):
            found |= dict.fromkeys(waiting.pop(sha256, ()), candidate.path)
            if not sha256:
                unread.append(candidate.path)
            if not waiting:
                break
    if waiting and unread:
        rest = f", and {len(unread) - 1} more" if len(unread) > 1 else ""
        progress.say(f"note: {unread[0]}{rest} cannot be read, and may be what is looked for")
    return found


def _candidates(
    wants: Collection[Wanted], directories: Collection[Path]
) -> tuple[list[_Candidate], list[Path]]:
    """What may be a wanted file, and the directories that cannot be looked into."""
    unread: list[Path] = []
    hashes = {want.sha256 for want in wants}
    names = {name for want in wants for name in (want.name, Path(want.path).name)}
    sizes = {want.size for want in wants if want.size is not None}
    endings = {Path(want.name).suffix for want in wants if want.size is None}
    unsized = any(want.size is None for want in wants)
    found: dict[tuple[int, int], _Candidate] = {}
    for directory in directories:
        for path, status in _files(directory, unread):
            if status.st_size not in sizes and not unsized:
                continue
            if path.name.partition(".")[0] in hashes or path.parent.name in hashes:
                likeness = 0
            elif path.name in names:
                likeness = 1
            else:
                likeness = 2 if path.suffix in endings or status.st_size in sizes else 3
            candidate = _Candidate(path=path, size=status.st_size, likeness=likeness)
            found.setdefault((status.st_dev, status.st_ino), candidate)
    return sorted(found.values(), key=lambda one: (one.likeness, one.path)), unread


def _files(directory: Path, unread: list[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    """Regular files, links to them included; what cannot be looked at is passed over, directories noted."""
    for place, _, names in os.walk(directory, onerror=lambda error: unread.append(Path(error.filename))):
        for name in names:
            path = Path(place, name)
            try:
                if path.is_file():
                    yield path, path.stat()
            except OSError:
                continue


def _hashed(candidates: list[_Candidate], advance: Advance) -> Iterator[tuple[_Candidate, str]]:
    """Candidates with their SHA-256, read several at a time and never far ahead of who asks."""
    waiting = iter(candidates)
    running: dict[Future[str], _Candidate] = {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while True:
            for candidate in waiting:
                running[pool.submit(_sha256, candidate.path)] = candidate
                if len(running) >= 2 * _AT_ONCE:
                    break
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                candidate = running.pop(future)
                advance(candidate.size)
                yield candidate, future.result()


def _sha256(path: Path) -> str:
    """Empty where the file cannot be read."""
    try:
        return files.sha256(path)
    except OSError:
        return ""
