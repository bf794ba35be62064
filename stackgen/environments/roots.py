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


def spack_environments(plan: Plan) -> tuple[SpackEnvironment, ...]:
    """The toolchain's first, then one per framework that Spack builds; none where Spack is not needed."""
    if not plan.packages and not plan.spack:
        return ()
    shared = (*(spec for part, spec in plan.toolchain if part != "compiler"), *plan.packages)
    return (
        *((SpackEnvironment(name=TOOLCHAIN, specs=_unique(shared)),) if shared else ()),
        *(
            SpackEnvironment(name=framework.name, specs=_unique((framework.spec, *framework.features)))
            for framework in plan.spack
        ),
    )


def _unique(specs: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(specs))
