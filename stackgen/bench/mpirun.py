"""The launcher of the toolchain's MPI on this machine."""

import os
from pathlib import Path

from stackgen.mpi import Mpi, flavour
from stackgen.project import Project


def launcher(project: Project) -> tuple[str, ...]:
    """The words that start ranks here; nothing where the toolchain names no MPI or none is found."""
    wanted = dict(project.plan.toolchain).get("mpi", "")
    kind = flavour(wanted) if wanted else None
    if kind is None:
        return ()
    for external in project.plan.system.externals:
        if flavour(external.spec) == kind:
            mpi = Mpi(spec=external.spec, flavour=kind, prefix=Path(external.prefix))
            if mpi.launcher:
                return (*mpi.launcher, *mpi.options_here(os.getuid()))
    return ()
