"""Which MPI a spec names, and the programs by which one that is installed compiles and starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from stackgen.model.specs import package_name

Language = Literal["c", "c++"]


class Flavour(StrEnum):
    """Whose MPI it is, as far as wrappers, launchers and settings differ."""

    OPEN_MPI = "open-mpi"
    MPICH = "mpich"
    INTEL = "intel"
    CRAY = "cray"
    SPECTRUM = "spectrum"


_FLAVOURS = {
    "openmpi": Flavour.OPEN_MPI,
    "hpcx-mpi": Flavour.OPEN_MPI,
    "fujitsu-mpi": Flavour.OPEN_MPI,
    "mpich": Flavour.MPICH,
    "mvapich": Flavour.MPICH,
    "mvapich2": Flavour.MPICH,
    "intel-oneapi-mpi": Flavour.INTEL,
    "intel-mpi": Flavour.INTEL,
    "cray-mpich": Flavour.CRAY,
    "cray-mvapich2": Flavour.CRAY,
    "mpt": Flavour.MPICH,
    "spectrum-mpi": Flavour.SPECTRUM,
}
# Debian has several MPIs side by side in /usr: there mpicc is whichever an administrator chose last.
_SUFFIXES = {Flavour.OPEN_MPI: ".openmpi", Flavour.MPICH: ".mpich"}
# Intel's mpicc takes any compiler, by I_MPI_CC; mpiicx is a second choice, for it has Intel's.
_WRAPPERS: Mapping[Language, tuple[str, ...]] = {
    "c": ("mpicc", "mpiicx"),
    "c++": ("mpicxx", "mpic++", "mpiicpx"),
}
_LAUNCHERS = ("mpirun", "mpiexec", "mpiexec.hydra")
_COMPILER_VARIABLES = {
    Flavour.OPEN_MPI: ("OMPI_CC", "OMPI_CXX"),
    Flavour.SPECTRUM: ("OMPI_CC", "OMPI_CXX"),
    Flavour.MPICH: ("MPICH_CC", "MPICH_CXX"),
    Flavour.CRAY: ("MPICH_CC", "MPICH_CXX"),
    Flavour.INTEL: ("I_MPI_CC", "I_MPI_CXX"),
}


def flavour(spec: str) -> Flavour | None:
    """Whose MPI a spec of Spack's names; None where it names no MPI that is known."""
    return _FLAVOURS.get(package_name(spec))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mpi:
    """An installed MPI: its programs are looked for below its prefix, and need not be there."""

    spec: str
    flavour: Flavour
    prefix: Path

    def wrapper(self, language: Language) -> Path:
        """Its compiler; where there is none, the path where the usual one would lie."""
        return self._program(_WRAPPERS[language]) or self.prefix / "bin" / _WRAPPERS[language][0]

    @property
    def launcher(self) -> tuple[str, ...]:
        """Its own mpirun; nothing where it has none, as Cray's, whose ranks the scheduler starts."""
        program = self._program(_LAUNCHERS)
        return (str(program),) if program else ()

    def start_here(self, uid: int) -> tuple[str, ...]:
        """Its launcher, told to start as many ranks as are asked for on one machine, as this user.

        Open MPI would bind a rank to one core, and all its threads with it. Nothing where it has none.
        """
        if not self.launcher or self.flavour not in {Flavour.OPEN_MPI, Flavour.SPECTRUM}:
            return self.launcher
        root = ("--allow-run-as-root",) if uid == 0 else ()
        return (*self.launcher, "--oversubscribe", *root, "--bind-to", "none")

    def compilers(self, c: str, cxx: str) -> dict[str, str]:
        """The variables by which its wrappers take these compilers."""
        return dict(zip(_COMPILER_VARIABLES[self.flavour], (c, cxx), strict=True))

    def _program(self, names: tuple[str, ...]) -> Path | None:
        suffix = _SUFFIXES.get(self.flavour, "")
        own = [f"{name}{suffix}" for name in names if suffix]
        found = (self.prefix / "bin" / name for name in (*own, *names))
        return next((program for program in found if program.exists()), None)
