"""Which Spack environments a plan needs, and what each is asked for."""

from dataclasses import dataclass

from stackgen.combinations import ON_MPI
from stackgen.model import Feature
from stackgen.model.specs import named_version, package_name
from stackgen.plan import Plan, external, is_parallel_hdf5, parallel_hdf5

TOOLCHAIN = "toolchain"
"""The Spack environment of what all share."""
FOR_WHEELS = "wheels.mpi"
"""The Spack environment of what packages of frameworks from wheels are built on."""
_HDF5 = "hdf5 +hl +mpi"


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
    """The toolchain's first, what packages of wheels are built on, one per other MPI, per Python for wheels
    and per framework that Spack builds.

    A Python has one of its own, small and solved once, however many frameworks stand on it: beside the
    toolchain's packages it would have to be the only version, and would be another with each of them.
    """
    shared, below = _shared(plan), _for_wheels(plan)
    return (
        *((SpackEnvironment(name=TOOLCHAIN, specs=_unique(shared)),) if shared else ()),
        *((SpackEnvironment(name=FOR_WHEELS, specs=below),) if below else ()),
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


def _shared(plan: Plan) -> tuple[str, ...]:
    """Toolchain and packages; nothing where Spack builds none for anybody."""
    shared = (*(spec for part, spec in plan.toolchain if part != "compiler"), *plan.packages)
    return shared if plan.packages or plan.spack else ()


def _for_wheels(plan: Plan) -> tuple[str, ...]:
    """The MPI and the HDF5 that packages are built on, as far as neither the system nor all have them."""
    features = {feature for framework in plan.wheels for feature in framework.about.features}
    mpi, shared = dict(plan.toolchain).get("mpi", ""), _shared(plan)
    if not mpi or not features & {*ON_MPI}:
        return ()
    lacks_hdf5 = Feature.H5PY in features and not (
        parallel_hdf5(plan.system) or any(is_parallel_hdf5(spec) for spec in shared)
    )
    lacks_mpi = external(plan.system, mpi) is None and (not shared or lacks_hdf5)
    return (*((mpi,) if lacks_mpi else ()), *((_HDF5,) if lacks_hdf5 else ()))


def _on_another(plan: Plan, mpi: str) -> SpackEnvironment:
    """The same packages on another MPI; what needs none comes out the same, and is built once."""
    others = (spec for part, spec in plan.toolchain if part not in {"compiler", "mpi"})
    name = "-".join(filter(None, (package_name(mpi), named_version(mpi))))
    return SpackEnvironment(
        name=f"{TOOLCHAIN}.{name}", specs=_unique((mpi, *others, *plan.packages)), mpi=mpi
    )


def _unique(specs: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(specs))
