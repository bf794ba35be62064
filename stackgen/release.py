"""Releases on disk: immutable, tested results of builds, and what their files say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from stackgen.closure import Closure, closure, locked_python
from stackgen.environments import is_shared, python_environment
from stackgen.errors import WorkError
from stackgen.graph import graph
from stackgen.image_identity import image_identity
from stackgen.lock import Json, Lock, SpackLock, WheelLock, digest
from stackgen.model import Feature
from stackgen.model.base import Strict
from stackgen.model.deprecation import DeprecatedVersion
from stackgen.native import mpi_identity, native_identity
from stackgen.plan import ContainerPlan, Packed, Plan, SpackPlan, WheelsPlan

LOCK, RELEASE, REPORT = "lock", "release.json", "report.json"
"""Where a release keeps them, relative to itself."""
RELEASE_FORMAT = "1"
"""Part of every request: raise it when what a release holds changes beside its prefixes, and those of
older stackgens, which have no launcher say, are not to pass for the same."""
HIERARCHY_FORMAT = "1"
"""Part of the request of a release with a hierarchy: raise it when what its modules do changes."""
CONTAINERS_FORMAT = "1"
"""Part of the request of a release with containers: raise it when what their commands do changes."""
JOBS_FORMAT = "1"
"""Part of the request of a release with job scripts: raise it when what they do changes."""
DEPRECATIONS_FORMAT = "1"
"""Part of the request of a release that says what users should leave: raise it when that changes."""
PREFIX_FORMAT = "1"
"""Part of every prefix's digest: raise it when what a build puts there changes."""
IMAGE_FORMAT = "1"
"""Part of the digest of every image: raise it when what is made of the same things changes."""
RANKS_FORMAT = "1"
"""Part of the digest of a prefix whose Python tells ranks where they meet: raise it when that changes."""


class InstalledFramework(Strict):
    """A framework as installed: where, and what is inside."""

    name: str
    module: str
    version: str
    prefix: str
    python: str
    """Major and minor version; empty where it has no Python, as only what Spack builds may."""
    packages: dict[str, str]
    """Versions by normalized name; what is none of Python's by the name of its package in Spack."""
    settings: dict[str, str]
    """What its module sets in the environment where the user has not."""
    source: Literal["wheels", "spack", "container"] = "wheels"
    image: str = ""
    """The path of its image, where it runs in a container; `prefix` is then where it lies inside."""

    @property
    def place(self) -> str:
        """What a release cannot do without: its image, or else its prefix."""
        return self.image or self.prefix

    def loaded_as(self, namespace: str) -> str:
        """What `module load` takes, with its version."""
        return f"{namespace}/{self.module}/{self.version}"

    @property
    def is_packed(self) -> bool:
        """Whether its image is that of a framework with a prefix of ours, and none of others'."""
        return bool(self.image) and Path(self.image).name != f"{Path(self.prefix).name}.sqfs"


class Release(Strict):
    """`release.json`: what a release is; `request` is the digest of all that it was built from."""

    format: Literal[1] = 1
    name: str
    environment: str
    system: str
    namespace: str
    request: str
    frameworks: tuple[InstalledFramework, ...]
    deprecations: tuple[DeprecatedVersion, ...] = ()


class Check(Strict):
    """One thing that `stackgen test` looked at."""

    framework: str
    name: str
    passed: bool
    detail: str = ""


