"""Copies of the system's Python: each framework owns one, and no update of the system reaches it."""

import json
import os
import re
import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from stackgen import files, host
from stackgen.errors import WorkError
from stackgen.model import System
from stackgen.programs import patchelf_program
from stackgen.workshop import Workshop

INSIDE = Path(__file__).parent / "inside"
"""Programs for a copy to run."""

_UNWANTED = shutil.ignore_patterns(
    *("site-packages", "dist-packages", "test", "tests", "idlelib", "turtledemo", "ensurepip"),
    *("sitecustomize.py", "usercustomize.py", "EXTERNALLY-MANAGED"),
    *("*.opt-?.pyc", "*.a", "*.o", "libpython*"),
)

# What belongs to glibc must fit the kernel's loader, and the compilers' run time must be the newest that
# the machine has, or what users compile would not load.
_OF_THE_SYSTEM = re.compile(
    r"(ld-linux|ld64|libgcc_s|libstdc\+\+|libnss_|lib(c|m|mvec|dl|rt|pthread|util|resolv|anl|BrokenLocale)\.so)"
    r"|libnsl\.so\.1$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where an interpreter has its parts; `version` is the full one, such as 3.11.2."""

    version: str
    prefix: Path
    program: Path
    libraries: tuple[Path, ...]
    """The directories of its standard library: one, or two where compiled modules lie apart."""
    headers: Path
    multiarch: str
    """Where Debian keeps `pyconfig.h`, beside the other headers; or empty."""
    site: Path
    """A directory whose `.pth` files it reads at every start, below a virtual environment too."""

    @property
    def minor(self) -> str:
        """The version as paths hold it, such as 3.11."""
        return self.version.rpartition(".")[0]

    @property
    def extensions(self) -> tuple[Path, ...]:
        """The compiled modules of the standard library."""
        return tuple(sorted(path for library in self.libraries for path in library.glob("lib-dynload/*.so")))


def check_machine(system: System) -> None:
    """WorkError where this machine cannot build for a system: another processor, or an older glibc."""
    architecture, glibc = os.uname().machine, os.confstr("CS_GNU_LIBC_VERSION") or "no glibc"
    remedy = f"carry the mirror to {system.name} and build there"
    if architecture != system.architecture:
        raise WorkError(f"this machine is {architecture}, and {system.name} is {system.architecture}", remedy)
    if not glibc.startswith("glibc ") or Version(glibc.split()[1]) < Version(system.glibc):
        raise WorkError(f"this machine has {glibc}, and {system.name} has glibc {system.glibc}", remedy)


def find(version: str, system: System) -> Path:
    """The program of a Python such as 3.11: where the system has it, else wherever this machine has one."""
    here = host.interpreters(os.environ)
    for python in (*system.pythons, *here):
        if python.version == version and _program(python.prefix, version).exists():
            return _program(python.prefix, version)
    listed = [str(_program(python.prefix, version)) for python in system.pythons if python.version == version]
    absent = f" ({', '.join(listed)} is not there)" if listed else ""
    found = ", ".join(f"{python.version} in {python.prefix}" for python in here) or "none"
    raise WorkError(
        f"this machine has no Python {version}{absent}; found: {found}",
        f"install it, or add its prefix to `pythons` of the system {system.name}",
    )


def _program(prefix: str, version: str) -> Path:
    return Path(prefix) / "bin" / f"python{version}"


def examine(python: Path, workshop: Workshop) -> Layout:
    """Ask an interpreter where its parts are."""
    question = (INSIDE / "layout.py").read_text(encoding="utf-8")
    answer = workshop.start(python, "-I", "-S", "-", stdin=question, failure=f"{python} does not work")
    parts = json.loads(answer)
    return Layout(
        version=parts["version"],
        prefix=Path(parts["prefix"]),
        program=Path(parts["program"]),
        libraries=tuple(Path(path) for path in parts["libraries"]),
        headers=Path(parts["headers"]),
        multiarch=parts["multiarch"],
        site=Path(parts["site"]),
    )


def copy(layout: Layout, workshop: Workshop) -> None:
    """Copy an interpreter into the workshop's prefix, with all that it loads but glibc."""
    base = workshop.base
    with files.reported(f"cannot copy Python from {layout.prefix}"):
        _copy_program(layout, base)
        for library in layout.libraries:
            _copy_directory(library, base / library.relative_to(layout.prefix))
        if layout.headers.is_dir():
            _copy_headers(layout, base)
        loaded = _shared_libraries(layout, workshop)
        for name, path in loaded.items():
            _copy_writable(path, base / "lib" / name)
    _look_beside_itself(layout, tuple(base / "lib" / name for name in loaded), workshop)


def _copy_program(layout: Layout, base: Path) -> None:
    name = f"python{layout.minor}"
    _copy_writable(layout.program, base / "bin" / name)
    for link in ("python3", "python"):
        (base / "bin" / link).symlink_to(name)


def _copy_writable(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755)


def _copy_directory(source: Path, target: Path) -> None:
    """Times are kept: they tell that the bytecode beside a source is up to date."""
    for directory, directories, names in os.walk(source):
        unwanted = _UNWANTED(directory, [*directories, *names])
        directories[:] = [name for name in directories if name not in unwanted]
        place = target / Path(directory).relative_to(source)
        place.mkdir(parents=True, exist_ok=True)
        for name in names:
            path = Path(directory) / name
            if name not in unwanted and path.exists():  # Debian has links to what other packages bring
                shutil.copy2(path, place / name)


def _copy_headers(layout: Layout, base: Path) -> None:
    target = base / layout.headers.relative_to(layout.prefix)
    _copy_directory(layout.headers, target)
    configuration = layout.headers.parent / layout.multiarch / layout.headers.name / "pyconfig.h"
    if layout.multiarch and configuration.exists():
        _copy_writable(configuration, target / "pyconfig.h")


def _shared_libraries(layout: Layout, workshop: Workshop) -> dict[str, Path]:
    """What the program and its modules load, by the name that they ask for.

    The loader itself lists them, for all files at once: `ldd` starts it twice a file.
    """
    preload = " ".join(str(path) for path in layout.extensions)
    words = ("env", "LD_TRACE_LOADED_OBJECTS=1", f"LD_PRELOAD={preload}", str(layout.program))
    listing = workshop.start(*words, failure=f"cannot tell what {layout.program} loads")
    found = dict(re.findall(r"^\s+(\S+) => (/\S+) \(0x", listing, flags=re.MULTILINE))
    return {name: Path(path) for name, path in sorted(found.items()) if not _OF_THE_SYSTEM.match(name)}


def _look_beside_itself(layout: Layout, libraries: tuple[Path, ...], workshop: Workshop) -> None:
    """Let every copied file find the copied libraries, wherever the copy lies, before any of the user's.

    DT_RPATH rather than DT_RUNPATH: it comes before LD_LIBRARY_PATH.
    """
    base = workshop.base
    directories = defaultdict(list)
    for path in (
        base / "bin" / f"python{layout.minor}",
        *libraries,
        *(base / module.relative_to(layout.prefix) for module in layout.extensions),
    ):
        path.chmod(path.stat().st_mode | 0o200)
        directories[path.parent].append(path)
    for directory, paths in directories.items():
        origin = f"$ORIGIN/{os.path.relpath(base / 'lib', directory)}"
        options = ("--force-rpath", "--set-rpath", origin)
        workshop.start(patchelf_program(), *options, *paths, failure=f"cannot make {directory} movable")
