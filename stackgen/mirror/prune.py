"""Take out of a mirror what nobody needs any more."""

from collections.abc import Collection
from pathlib import Path

from stackgen import files
from stackgen.errors import InputError
from stackgen.mirror.keep import refuse_links
from stackgen.mirror.layout import AREAS, COMING, area
from stackgen.mirror.manifest import of_entries, read_manifest, refuse_other, without, write_manifest
from stackgen.progress import Progress


def prune(root: Path, dropped: Collection[str], progress: Progress) -> tuple[str, ...]:
    """The paths of what was removed: what no environment needs but the dropped ones, and unfinished files.

    The files of the kit as a whole stay, and so does what no manifest names. InputError where the mirror
    has no such environment.
    """
    refuse_other(root)
    with files.exclusive(root, progress), files.reported(f"cannot remove files of {root}"):
        before = read_manifest(root)
        known = {name for entry in before.files for name in entry.needed_by}
        for name in sorted(set(dropped) - known):
            there = f"it has {', '.join(sorted(known))}" if known else "it has none"
            raise InputError.of(f"{root} holds nothing for an environment {name}", there)
        after = without(before, dropped, {area(entry.path) for entry in before.files})
        kept = [entry for entry in after.files if entry.needed_by or not area(entry.path)]
        gone = sorted({entry.path for entry in before.files} - {entry.path for entry in kept})
        write_manifest(root, of_entries(kept))
        for path in gone:
            _remove(root, path)
        unfinished = _unfinished(root)
        for path in unfinished:
            _remove(root, path)
    return tuple(sorted([*gone, *unfinished]))


def _unfinished(root: Path) -> list[str]:
    """What interrupted downloads have left."""
    return [
        path.relative_to(root).as_posix()
        for name in AREAS
        if not (root / name).is_symlink()
        for pattern in ("*.part", *(("coming/**/*",) if name == area(COMING) else ()))
        for path in (root / name).rglob(pattern)
        if path.is_file()
    ]


def _remove(root: Path, path: str) -> None:
    """A file, and the directories that it leaves empty."""
    place = refuse_links(root, path)
    place.unlink(missing_ok=True)
    for directory in place.parents:
        if directory == root or any(directory.iterdir()):
            return
        directory.rmdir()