class Report(Strict):
    """`report.json`: what `stackgen test` found in a release; `request` says which."""

    format: Literal[1] = 1
    release: str
    request: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing failed; a report without checks has not passed."""
        return bool(self.checks) and all(check.passed for check in self.checks)


def installed(plan: Plan, lock: Lock) -> tuple[InstalledFramework, ...]:
    """The frameworks as they will be installed; computed, whether they are there or not."""
    return tuple(_installed(plan, lock))


def _installed(plan: Plan, lock: Lock) -> Iterator[InstalledFramework]:
    for framework in plan.frameworks:
        match framework:
            case WheelsPlan():
                yield _from_wheels(plan, framework, lock)
            case SpackPlan():
                yield _from_spack(plan, framework, closure_of(framework, lock))
            case ContainerPlan():
                yield _in_image(plan, framework, lock)


def _from_wheels(plan: Plan, framework: WheelsPlan, lock: Lock) -> InstalledFramework:
    locked = lock.wheel_lock(framework.name)
    version = locked.version(framework.package)
    return InstalledFramework(
        name=framework.name,
        module=framework.about.module,
        version=version,
        prefix=_prefix(plan, framework.name, version, _wheels_identity(plan, framework, locked, lock)),
        python=framework.python,
        packages={package.name: package.version for package in locked.packages},
        settings=dict(framework.about.settings),
    )


def _from_spack(plan: Plan, framework: SpackPlan, locked: Closure) -> InstalledFramework:
    identity: dict[str, Json] = {"spack": [node.hash for node in locked.roots], **_ranks(framework)}
    return InstalledFramework(
        name=framework.name,
        module=framework.about.module,
        version=locked.version,
        prefix=_prefix(plan, framework.name, locked.version, identity),
        python=locked.python_version,
        packages=locked.packages,
        settings=dict(framework.about.settings),
        source="spack",
    )


def _in_image(plan: Plan, container: ContainerPlan, lock: Lock) -> InstalledFramework:
    version, packages, python, prefix = _inside(plan, container, lock)
    mpi = mpi_identity(plan, lock) if plan.system.containers.mpi == "host" else ""
    whole = digest({"format": IMAGE_FORMAT, "mpi": mpi, **image_identity(plan, container, lock, prefix)})
    name = f"{container.name}-{version}-{whole[:12]}"
    return InstalledFramework(
        name=container.name,
        module=container.about.module,
        version=version,
        prefix=prefix or str(Path(plan.prefix) / "images" / name),
        python=python,
        packages=packages,
        settings=dict(container.about.settings),
        source="container",
        image=_place(plan, f"images/{name}.sqfs"),
    )


def _inside(plan: Plan, container: ContainerPlan, lock: Lock) -> tuple[str, dict[str, str], str, str]:
    """What is known of a framework in an image: version, packages, Python, and the prefix of a packed one."""
    match container.origin:
        case Packed(framework=WheelsPlan() as framework):
            known = _from_wheels(plan, framework, lock)
            return known.version, known.packages, known.python, known.prefix
        case Packed(framework=SpackPlan() as framework):
            known = _from_spack(plan, framework, closure_of(framework, lock))
            return known.version, known.packages, known.python, known.prefix
    added = lock.wheel_lock(container.name).packages if container.requirements else ()
    packages = {package.name: package.version for package in added}
    return container.about.version, packages, container.python, ""


def closure_of(framework: SpackPlan, lock: Lock) -> Closure:
    """What Spack was asked to build for a framework, solved; KeyError where it is not locked."""
    return closure(_spack_lock(lock, framework.name), framework.spec)


def _spack_lock(lock: Lock, environment: str) -> str:
    return {one.name: one.text for one in lock.spack}[environment]


def spack_python(framework: WheelsPlan, lock: Lock) -> str:
    """The hash of the Python that Spack builds for a framework from wheels; KeyError without its lock."""
    return locked_python(_spack_lock(lock, python_environment(framework.python))).hash


def _wheels_identity(plan: Plan, framework: WheelsPlan, locked: WheelLock, lock: Lock) -> dict[str, Json]:
    """An update of the system's Python is no reason to build anew; another one of Spack's is."""
    own: dict[str, Json] = {"python": spack_python(framework, lock)} if framework.builds_python else {}
    native = native_identity(plan, framework, lock)
    return {"lock": locked.digest, **own, **native, **_ranks(framework)}


def _ranks(framework: WheelsPlan | SpackPlan) -> dict[str, Json]:
    """What the Python of a framework tells its ranks; nothing where it does not."""
    return {"ranks": RANKS_FORMAT} if Feature.DDP in framework.about.features else {}


def _prefix(plan: Plan, name: str, version: str, identity: dict[str, Json]) -> str:
    """Where a framework lies: content-addressed, so the same content is the same place."""
    whole = digest({"format": PREFIX_FORMAT, "system": plan.platform.architecture, **identity})
    return _place(plan, f"pythons/{name}-{version}-{whole[:12]}")


def _place(plan: Plan, path: str) -> str:
    """Where something lies, by its path below a prefix: where the release has it that this stands on."""
    below = str(Path(plan.extends.prefix) / path) if plan.extends else ""
    return below if plan.extends and plan.extends.holds(below) else str(Path(plan.prefix) / path)


def is_whole(framework: InstalledFramework) -> bool:
    """Whether the prefix of a framework still has its interpreter, its packages and its programs."""
    if framework.image:
        image = Path(framework.image)
        return image.is_file() and image.with_suffix(".json").is_file()
    prefix = Path(framework.prefix)
    if framework.python and not (
        (prefix / "bin/python").exists() and any(prefix.glob("lib/python*/site-packages/*"))
    ):
        return False
    return framework.source == "wheels" or _has_programs(prefix / "bin")


def _has_programs(directory: Path) -> bool:
    """Whether there is something, and all of it, for links lead to what Spack has installed."""
    programs = list(directory.glob("*"))
    return bool(programs) and all(program.exists() for program in programs)


def request(plan: Plan, lock: Lock) -> str:
    """SHA-256 in hex over what decides what a release is and what it promises; titles and the like do not."""
    frameworks: Json = {
        # Without what was added later: releases of older stackgens are to stay the same.
        framework.name: framework.model_dump(mode="json", exclude_defaults=True)
        for framework in installed(plan, lock)
    }
    promises: Json = {
        framework.name: [*framework.about.features, framework.about.site_verify]
        for framework in plan.frameworks
    }
    return digest(
        {
            "format": RELEASE_FORMAT,
            "release": plan.release,
            "environment": plan.environment,
            "system": plan.system.name,
            "namespace": plan.namespace,
            "defaults": dict(plan.defaults),
            "frameworks": frameworks,
            "promises": promises,
            **({"containers": CONTAINERS_FORMAT} if plan.containers else {}),
            **({"wheelhouse": plan.wheelhouse} if plan.wheelhouse else {}),
            **_deprecations(plan),
            **_jobs(plan),
            **_hierarchy(lock),
            **({"extends": dict[str, Json](plan.extends.identity)} if plan.extends else {}),
        }
    )


def _deprecations(plan: Plan) -> dict[str, Json]:
    """What decides which modules are loaded with a message, or no more; nothing where all are loaded."""
    said: list[Json] = [dict(one._asdict()) for one in plan.deprecations]
    return {"deprecations": {"format": DEPRECATIONS_FORMAT, "said": said}} if said else {}


def _jobs(plan: Plan) -> dict[str, Json]:
    """What decides the job scripts; nothing where the system has no scheduler."""
    system = plan.system
    if system.scheduler.kind == "none":
        return {}
    facts: dict[str, Json] = {
        "format": JOBS_FORMAT,
        "scheduler": system.scheduler.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "nodes": [system.nodes.sockets, system.nodes.cores] if system.nodes else [],
        "gpus": sum(gpu.count for gpu in system.accelerators),
        "mpi": dict(plan.toolchain).get("mpi", ""),
        **({"ondemand": system.ondemand.cluster} if system.ondemand else {}),
    }
    return {"jobs": facts}


def shared_locks(lock: Lock) -> tuple[SpackLock, ...]:
    """The locks of what is for everyone, and so has modules of its own."""
    return tuple(one for one in lock.spack if is_shared(one.name))


def _hierarchy(lock: Lock) -> dict[str, Json]:
    """What decides the modules of packages, all that they need included; nothing where there are none."""
    roots: dict[str, Json] = {
        one.name: list[Json](sorted(graph(one.text).roots)) for one in shared_locks(lock)
    }
    return {"hierarchy": {"format": HIERARCHY_FORMAT, "roots": roots}} if roots else {}


def release_of(plan: Plan, lock: Lock) -> Release:
    """What `release.json` says of a plan and its lock, whether it is built or not."""
    return Release(
        name=plan.release,
        environment=plan.environment,
        system=plan.system.name,
        namespace=plan.namespace,
        request=request(plan, lock),
        frameworks=installed(plan, lock),
        deprecations=tuple(DeprecatedVersion(**one._asdict()) for one in plan.deprecations),
    )


def read_release(directory: Path) -> Release:
    """What a release says of itself; WorkError where the directory is none."""
    try:
        return Release.model_validate_json((directory / RELEASE).read_bytes())
    except (OSError, ValidationError) as error:
        raise WorkError(
            f"{directory} is no release: its {RELEASE} cannot be read",
            "move it out of the way",
            details=str(error),
        ) from None
