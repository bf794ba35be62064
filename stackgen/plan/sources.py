"""What packages built from source ask of an environment: an MPI, a compiler, versions that fit together."""

from collections.abc import Iterator, Mapping

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from stackgen import targets
from stackgen.combinations import (
    ON_MPI,
    PROJECT,
    Combination,
    combination,
    has_horovod,
    is_tested,
    is_tested_over_gloo,
    serving,
)
from stackgen.errors import Fault
from stackgen.frameworks import distribution, knowledge
from stackgen.model import Compiler, Environment, External, Feature, System, WheelsFramework
from stackgen.model.specs import package_name, version_in
from stackgen.mpi import flavour
from stackgen.plan.values import WheelsPlan
from stackgen.plan.versions import is_exact


def source_faults(environment: Environment, system: System, toolchain: Mapping[str, str]) -> Iterator[Fault]:
    """Why what features ask for cannot be built; of versions left open the lock tells."""
    for name, framework in environment.frameworks.items():
        if not isinstance(framework, WheelsFramework):
            continue
        yield from _mpi_faults(name, framework.features, toolchain.get("mpi", ""))
        if has_horovod(framework.features):
            known = knowledge(name, framework.module)
            package = canonicalize_name(Requirement(framework.package or distribution(known, system)).name)
            python = framework.python.version if framework.python else ""
            compiler = chosen_compiler(toolchain.get("compiler", ""), system)
            yield from _cuda_faults(name, system)
            if not serving(package):
                what = f"Horovod serves mxnet, pytorch and tensorflow, not {name}"
                where = f"frameworks.{name}.features"
                yield Fault(where=where, what=what, remedy="leave horovod and gloo out")
            elif is_exact(framework.version):
                yield from version_faults(name, package, framework.version, python or "", compiler)


def _cuda_faults(name: str, system: System) -> Iterator[Fault]:
    gpus = any(gpu.capability for gpu in system.accelerators)
    if gpus and not any(one.package == "cuda" for one in system.externals):
        what = f"Horovod over NCCL is compiled by CUDA's nvcc, and the system {system.name} lists no CUDA"
        remedy = "add it to `externals:` of its file, as {spec: cuda@12.4.1, prefix: /usr/local/cuda}"
        yield Fault(where=f"frameworks.{name}.features", what=what, remedy=remedy)


def _mpi_faults(name: str, features: tuple[Feature, ...], mpi: str) -> Iterator[Fault]:
    asked = [feature for feature in ON_MPI if feature in features]
    if mpi and asked and flavour(mpi) is None:
        what = f"{package_name(mpi)} is no MPI that stackgen knows how to build {' and '.join(asked)} on"
        yield Fault(where="toolchain.mpi", what=what, remedy="take another, such as openmpi or mpich")
    if asked and not mpi:
        needs = "needs" if len(asked) == 1 else "need"
        others = [feature for feature in asked if feature != Feature.HOROVOD]
        gloo = ["take gloo in place of horovod"] if Feature.HOROVOD in asked else []
        out = [f"leave {' and '.join(others)} out"] if others else []
        yield Fault(
            where=f"frameworks.{name}.features",
            what=f"{name} is to have {' and '.join(asked)}, which {needs} an MPI, and there is none",
            remedy=f"name one by `toolchain: {{mpi: openmpi}}`, or {' and '.join(gloo + out)}",
        )


def version_faults(
    name: str, package: str, version: str, python: str, compiler: Compiler | None
) -> Iterator[Fault]:
    """Why Horovod cannot be built for a version of a framework; an empty Python is not known yet."""
    where = f"frameworks.{name}"
    found = [one for one in serving(package) if one.covers(version)]
    if not found:
        what = f"{PROJECT} cannot be built for {package} {version}"
        yield Fault(where=f"{where}.version", what=what, remedy=_nearest(serving(package), version))
        return
    if python and not combination(package, version, python):
        what = f"{PROJECT} cannot be built for Python {python}"
        remedy = f"take `python: {found[0].pythons[-1]}`, or leave horovod and gloo out"
        yield Fault(where=f"{where}.python", what=what, remedy=remedy)
    if compiler and compiler.package == "gcc" and _is_older(compiler.version, found[0].gcc):
        what = f"the headers of {package} {version} are for GCC {found[0].gcc} and newer, not {compiler.spec}"
        remedy = f"choose a newer `toolchain.compiler` or an older {name}, or leave horovod and gloo out"
        yield Fault(where=f"{where}.features", what=what, remedy=remedy)


def source_notes(framework: WheelsPlan, system: System, version: str) -> Iterator[Fault]:
    """What of Horovod in a framework of this version was never built or run by us."""
    if not has_horovod(framework.about.features):
        return
    where = f"frameworks.{framework.name}.features"
    found = combination(framework.package, version, framework.python)
    if found and not is_tested(found, version):
        tested = [known for one in serving(framework.package) for known in one.tested]
        what = f"{PROJECT} with {framework.package} {version} is untested"
        remedy = f"tested is {' and '.join(tested)}" if tested else "no version of it is tested"
        yield Fault(where=where, what=what, remedy=remedy)
    over_nccl = ["NCCL"] if any(gpu.capability for gpu in system.accelerators) else []
    proven = found is not None and is_tested_over_gloo(found, version)
    over_gloo = ["Gloo"] if Feature.GLOO in framework.about.features and not proven else []
    for network in over_gloo + over_nccl:
        what = f"{PROJECT} over {network} is untested"
        yield Fault(where=where, what=what, remedy="`stackgen test` shows how it does")


def _nearest(served: tuple[Combination, ...], version: str) -> str:
    """The versions nearest to one that does not fit, the oldest or the newest, and which are tested."""
    near = served[0] if Version(version) < Version(served[0].since) else served[-1]
    tested = [known for one in served for known in one.tested]
    best = f"{tested[-1]}, which is tested, or one of {near.range}" if tested else f"one of {near.range}"
    return f"take {best}; or leave horovod and gloo out"


def _is_older(version: str, wanted: str) -> bool:
    """Whether a compiler is surely too old: `9` may be any 9."""
    known = [int(part) for part in version.split(".") if part.isdigit()]
    least = [int(part) for part in wanted.split(".")]
    return bool(known) and known < least[: len(known)]


def chosen_compiler(spec: str, system: System) -> Compiler | None:
    """The toolchain's compiler for C and C++, or else the system's first that serves its target."""
    able = [
        one
        for one in system.compilers
        if {"c", "c++"} <= set(one.languages) and not targets.unable(system.target, one.package, one.version)
    ]
    meant = [one for one in able if spec and _is_meant(one, spec)]
    return next(iter(meant or able), None)


def external(system: System, spec: str) -> External | None:
    """What the system has of a package in the version that a spec asks for."""
    return next((one for one in system.externals if _is_meant(one, spec)), None)


def parallel_hdf5(system: System) -> External | None:
    """The HDF5 on MPI that the system has."""
    return next((one for one in system.externals if is_parallel_hdf5(one.spec)), None)


def is_parallel_hdf5(spec: str) -> bool:
    """Whether a spec names an HDF5 on MPI."""
    return package_name(spec) == "hdf5" and "+mpi" in spec.partition("^")[0]


def _is_meant(there: Compiler | External, spec: str) -> bool:
    wanted = version_in(spec)
    if there.package != package_name(spec):
        return False
    return not wanted or ":" in wanted or f"{there.version}.".startswith(f"{wanted}.")
