"""What of this machine goes inside beside an image: its MPI, its fabric, its driver of GPUs."""

import glob
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stackgen.errors import WorkError
from stackgen.images.loader import Library, Loader
from stackgen.mpi import Flavour, Mpi
from stackgen.run import Command, Runner

_SYSTEM = (Path("/"), Path("/usr"))
_PLUGINS = {
    "libmpi": ("openmpi", "openmpi3"),
    "libpmix": ("pmix", "pmix2"),
    "libucs": ("ucx",),
    "libfabric": ("libfabric",),
    "libibverbs": ("libibverbs",),
}
"""Directories beside libraries, from which these load what no file asks for by name."""
_FILES = {
    "libmpi": ("/etc/openmpi", "/usr/share/openmpi"),
    "libibverbs": ("/etc/libibverbs.d",),
}
"""What libraries of the system's read; only Open MPI starts badly without."""
_MPI = re.compile(r"lib(mpi|pmpi|mpich|mpicxx|mpichcxx|mpi_cxx|mpifort)\b.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostParts:
    """What is to be seen inside."""

    libraries: tuple[Library, ...] = ()
    """Sorted by name, with all that they load but glibc."""
    directories: tuple[str, ...] = ()
    """Seen at the same path, sorted: plugins and what they read."""

    @property
    def names(self) -> frozenset[str]:
        """The names of the libraries."""
        return frozenset(library.name for library in self.libraries)


def host_parts(mpi: Mpi | None, patterns: Iterable[str], loader: Loader, run: Runner) -> HostParts:
    """What an MPI and patterns of files bring from this machine; WorkError where the MPI is not here."""
    roots = [*(_mpi_libraries(mpi, loader, run) if mpi else ()), *_matching(patterns, loader)]
    whole = (str(mpi.prefix),) if mpi and mpi.prefix not in _SYSTEM else ()
    first = loader.closure(roots)
    plugins = sorted({path for library in first.values() for path in _beside(library, _PLUGINS)})
    found = loader.closure([*first.values(), *_plugins(plugins, loader)])
    # What a plugin loads may have plugins itself.
    plugins = sorted({path for library in found.values() for path in _beside(library, _PLUGINS)})
    found = loader.closure([*found.values(), *_plugins(plugins, loader)])
    read = {path for library in found.values() for path in _read(library)}
    plugin_files = {path.name for place in plugins for path in place.rglob("*.so*")}
    return HostParts(
        libraries=tuple(
            library
            for name, library in sorted(found.items())
            if name not in plugin_files or not _is_below(library.path, plugins)
        ),
        directories=_outermost({*whole, *map(str, plugins), *read}),
    )


def _mpi_libraries(mpi: Mpi, loader: Loader, run: Runner) -> tuple[Library, ...]:
    """What programs of this MPI are linked with, as its compilers say."""
    found = [
        library
        for program in (mpi.wrapper("c"), mpi.wrapper("c++"))
        for library in _linked(_told(program, run), loader)
    ]
    if not found:
        found = list(filter(None, map(loader.library, _without_a_compiler(mpi, loader))))
    if not found:
        what = f"the libraries of {mpi.spec} in {mpi.prefix} are not found, which containers are to use"
        raise WorkError(what, "install its compiler there, or say `containers: {mpi: image}` of the system")
    return tuple(found)


def _without_a_compiler(mpi: Mpi, loader: Loader) -> Iterator[Path]:
    """Where its libraries lie, as far as their names tell."""
    if mpi.prefix in _SYSTEM:
        front = "libmpich" if mpi.flavour == Flavour.MPICH else "libmpi"
        for name, paths in sorted(loader.cached.items()):
            if name.startswith((f"{front}.so.", f"{front}_cxx.so.", f"{front}cxx.so.")):
                yield paths[0]
        return
    for directory in ("lib", "lib64", "lib/release"):
        yield from sorted((mpi.prefix / directory).glob("libmpi*.so*"))


def _told(program: Path, run: Runner) -> str:
    command = Command(
        argv=(str(program), "-show"),
        environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        directory=Path("/"),
        timeout=60.0,
    )
    try:
        outcome = run(command)
    except WorkError:
        return ""
    return outcome.stdout if outcome.status == 0 else ""


def _linked(line: str, loader: Loader) -> Iterator[Library]:
    """The MPI's own libraries of a line for the linker."""
    words = line.split()
    directories = [Path(word[2:]) for word in words if word.startswith("-L")]
    for word in words:
        name = f"lib{word[2:]}"
        if word.startswith("-l") and _MPI.fullmatch(name):
            # The `.so` itself is what compiling needs, and may not be there.
            places = [path for one in directories for path in sorted(one.glob(f"{name}.so*"))]
            places += loader.cached.get(f"{name}.so", ())
            library = next(filter(None, map(loader.library, places)), None)
            if library:
                yield Library(
                    name=library.name, path=library.path.resolve().parent / library.name, elf=library.elf
                )


def _matching(patterns: Iterable[str], loader: Loader) -> Iterator[Library]:
    for pattern in patterns:
        for match in sorted(glob.glob(pattern)):  # noqa: PTH207 - it is a whole path
            library = loader.library(Path(match))
            if library:
                yield library
                yield Library(name=Path(match).name, path=library.path, elf=library.elf)


def unmatched(patterns: Iterable[str]) -> tuple[str, ...]:
    """The patterns that name nothing on this machine."""
    return tuple(pattern for pattern in patterns if not glob.glob(pattern))  # noqa: PTH207 - as above


def _beside(library: Library, table: dict[str, tuple[str, ...]]) -> Iterator[Path]:
    """The directories of a table that lie where a library does, or one above."""
    directory = library.path.resolve().parent
    for name in table.get(library.name.partition(".")[0], ()):
        for place in (directory / name, directory.parent / name):
            if place.is_dir():
                yield place


def _plugins(directories: Iterable[Path], loader: Loader) -> Iterator[Library]:
    for directory in directories:
        for path in sorted(directory.rglob("*.so*")):
            library = loader.elf(path)
            if library:
                yield Library(name=path.name, path=path, elf=library)


def _read(library: Library) -> Iterator[str]:
    if library.path.is_relative_to("/usr") or library.path.is_relative_to("/lib"):
        for place in _FILES.get(library.name.partition(".")[0], ()):
            if Path(place).is_dir():
                yield place


def _is_below(path: Path, directories: Iterable[Path]) -> bool:
    return any(path.is_relative_to(directory) for directory in directories)


def _outermost(directories: Iterable[str]) -> tuple[str, ...]:
    """Without those that lie in another one."""
    every = sorted(set(directories))
    return tuple(
        one for one in every if not any(one != other and Path(one).is_relative_to(other) for other in every)
    )


def owner(mpi: Mpi) -> str:
    """How people call an MPI of the host."""
    return "the host's Open MPI" if mpi.flavour == Flavour.OPEN_MPI else f"the host's {mpi.spec}"
