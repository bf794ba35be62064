"""What packages are built from source with: an MPI, a compiler, variables; and what that makes of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stackgen import targets
from stackgen.combinations import Source, combination, sources
from stackgen.lock import Json, Lock, digest
from stackgen.model import Compiler, Feature
from stackgen.mpi import Mpi, flavour
from stackgen.plan import Plan, WheelsPlan, chosen_compiler, external

FORMAT = "1"
"""Part of every identity: raise it when packages are built otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """How the packages of one framework are built from source; by itself it reads nothing from disk."""

    framework: WheelsPlan
    version: str
    """The framework's, as locked."""
    compiler: Compiler | None
    """None where the system lists none: then it is whatever PATH has."""
    flags: str
    """The options by which that compiler makes code for the target."""
    mpi: Mpi | None
    hdf5: Path | None
    gpus: bool

    @property
    def sources(self) -> tuple[Source, ...]:
        """What is built, in order."""
        return sources(self.framework.about.features)

    @property
    def edits(self) -> Mapping[str, tuple[tuple[str, str, str], ...]]:
        """Per package the texts to be changed: file, old, new."""
        found = combination(self.framework.package, self.version, self.framework.python)
        edits = found.edits if found else ()
        return {"horovod": tuple((edit.file, edit.old, edit.new) for edit in edits)} if edits else {}

    def variables(self, project: str) -> dict[str, str]:
        """What the build of a package reads from the environment."""
        match project:
            case "horovod":
                return self._horovod()
            case "h5py":
                return {"HDF5_MPI": "ON", "HDF5_DIR": str(self.hdf5)}
            case _:
                return {}

    def _horovod(self) -> dict[str, str]:
        found = combination(self.framework.package, self.version, self.framework.python)
        serves = found.serves if found else ""
        others = {"TENSORFLOW", "PYTORCH", "MXNET"} - {serves}
        features = self.framework.about.features
        over_mpi, over_gloo = Feature.HOROVOD in features, Feature.GLOO in features
        return {
            f"HOROVOD_WITH_{serves}": "1",
            **{f"HOROVOD_WITHOUT_{other}": "1" for other in sorted(others)},
            "HOROVOD_WITH_MPI" if over_mpi else "HOROVOD_WITHOUT_MPI": "1",
            "HOROVOD_WITH_GLOO" if over_gloo else "HOROVOD_WITHOUT_GLOO": "1",
            "HOROVOD_CPU_OPERATIONS": "MPI" if over_mpi else "GLOO",
            # Or it would ask for what the machine that builds can do, not for what the target can.
            "HOROVOD_BUILD_ARCH_FLAGS": self.flags or "-pthread",
            **({"HOROVOD_GPU_OPERATIONS": "NCCL"} if self.gpus else {}),
        }


def native(plan: Plan, framework: WheelsPlan, lock: Lock, prefixes: Mapping[str, Path]) -> Native | None:
    """How a framework's packages are built from source, or None where none is; `prefixes` are Spack's."""
    if not sources(framework.about.features):
        return None
    chosen = chosen_compiler(dict(plan.toolchain).get("compiler", ""), plan.system)
    return Native(
        framework=framework,
        version=lock.wheel_lock(framework.name).version(framework.package),
        compiler=chosen,
        flags=targets.flags(plan.system.target, chosen.package, chosen.version) if chosen else "",
        mpi=_mpi(plan, prefixes),
        hdf5=_hdf5(plan, prefixes) if Feature.H5PY in framework.about.features else None,
        gpus=any(gpu.capability for gpu in plan.system.accelerators),
    )


def native_identity(plan: Plan, framework: WheelsPlan, lock: Lock) -> dict[str, Json]:
    """What decides packages built from source beside the locked files; nothing where there are none."""
    built = native(plan, framework, lock, {})
    if built is None:
        return {}
    own: dict[str, Json] = {
        "format": FORMAT,
        "compiler": f"{built.compiler.spec} in {built.compiler.prefix}" if built.compiler else "",
        "target": plan.system.target,
        "flags": built.flags,
        "mpi": f"{built.mpi.spec} in {built.mpi.prefix}" if built.mpi else "",
        "hdf5": str(built.hdf5 or ""),
        "edits": digest([list(edit) for edits in built.edits.values() for edit in edits]),
        "variables": {source.project: dict(built.variables(source.project)) for source in built.sources},
    }
    return {"native": own}


def _mpi(plan: Plan, prefixes: Mapping[str, Path]) -> Mpi | None:
    spec = dict(plan.toolchain).get("mpi", "")
    found, kind = external(plan.system, spec), flavour(spec)
    if not spec or kind is None or found is None:
        return None
    return Mpi(spec=found.spec, flavour=kind, prefix=Path(found.prefix))


def _hdf5(plan: Plan, prefixes: Mapping[str, Path]) -> Path | None:
    found = next((one for one in plan.system.externals if one.package == "hdf5" and "+mpi" in one.spec), None)
    return Path(found.prefix) if found else None
