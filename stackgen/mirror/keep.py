"""Put files that stackgen makes itself into a kit: archives, environments, the installer."""

import hashlib
import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from stackgen import files
from stackgen.errors import InputError
from stackgen.mirror.flaws import flaw
from stackgen.mirror.layout import area, by_content
from stackgen.mirror.manifest import Entry, Manifest, of_entries, read_manifest, without, write_manifest
from stackgen.progress import Progress

Content = bytes | Path
"""Bytes, or the file that has them."""


def keep(root: Path, contents: Mapping[str, Content], needed_by: Collection[str], progress: Progress) -> None:
    """Have these contents in a kit, by their paths in it, for environments by name.

    What the environments needed before in the same areas (the first directories of the paths), and what is
    not given now, is theirs no longer; it is removed where nobody needs it and its name says nothing of its
    content. Whole files are not written again. ValueError where a path is none of the kit's layout.
    """
    given = {path: _entry(path, content, needed_by) for path, content in contents.items()}
    if _is_done(root, given, needed_by):  # so that a complete kit may be read-only
        return
    with files.exclusive(root, progress), files.reported(f"cannot fill {root}"):
        after, dropped = _joined(read_manifest(root), given, needed_by)
        write_manifest(root, after)
        for path in _unfit(root, given):
            _write(contents[path], refuse_links(root, path))
        for path in dropped:
            refuse_links(root, path).unlink(missing_ok=True)


def put(root: Path, path: str, content: Content) -> None:
    """Have a file in its place, as if it had been fetched: it is for `mirror` to name it in the manifest."""
    entry = _entry(path, content, ())
    with files.reported(f"cannot fill {root}"):
        if _unfit(root, {path: entry}):
            _write(content, refuse_links(root, path))


def move(root: Path, path: str, source: Path, sha256: str) -> str:
    """Give a file of the same file system its place in the kit, once it is checked; why not, else nothing."""
    with files.reported(f"cannot fill {root}"):
        if not source.is_file() or source.is_symlink():
            return "it did not come"
        if (found := files.sha256(source)) != sha256:
            source.unlink()
            return f"what came has the SHA-256 {found}"
        place = refuse_links(root, path)
        place.parent.mkdir(parents=True, exist_ok=True)
        source.chmod(0o644)
        source.replace(place)
    return ""


def _is_done(root: Path, given: Mapping[str, Entry], needed_by: Collection[str]) -> bool:
    before = read_manifest(root)
    return _joined(before, given, needed_by) == (before, ()) and not _unfit(root, given)


def _unfit(root: Path, given: Mapping[str, Entry]) -> list[str]:
    """The paths where something else lies than is given, or nothing."""
    return [path for path, entry in given.items() if flaw(root / path, entry.size, entry.sha256)]


def _entry(path: str, content: Content, needed_by: Collection[str]) -> Entry:
    with files.reported("cannot read what the kit is to hold"):
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        sha256 = hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else files.sha256(content)
    return Entry(path=path, size=size, sha256=sha256, origin="", needed_by=tuple(sorted(needed_by)))


def _joined(
    manifest: Manifest, given: Mapping[str, Entry], needed_by: Collection[str]
) -> tuple[Manifest, tuple[str, ...]]:
    """The manifest with what is given, and the paths that are in it no longer."""
    left = without(manifest, needed_by, {area(path) for path in given})
    dropped = {
        entry.path
        for entry in left.files
        if area(entry.path) and not by_content(entry.path) and not entry.needed_by and entry.path not in given
    }
    entries = {entry.path: entry for entry in left.files if entry.path not in dropped}
    for path, entry in given.items():
        others = entries[path].needed_by if path in entries else ()
        entries[path] = entry.model_copy(update={"needed_by": tuple(sorted({*others, *entry.needed_by}))})
    return of_entries(entries.values()), tuple(sorted(dropped))


def refuse_links(root: Path, path: str) -> Path:
    """Where a file of a kit lies; InputError where a symbolic link on the way may lead out of the kit."""
    place = root
    for part in path.split("/")[:-1]:
        place /= part
        if place.is_symlink():
            raise InputError.of(f"{place} is a symbolic link", "remove it; a kit has none")
    return root / path


def _write(content: Content, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f"{place.name}.part")
    part.unlink(missing_ok=True)
    with part.open("xb") as stream:
        if isinstance(content, bytes):
            stream.write(content)
        else:
            with content.open("rb") as source:
                shutil.copyfileobj(source, stream, 2**20)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(place)
