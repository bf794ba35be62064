"""What git would call a directory's contents, computed without git."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from stackgen.pins import Pin

BYTECODE = "__pycache__"
"""The directories that Python adds to a tree, wherever it may; they are no part of it."""
_DOS = ".bat"
"""Spack's attributes have these unpacked with the line ends of DOS; git keeps them with Unix's."""


def tree_digest(directory: Path) -> str:
    """The object name (SHA-1, in hex) of the git tree that holds this directory, bytecode left out."""
    return _tree(str(directory)).hex()


def _tree(directory: str) -> bytes:
    entries = []
    with os.scandir(directory) as found:
        for entry in found:
            if entry.name != BYTECODE:
                mode, digest = _entry(entry)
                folder = mode == b"40000"
                name = os.fsencode(entry.name)
                if digest:
                    entries.append((name + b"/" if folder else name, mode + b" " + name + b"\0" + digest))
    return _object(b"tree", b"".join(line for _, line in sorted(entries))) if entries else b""


def _entry(entry: "os.DirEntry[str]") -> tuple[bytes, bytes]:
    """A mode as git writes it, and a digest; that of an empty directory is empty, git knows none."""
    if entry.is_symlink():
        return b"120000", _object(b"blob", os.fsencode(os.readlink(entry.path)))  # noqa: PTH115
    if entry.is_dir():
        return b"40000", _tree(entry.path)
    executable = entry.stat().st_mode & 0o100
    text = Path(entry.path).read_bytes()
    if entry.name.endswith(_DOS):
        text = text.replace(b"\r\n", b"\n")
    return b"100755" if executable else b"100644", _object(b"blob", text)


def _object(kind: bytes, content: bytes) -> bytes:
    header = kind + b" %d\0" % len(content)
    return hashlib.sha1(header + content, usedforsecurity=False).digest()


def difference(directory: Path, pin: Pin) -> str:
    """How a directory differs from what is pinned, in a few words; empty where it does not."""
    if tree_digest(directory) == pin.tree:
        return ""
    found = count(directory)
    if found != pin.files:
        return f"it has {found} files, and {pin.title} has {pin.files}"
    return f"some of its {found} files are not those of {pin.title}"


def count(directory: Path) -> int:
    """How many files and links a directory has, bytecode left out."""
    return sum(1 for _ in paths(directory))


def paths(directory: Path) -> Iterator[str]:
    """Files and links by their whole paths, bytecode left out; directories come with them."""
    for place, directories, names in os.walk(directory):
        directories[:] = [name for name in directories if name != BYTECODE]
        links = (name for name in directories if os.path.islink(f"{place}/{name}"))  # noqa: PTH114
        for name in (*names, *links):
            yield f"{place}/{name}"
