"""The toolchain's MPI on this machine."""

import os
from pathlib import Path

from stackgen.mpi import Flavour, Mpi, flavour
from stackgen.project import Project


def mpi_here(project: Project) -> Mpi | None:
    """The toolchain's MPI where this machine has it; None where the toolchain names none or none is found."""
    wanted = dict(project.plan.toolchain).get("mpi", "")
    kind = flavour(wanted) if wanted else None
    if kind is None:
        return None
    for external in project.plan.system.externals:
        if flavour(external.spec) == kind:
            mpi = Mpi(spec=external.spec, flavour=kind, prefix=Path(external.prefix))
            if mpi.launcher:
                return mpi
    return None


def launcher(mpi: Mpi | None) -> tuple[str, ...]:
    """The words that start ranks here; nothing where there is no MPI.

    Open MPI would bind a rank to one core, and all its threads with it.
    """
    if mpi is None:
        return ()
    free = ("--bind-to", "none") if mpi.flavour in {Flavour.OPEN_MPI, Flavour.SPECTRUM} else ()
    return (*mpi.launcher, *mpi.options_here(os.getuid()), *free)
