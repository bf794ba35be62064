"""Rules that need more of an environment than one value."""

from pathlib import Path

from packaging.utils import canonicalize_name

from stackgen import targets
from stackgen.combinations import ON_MPI
from stackgen.contradictions import unserved
from stackgen.errors import Fault
from stackgen.model import Environment, SpackFramework, System
from stackgen.model.specs import named_version, package_name

PROVIDERS = {
    "mpi": frozenset(
        {
            *("cray-mpich", "cray-mvapich2", "fujitsu-mpi", "hpcx-mpi", "intel-oneapi-mpi", "mpich", "mpt"),
            *("mvapich", "mvapich2", "openmpi", "spectrum-mpi"),
        }
    ),
    "math": frozenset(
        {
            *("amdblis", "armpl-gcc", "atlas", "blis", "cray-libsci", "essl", "intel-oneapi-mkl"),
            *("netlib-lapack", "nvpl-blas", "openblas"),
        }
    ),
}
"""The packages of Spack that provide MPI, and those that provide BLAS."""


def check(environment: Environment, directory: Path) -> list[Fault]:
    """What is wrong with an environment whose file lies in `directory`; the places are still to be found."""
    return [*_missing_scripts(environment, directory), *_same_names(environment), *_same_mpis(environment)]


def _missing_scripts(environment: Environment, directory: Path) -> list[Fault]:
    return [
        Fault(
            where=f"frameworks.{name}.verify",
            what=f"there is no file {directory / framework.verify}",
            remedy="name a script by its path relative to the environment's file",
        )
        for name, framework in environment.frameworks.items()
        if framework.verify and not (directory / framework.verify).is_file()
    ]


def _same_names(environment: Environment) -> list[Fault]:
    seen: dict[str, str] = {}
    found = []
    for name in environment.frameworks:
        first = seen.setdefault(canonicalize_name(name), name)
        if first != name:
            what = f"{first} and {name} are one name"
            found.append(Fault(where=f"frameworks.{name}", what=what, remedy="rename one of them"))
    return found


def _same_mpis(environment: Environment) -> list[Fault]:
    """Where two would be one module."""
    toolchain = environment.toolchain
    seen = {_module(toolchain.mpi or "")}
    found = []
    for number, spec in enumerate(toolchain.other_mpis):
        if _module(spec) in seen:
            what = f"{spec} is among the MPIs already"
            remedy = "leave it out, or take another version"
            found.append(Fault(where=f"toolchain.other-mpis[{number}]", what=what, remedy=remedy))
        seen.add(_module(spec))
    return found


def _module(spec: str) -> tuple[str, str]:
    return package_name(spec), named_version(spec)


def unfit(environment: Environment, system: System) -> list[Fault]:
    """What is wrong with what an environment chooses of its system; the places are still to be found."""
    return [*_undecided(environment, system), *_unable(environment, system), *_unserved(environment, system)]


def _unable(environment: Environment, system: System) -> list[Fault]:
    chosen = environment.toolchain.compiler or ""
    package, version = package_name(chosen), named_version(chosen)
    what = targets.unable(system.target, package, version)
    if not what or not targets.unable(system.target, package, f"{version}.99"):  # `gcc@10` may be 10.5
        return []
    remedy = "choose another, or name an older target"
    return [Fault(where="toolchain.compiler", what=what, remedy=remedy)]


def _unserved(environment: Environment, system: System) -> list[Fault]:
    version = named_version(environment.toolchain.cuda or "")
    found = [unserved(version, gpu) for gpu in system.accelerators if version]
    return [Fault(where="toolchain.cuda", what=what, remedy="choose another") for what in found if what]


def _undecided(environment: Environment, system: System) -> list[Fault]:
    """Where the system offers several of what there can be only one of, and the environment chooses none."""
    toolchain = environment.toolchain
    named = {"mpi": toolchain.mpi, "math": toolchain.math}
    return [
        Fault(
            where=f"toolchain.{part}",
            what=f"the system {system.name} has {' and '.join(found)}",
            remedy=f"choose one by `toolchain: {{{part}: {found[0]}}}`",
        )
        for part, providers in PROVIDERS.items()
        if _asks_for(part, environment) and not named[part] and len(found := _offered(system, providers)) > 1
    ]


def _asks_for(part: str, environment: Environment) -> bool:
    on_mpi = any({*ON_MPI} & {*framework.features} for framework in environment.frameworks.values())
    return _asks_spack(environment) or (part == "mpi" and on_mpi)


def _asks_spack(environment: Environment) -> bool:
    frameworks = environment.frameworks.values()
    return bool(environment.packages) or any(
        isinstance(framework, SpackFramework) for framework in frameworks
    )


def _offered(system: System, providers: frozenset[str]) -> list[str]:
    """Their versions too, for two of one package are as many."""
    return [external.spec for external in system.externals if external.package in providers]
