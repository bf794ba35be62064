"""Load all of a framework that needs an MPI, and tell which file each gets it from; `stackgen test` judges.

usage: python one_mpi.py PROBE FRAMEWORK

Runs under the framework's own Python, 3.9 or newer, with the standard library. PROBE is a shared object that
the wrapper of the toolchain's MPI has linked: what it loads is that MPI, whatever it is called. FRAMEWORK is
what a program imports, for what finds its libraries only then; it may be empty. Prints one line of JSON.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

MPI_NAME = re.compile(r"lib(mpi|pmpi|mpich|smpi|mpicxx|mpifort)([_.-].*|\d*\.so.*)")
"""What libraries of an MPI are called, whoever made it."""
_SYSTEM = re.compile(r"(lib(c|m|pthread|dl|rt|util|gcc_s|stdc\+\+|gomp|z)\.so|ld-linux)")
_NEEDED, _STRINGS = 1, 5


def main(probe: str, framework: str) -> None:
    """Each library in a process of its own, since what one has loaded another one would get."""
    here = Path(__file__).resolve().parent  # searched first, and tensorflow.py would hide TensorFlow
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != here]
    prefix = Path(sys.prefix).resolve()
    libraries = {path: needed(path) for path in sorted(shared_objects(prefix))}
    names = {name for name in needed(Path(probe)) if not _SYSTEM.match(name)}
    inside = {path.name for path in libraries}
    seen: dict[str, Any] = {"mpi": alone(probe, ""), "libraries": {}}
    for path, wanted in libraries.items():
        place = str(path.relative_to(prefix))
        if wants_mpi(path, libraries, names):
            seen["libraries"][place] = alone(str(path), framework)
        elif any(name not in inside and not _SYSTEM.match(name) for name in wanted):
            found = alone(str(path), "")  # what it needs from elsewhere may need an MPI in turn
            seen["libraries"] |= {place: found} if found.get("from") else {}
    print(json.dumps(seen))


def shared_objects(prefix: Path) -> Iterator[Path]:
    """The libraries and extensions of the framework's packages."""
    for directory, _, names in os.walk(prefix / "lib"):
        for name in names:
            path = Path(directory, name)
            if ".so" in name and path.resolve().is_relative_to(prefix) and not path.is_symlink():
                yield path


def wants_mpi(path: Path, libraries: dict[Path, list[str]], names: set[str]) -> bool:
    """Whether it needs an MPI, or something beside it that does."""
    by_name = {other.name: other for other in libraries}
    seen: set[Path] = set()
    waiting = [path]
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        if any(name in names or MPI_NAME.fullmatch(name) for name in libraries[here]):
            return True
        waiting += [by_name[name] for name in libraries[here] if name in by_name]
    return False


def alone(library: str, framework: str) -> dict[str, Any]:
    """What a process that loads nothing else gets MPI from, as real paths, or why it cannot be loaded."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        with os.fdopen(write, "w") as stream:
            stream.write(json.dumps(_loaded(library, framework)))
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        text = stream.read()
    _, status = os.waitpid(child, 0)
    return dict(json.loads(text)) if text else {"fault": f"loading it ended the process ({status})"}


def _loaded(library: str, framework: str) -> dict[str, Any]:
    try:
        try:
            ctypes.CDLL(library, os.RTLD_LAZY | os.RTLD_GLOBAL)
        except OSError as error:
            if not framework:
                raise error from None
            importlib.import_module(framework)
            ctypes.CDLL(library, os.RTLD_LAZY | os.RTLD_GLOBAL)
    except Exception as error:
        return {"fault": " ".join(str(error).split())}
    return {"from": sorted(places_of_mpi())}


class _Place(ctypes.Structure):
    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


def places_of_mpi() -> set[str]:
    """Every file of this process that has an MPI_Init of its own, by what the loader answers."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="surrogateescape")
    loaded = {line.split(None, 5)[5] for line in maps.splitlines() if ".so" in line and "/" in line}
    itself = ctypes.CDLL(None)
    found = set()
    for file in loaded:
        place = _Place()
        try:
            function = ctypes.CDLL(file, os.RTLD_LAZY | os.RTLD_NOLOAD).MPI_Init
        except (OSError, AttributeError):
            continue
        if itself.dladdr(ctypes.cast(function, ctypes.c_void_p), ctypes.byref(place)) and place.file:
            found.add(str(Path(os.fsdecode(place.file)).resolve()))
    return found


def needed(path: Path) -> list[str]:
    """The names of the libraries that one needs, its DT_NEEDED; nothing where it is no 64-bit ELF file."""
    try:
        with path.open("rb") as file:
            head = file.read(64)
            if head[:5] != b"\x7fELF\x02":
                return []
            order = "<" if head[5] == 1 else ">"
            place, size, count = (
                *struct.unpack_from(order + "Q", head, 32),
                *struct.unpack_from(order + "HH", head, 54),
            )
            file.seek(place)
            table = file.read(size * count)
            segments = [struct.unpack_from(order + "IIQQQQQQ", table, size * each) for each in range(count)]
            return _names(file, segments, order)
    except (OSError, struct.error, ValueError):
        return []


def _names(file: BinaryIO, segments: list[tuple[int, ...]], order: str) -> list[str]:
    dynamic = next((segment for segment in segments if segment[0] == 2), None)
    if dynamic is None:
        return []
    file.seek(dynamic[2])
    content = file.read(dynamic[5])
    entries = list(struct.iter_unpack(order + "qQ", content[: len(content) // 16 * 16]))
    address = next((value for tag, value in entries if tag == _STRINGS), 0)
    load = next(one for one in segments if one[0] == 1 and one[3] <= address < one[3] + one[6])
    found = []
    for offset in (value for tag, value in entries if tag == _NEEDED):
        file.seek(address - load[3] + load[2] + offset)
        found.append(file.read(4096).split(b"\0", 1)[0].decode("utf-8", "replace"))
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
