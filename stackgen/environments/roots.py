"""Which Spack environments a plan needs, and what each is asked for."""

from dataclasses import dataclass

from stackgen.plan import Plan

TOOLCHAIN = "toolchain"
"""The Spack environment of what all share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpackEnvironment:
    """One environment of Spack's: a solution of its own, so that frameworks need not agree on a Python."""

    name: str
    specs: tuple[str, ...]
    """The roots, in the order of asking."""


def python_environment(version: str) -> str:
    """The Spack environment of a Python for frameworks from wheels; no framework's name has a dot."""
    return f"python-{version}"


def spack_environments(plan: Plan) -> tuple[SpackEnvironment, ...]:
    """The toolchain's first, one per Python for wheels, one per framework that Spack builds; often none.

    A Python has one of its own, small and solved once, however many frameworks stand on it: beside the
    toolchain's packages it would have to be the only version, and would be another with each of them.
    """
    shared = (*(spec for part, spec in plan.toolchain if part != "compiler"), *plan.packages)
    needed = bool(shared and (plan.packages or plan.spack))
    return (
        *((SpackEnvironment(name=TOOLCHAIN, specs=_unique(shared)),) if needed else ()),
        *(
            SpackEnvironment(name=python_environment(version), specs=(f"python@{version}",))
            for version in plan.pythons
        ),
        *(
            SpackEnvironment(name=framework.name, specs=_unique((framework.spec, *framework.features)))
            for framework in plan.spack
        ),
    )


def _unique(specs: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(specs))
