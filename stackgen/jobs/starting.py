"""What starts the ranks of a job."""

import shlex

from stackgen.lmod import INITS
from stackgen.mpi import Flavour, flavour
from stackgen.plan import Plan

MODULE_STARTS = ("/etc/profile.d/lmod.sh", "/etc/profile.d/z00_lmod.sh", *INITS, "/etc/profile.d/modules.sh")
"""What may define `module` where no login shell has been; what knows the site's own modules first."""
RANKS = "{ranks}"
"""In the words of a launcher, the number of all ranks."""
_MPIRUN = ("mpirun", "-n", RANKS)


def launch(plan: Plan) -> tuple[str, ...]:
    """The words before a program and its ranks: as the system says, else as is usual for its MPI."""
    if plan.system.scheduler.launch:
        return tuple(shlex.split(plan.system.scheduler.launch))
    mpi = flavour(dict(plan.toolchain).get("mpi", "none"))
    match plan.system.scheduler.kind:
        case "slurm":
            # Slurm's own default is seldom the one that Open MPI has been built for.
            return ("srun", "--mpi=pmix") if mpi == Flavour.OPEN_MPI else ("srun",)
        case "lsf":
            return ("jsrun",) if mpi == Flavour.SPECTRUM else _MPIRUN
        case _:
            return _MPIRUN
