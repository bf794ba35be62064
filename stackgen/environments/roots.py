"""Which Spack environments a plan needs, and what each is asked for."""

from dataclasses import dataclass

from stackgen.model.specs import named_version, package_name
from stackgen.plan import Plan

TOOLCHAIN = "toolchain"
"""The Spack environment of what all share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpackEnvironment:
    """One environment of Spack's: a solution of its own, so that frameworks need not agree on a Python."""

    name: str
    specs: tuple[str, ...]
    """The roots, in the order of asking."""
    mpi: str = ""
    """Its own MPI where that is not the toolchain's."""


def python_environment(version: str) -> str:
    """The Spack environment of a Python for frameworks from wheels."""
    return f"python-{version}"


def is_shared(environment: str) -> bool:
    """Whether a Spack environment is of what all share, on whichever MPI."""
    return environment.partition(".")[0] == TOOLCHAIN


def is_framework(environment: str) -> bool:
    """Whether a Spack environment is a framework's, whose name never has a dot."""
    return environment != TOOLCHAIN and "." not in environment


def spack_environments(plan: Plan) -> tuple[SpackEnvironment, ...]:
    """The toolchain's first, one per other MPI, per Python for wheels, and per framework that Spack builds.

    A Python has one of its own, small and solved once, however many frameworks stand on it: beside the
    toolchain's packages it would have to be the only version, and would be another with each of them.
    """
    shared = (*(spec for part, spec in plan.toolchain if part != "compiler"), *plan.packages)
    needed = bool(shared and (plan.packages or plan.spack))
    return (
        *((SpackEnvironment(name=TOOLCHAIN, specs=_unique(shared)),) if needed else ()),
        *((_on_another(plan, mpi) for mpi in plan.other_mpis) if plan.packages else ()),
        *(
            SpackEnvironment(name=python_environment(version), specs=(f"python@{version}",))
            for version in plan.pythons
        ),
        *(
            SpackEnvironment(name=framework.name, specs=_unique((framework.spec, *framework.features)))
            for framework in plan.spack
        ),
    )


def _on_another(plan: Plan, mpi: str) -> SpackEnvironment:
    """The same packages on another MPI; what needs none comes out the same, and is built once."""
    others = (spec for part, spec in plan.toolchain if part not in {"compiler", "mpi"})
    name = "-".join(filter(None, (package_name(mpi), named_version(mpi))))
    return SpackEnvironment(
        name=f"{TOOLCHAIN}.{name}", specs=_unique((mpi, *others, *plan.packages)), mpi=mpi
    )


def _unique(specs: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(specs))
