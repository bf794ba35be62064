"""Which libraries a framework needs that neither its prefix nor the distribution below it brings."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stackgen.errors import WorkError
from stackgen.images.elf import Elf, is_of_glibc
from stackgen.images.loader import Library, Loader
from stackgen.images.standing import Standing

_MPI = "libmpi"
"""Without its plugins it would only fail later."""
_DRIVER = ("libcuda.so", "libnvidia-", "libnvcuvid.so")
"""What fits one version of the kernel's driver alone, and is seen inside where a system says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A file of a framework that the loader reads."""

    path: Path
    elf: Elf


def programs(directories: Iterable[Path], loader: Loader) -> tuple[Program, ...]:
    """All of them below directories of this machine, in the same order everywhere."""
    return tuple(
        Program(path=path, elf=elf)
        for directory in directories
        for path in _candidates(directory)
        if (elf := loader.elf(path))
    )


def _candidates(directory: Path) -> Iterator[Path]:
    """What may be one, told by its name or its mode: a framework has ten thousands of others."""
    for place, below, names in os.walk(directory):
        below.sort()
        for name in sorted(names):
            path = Path(place) / name
            if ".so" in name or (not path.is_symlink() and path.stat().st_mode & 0o111):
                yield path


def lacking(
    found: Collection[Program], standing: Standing, loader: Loader, provided: Collection[str]
) -> Mapping[str, Library]:
    """The libraries of this machine that have to be copied, by name; `provided` come from elsewhere.

    What this machine has not either is left out: it is not there outside of the image. WorkError where the
    distribution's glibc is too old, or a library cannot be copied.
    """
    own = {name for program in found for name in (program.path.name, program.elf.soname)}
    refuse_older_glibc(((program.path, program.elf) for program in found), standing)
    wanted: dict[str, Library] = {}
    for program in found:
        for name in program.elf.needed:
            if not (
                name in wanted or name in own or name in provided or _is_there(name, program.elf, standing)
            ):
                library = loader.find(name, program.elf, program.path.resolve().parent)
                wanted |= {name: library} if library and not name.startswith(_DRIVER) else {}
    copied = {
        name: library
        for name, library in loader.closure(wanted.values()).items()
        if name in wanted or not (name in own or name in provided or name in standing.libraries)
    }
    _refuse_uncopied(copied, standing)
    refuse_older_glibc(((one.path, one.elf) for one in copied.values()), standing)
    return copied


def _is_there(name: str, asking: Elf, standing: Standing) -> bool:
    return is_of_glibc(name) or "/" in name or standing.offers(name, asking.asks.get(name, ()))


def refuse_older_glibc(files: Iterable[tuple[Path, Elf]], standing: Standing, whose: str = "") -> None:
    """WorkError where the distribution's glibc is older than these files need; `whose` they are."""
    newest = max(files, key=lambda one: (one[1].glibc, str(one[0])), default=None)
    if newest is None or newest[1].glibc <= standing.glibc:
        return
    path, elf = newest
    there = f"has glibc {standing.glibc}" if standing.glibc.release != (0,) else "has no glibc"
    of = f" of {whose}" if whose else ""
    raise WorkError(
        f"{path}{of} needs glibc {elf.glibc}, and {standing.title}, which the image stands on, {there}",
        standing.remedy,
    )


def _refuse_uncopied(copied: Iterable[str], standing: Standing) -> None:
    for name in sorted(copied):
        if name.startswith(_MPI):
            raise WorkError(
                f"{name}, which the framework needs, is not in {standing.title}",
                "say `containers: {mpi: host}` of the system, with `toolchain: {mpi: ...}`, or name what"
                " brings it by `containers: {packages: [...]}`",
            )
