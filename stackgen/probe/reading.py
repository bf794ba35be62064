"""Files and directories of a machine, read whatever they are like."""

import glob
import os
import re
from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, List, Mapping, Set, Tuple

Facts = Dict[str, object]
"""A part of a system's file: what YAML calls a mapping."""

Ask = Callable[..., str]
"""Starts a program, given by its words, and returns what it prints; nothing where that cannot be."""


def ask_nobody(*_: str) -> str:
    """The answer where no process may be started."""
    return ""


def text_of(path: Path) -> str:
    """The text of a file; empty where there is none to read."""
    try:
        with open(str(path), encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except (OSError, ValueError):
        return ""


def matching(directory: Path, pattern: str) -> List[Path]:
    """What matches in a directory, sorted; nothing in one that we may not read."""
    # Path.glob raises where it may not read, and takes twice as long.
    return sorted(Path(found) for found in glob.glob(os.path.join(glob.escape(str(directory)), pattern)))


def exists(path: Path) -> bool:
    """Whether something is there that we may see; `Path.exists` raises in a closed directory."""
    return os.path.exists(str(path))


def real(path: Path) -> Path:
    """Where symbolic links lead."""
    return Path(os.path.realpath(str(path)))


def numbers_in(text: str) -> Tuple[int, ...]:
    """The numbers in a text, by which versions are compared."""
    return tuple(int(number) for number in re.findall(r"[0-9]+", text))


def found_in(pattern: str, text: str) -> str:
    """What the first group of a pattern holds in a text, lines by themselves; empty where nothing matches."""
    found = re.search(pattern, text, re.MULTILINE)
    return found.group(1) if found else ""


def is_plain(path: Path) -> bool:
    """Whether a system's file may name a path: no spaces, no quotes, nothing that shells take apart."""
    return re.search(r"[^A-Za-z0-9._+@=/-]", str(path)) is None


def is_line(text: str) -> bool:
    """Whether a system's file may have a text as a name: one line that shows, and no merge key of YAML."""
    return bool(text.strip()) and text.isprintable() and len(text) <= 200 and text != "<<"


def path_directories(environment: Mapping[str, str]) -> Iterator[Path]:
    """The directories of PATH, in its order, without those of somebody's venv or conda environment."""
    for directory in environment.get("PATH", "").split(os.pathsep):
        if directory.startswith("/") and not is_environment(Path(directory).parent):
            yield Path(directory)


def is_environment(prefix: Path) -> bool:
    """Whether somebody's venv or conda environment lies here: it comes and goes with its owner."""
    return exists(prefix / "pyvenv.cfg") or exists(prefix / "conda-meta")


def real_directories(places: Iterable[Path]) -> Iterator[Path]:
    """Each directory once, by its true name, where it exists and may be written down."""
    seen: Set[Path] = set()
    for place in places:
        directory = real(place)
        if directory not in seen and os.path.isdir(str(directory)) and is_plain(directory):
            seen.add(directory)
            yield directory
