"""The MPI that the ranks of a framework run on, on this machine."""

import os

from stackgen.bench.collectives import Ranks
from stackgen.bench.subject import Subject
from stackgen.lock import read_lock
from stackgen.mpi import Mpi
from stackgen.plan import ContainerPlan, Packed
from stackgen.publish import place_of
from stackgen.release import LOCK
from stackgen.smoke.ranks import mpi_of
from stackgen.store.place import prefixes_of


def mpi_here(subject: Subject) -> Mpi | None:
    """The MPI that it was built on; None where it was built on none."""
    prefix, planned = subject.project.prefix, subject.planned
    if isinstance(planned, ContainerPlan) and isinstance(planned.origin, Packed):
        planned = planned.origin.framework
    lock = read_lock(place_of(prefix, subject.release.name) / LOCK)
    return mpi_of(subject.project.plan, planned, lock, prefixes_of(subject.project.plan, lock))


def launcher(subject: Subject) -> tuple[str, ...]:
    """The words that start ranks here; nothing where there is no MPI, or none that starts them itself."""
    mpi = mpi_here(subject)
    return mpi.start_here(os.getuid()) if mpi else ()


def ranks_here(subject: Subject, count: int) -> Ranks:
    """So many ranks on this machine."""
    mpi = mpi_here(subject)
    return Ranks(count=count, launcher=launcher(subject), wrapper=mpi.wrapper("c") if mpi else None)
