"""What was read of a mirror and found whole, so that it need not be read again while nobody writes to it."""

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from stackgen import files
from stackgen.errors import WorkError

Stamp = tuple[int, int, int, int]
"""Of a file: its size, when its content and its inode were changed last (ns), and its inode. Nobody who
writes to a file can leave all of them as they were."""


def stamp(path: Path) -> Stamp | None:
    """The stamp of a regular file; None where there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    regular = found.st_mode & 0o170000 == 0o100000
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino) if regular else None


def recall(root: Path) -> dict[str, Stamp]:
    """The stamps of the files of a mirror when they were last found whole, by path."""
    try:
        known = json.loads(_place(root).read_text("utf-8"))
        return {str(path): (int(a), int(b), int(c), int(d)) for path, (a, b, c, d) in known.items()}
    except (OSError, ValueError, TypeError, AttributeError, RuntimeError, RecursionError):
        return {}


def remember(root: Path, stamps: Mapping[str, Stamp]) -> None:
    """Keep the stamps of a mirror for the next run, in the user's cache: a kit holds nothing of the kind."""
    with suppress(WorkError, RuntimeError):  # without it, the next run only takes longer
        place, text = _place(root), json.dumps(dict(sorted(stamps.items())))
        if not place.exists() or place.read_text("utf-8") != text:
            files.write(place, text)


def _place(root: Path) -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()
    return Path(cache) / "stackgen/mirrors" / f"{name}.json"
