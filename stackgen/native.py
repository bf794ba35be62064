"""What packages are built from source with: an MPI, a compiler, variables; and what that makes of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from stackgen import targets
from stackgen.combinations import ON_MPI, Combination, Edit, Source, combination, sources
from stackgen.environments import FOR_WHEELS, TOOLCHAIN
from stackgen.graph import graph
from stackgen.lock import Json, Lock, LockedPackage, WheelLock, digest
from stackgen.model import Compiler, External, Feature
from stackgen.model.specs import package_name
from stackgen.mpi import Mpi, flavour
from stackgen.plan import Plan, WheelsPlan, chosen_compiler, external, parallel_hdf5
from stackgen.plan.requests import capabilities

FORMAT = "1"
"""Part of every identity: raise it when packages are built otherwise."""
_OPTIMIZED = "-O1 -DNDEBUG -fwrapv"
"""For setuptools, which takes none of Python's own options where CFLAGS is set: it would optimize nothing.

Python's own, -O3 -g, cost mpi4py's one file of 13 MB twice the time and memory; by -O1 its calls take a third
of what they take by nothing.
"""
_BUILT_AGAINST = ("mpi4py", "numpy")
"""What packages are compiled against beside the framework, where it is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something is that packages are built on, and which it is, by a spec or by Spack's hash."""

    prefix: Path
    identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpus:
    """What Horovod over NCCL is built with."""

    capabilities: tuple[str, ...]
    """As CUDA's compiler takes them: 7.0 is 70."""
    cuda: str
    """The prefix of CUDA; the plan has refused a system without."""
    nccl: str
    """The prefix of NCCL; empty where it is the wheels'."""

    @property
    def variables(self) -> dict[str, str]:
        """What Horovod and PyTorch read of them."""
        return {
            "CUDA_HOME": self.cuda,
            "HOROVOD_BUILD_CUDA_CC_LIST": ",".join(self.capabilities),
            "HOROVOD_CUDA_HOME": self.cuda,
            "HOROVOD_GPU_OPERATIONS": "NCCL",
            "HOROVOD_NCCL_LINK": "SHARED",
            **({"HOROVOD_NCCL_HOME": self.nccl} if self.nccl else {}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """How the packages of one framework are built from source; by itself it reads nothing from disk."""

    framework: WheelsPlan
    lock: WheelLock
    machine: str
    """The system's OS, glibc and target."""
    compiler: Compiler | None
    """None where the system lists none: then it is whatever PATH has."""
    flags: str
    """The options by which that compiler makes code for the target."""
    mpi: Mpi | None
    mpi_identity: str
    hdf5: Place | None
    gpus: Gpus | None
    """Where the system has NVIDIA's; nobody has tested Horovod over NCCL."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """What is built, in order."""
        return sources(self.framework.about.features)

    @property
    def combination(self) -> Combination | None:
        """How Horovod is built, where it can be."""
        version = self.lock.version(self.framework.package)
        return combination(self.framework.package, version, self.framework.python)

    def edits(self, project: str) -> tuple[Edit, ...]:
        """The texts of a package that are to be changed."""
        return self.combination.edits if project == "horovod" and self.combination else ()

    def libraries(self, project: str) -> tuple[str, ...]:
        """Where a package's library finds the framework's, as seen from itself."""
        found = self.combination if project == "horovod" else None
        nccl = ("nvidia/nccl/lib",) if self.gpus and not self.gpus.nccl else ()
        return tuple(f"$ORIGIN/../../{path}" for path in (*found.libraries, *nccl)) if found else ()

    def variables(self, project: str) -> dict[str, str]:
        """What the build of a package reads from the environment."""
        match project:
            case "horovod":
                return self._horovod()
            case "h5py":
                prefix = str(self.hdf5.prefix if self.hdf5 else "")
                return {"HDF5_MPI": "ON", "HDF5_DIR": prefix, "CFLAGS": _OPTIMIZED}
            case _:
                return {"CFLAGS": _OPTIMIZED}

    def _horovod(self) -> dict[str, str]:
        serves = self.combination.serves if self.combination else ""
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
            **(self.gpus.variables if self.gpus else {}),
        }

    @property
    def identity(self) -> dict[str, Json]:
        """What decides all packages beside the locked files."""
        projects = [source.project for source in self.sources]
        return {
            "format": FORMAT,
            "machine": self.machine,
            "compiler": f"{self.compiler.spec} in {self.compiler.prefix}" if self.compiler else "",
            "flags": self.flags,
            "mpi": self.mpi_identity,
            "hdf5": self.hdf5.identity if self.hdf5 else "",
            "edits": {name: _texts(self.edits(name)) for name in projects},
            "variables": {name: dict[str, Json](self._decisive(name)) for name in projects},
        }

    def key(self, package: LockedPackage) -> str:
        """What decides one package, as a name: the same gives the same wheel."""
        source = next(one for one in self.sources if one.project == package.name)
        own = {canonicalize_name(Requirement(line).name) for line in source.build_requires}
        against = (self.framework.package, *_BUILT_AGAINST)
        needed = [one for one in self.lock.packages if one.name in against and one.name != package.name]
        whole: dict[str, Json] = {
            "source": package.file.sha256,
            "python": self.framework.python,
            "against": [one.file.sha256 for one in needed] if package.name != "mpi4py" else [],
            "tools": [one.file.sha256 for one in self.lock.build_packages if one.name in own],
            **{name: value for name, value in self.identity.items() if name not in {"edits", "variables"}},
            "edits": _texts(self.edits(package.name)),
            "variables": dict[str, Json](self._decisive(package.name)),
        }
        return f"{package.name}-{package.version}-{digest(whole)[:16]}"

    def _decisive(self, project: str) -> dict[str, str]:
        """Without paths: of what lies there, the identity tells."""
        return {name: text for name, text in self.variables(project).items() if name != "HDF5_DIR"}


def native(plan: Plan, framework: WheelsPlan, lock: Lock, prefixes: Mapping[str, Path]) -> Native | None:
    """How a framework's packages are built from source, or None where none is; `prefixes` are Spack's."""
    if not sources(framework.about.features):
        return None
    system = plan.system
    compiler = chosen_compiler(dict(plan.toolchain).get("compiler", ""), system)
    spec = dict(plan.toolchain).get("mpi", "")
    on_mpi = bool({*ON_MPI} & {*framework.about.features})
    place = _mpi_place(plan, lock, spec, prefixes) if on_mpi else None
    return Native(
        framework=framework,
        lock=lock.wheel_lock(framework.name),
        machine=f"{system.os} glibc {system.glibc} {system.target}",
        compiler=compiler,
        flags=targets.flags(system.target, compiler.package, compiler.version) if compiler else "",
        mpi=toolchain_mpi(plan, lock, prefixes) if on_mpi else None,
        mpi_identity=place.identity if place else "",
        hdf5=_hdf5_place(plan, lock, prefixes) if Feature.H5PY in framework.about.features else None,
        gpus=_gpus(plan),
    )


def native_identity(plan: Plan, framework: WheelsPlan, lock: Lock) -> dict[str, Json]:
    """What decides packages built from source beside the locked files; nothing where there are none."""
    found = native(plan, framework, lock, {})
    return {"native": found.identity} if found else {}


def _texts(edits: tuple[Edit, ...]) -> list[Json]:
    return [[edit.file, edit.old, edit.new] for edit in edits]


def toolchain_mpi(plan: Plan, lock: Lock, prefixes: Mapping[str, Path]) -> Mpi | None:
    """The toolchain's MPI where it is installed: the system's, or Spack's by its prefixes."""
    spec = dict(plan.toolchain).get("mpi", "")
    kind, place = flavour(spec), _mpi_place(plan, lock, spec, prefixes)
    return Mpi(spec=spec, flavour=kind, prefix=place.prefix) if kind and place else None


def _gpus(plan: Plan) -> Gpus | None:
    found, there = capabilities(plan.system), plan.system.externals
    prefixes = {one.package: one.prefix for one in there}
    if not found:
        return None
    chosen = external(plan.system, dict(plan.toolchain).get("cuda", "cuda"))
    cuda = chosen.prefix if chosen else prefixes.get("cuda", "")
    return Gpus(capabilities=found, cuda=cuda, nccl=prefixes.get("nccl", ""))


def mpi_identity(plan: Plan, lock: Lock) -> str:
    """Which MPI the toolchain's is; empty where it has none that is known."""
    place = _mpi_place(plan, lock, dict(plan.toolchain).get("mpi", ""), {})
    return place.identity if place else ""


def _mpi_place(plan: Plan, lock: Lock, spec: str, prefixes: Mapping[str, Path]) -> Place | None:
    if not spec:
        return None
    return _system_place(external(plan.system, spec)) or _spack_place(lock, package_name(spec), prefixes)


def _hdf5_place(plan: Plan, lock: Lock, prefixes: Mapping[str, Path]) -> Place | None:
    return _system_place(parallel_hdf5(plan.system)) or _spack_place(lock, "hdf5", prefixes)


def _system_place(found: External | None) -> Place | None:
    return Place(prefix=Path(found.prefix), identity=f"{found.spec} in {found.prefix}") if found else None


def _spack_place(lock: Lock, package: str, prefixes: Mapping[str, Path]) -> Place | None:
    """What Spack was asked for by this name, for the wheels first: that fits what else they are built on."""
    texts = {one.name: one.text for one in lock.spack}
    for environment in (FOR_WHEELS, TOOLCHAIN):
        read = graph(texts[environment]) if environment in texts else None
        for node in (read.nodes[key] for key in read.roots) if read else ():
            if node.name == package:
                return Place(prefix=prefixes.get(node.hash, Path(node.hash)), identity=node.hash)
    return None
