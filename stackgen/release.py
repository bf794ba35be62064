"""Releases on disk: immutable, tested results of builds, and what their files say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from stackgen.closure import Closure, closure, locked_python
from stackgen.environments import is_shared, python_environment
from stackgen.errors import WorkError
from stackgen.graph import graph
from stackgen.lock import Json, Lock, SpackLock, WheelLock, digest
from stackgen.model import Feature
from stackgen.model.base import Strict
from stackgen.native import native_identity
from stackgen.plan import ContainerPlan, Plan, SpackPlan, WheelsPlan

LOCK, RELEASE, REPORT = "lock", "release.json", "report.json"
"""Where a release keeps them, relative to itself."""
RELEASE_FORMAT = "1"
"""Part of every request: raise it when what a release holds changes beside its prefixes, and those of
older stackgens, which have no launcher say, are not to pass for the same."""
HIERARCHY_FORMAT = "1"
"""Part of the request of a release with a hierarchy: raise it when what its modules do changes."""
JOBS_FORMAT = "1"
"""Part of the request of a release with job scripts: raise it when what they do changes."""
PREFIX_FORMAT = "1"
"""Part of every prefix's digest: raise it when what a build puts there changes."""
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
    source: Literal["wheels", "spack"] = "wheels"


class Release(Strict):
    """`release.json`: what a release is; `request` is the digest of all that it was built from."""

    format: Literal[1] = 1
    name: str
    environment: str
    system: str
    namespace: str
    request: str
    frameworks: tuple[InstalledFramework, ...]


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
                pass


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
    return str(Path(plan.prefix) / "pythons" / f"{name}-{version}-{whole[:12]}")


def is_whole(framework: InstalledFramework) -> bool:
    """Whether the prefix of a framework still has its interpreter, its packages and its programs."""
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
            **_jobs(plan),
            **_hierarchy(lock),
        }
    )


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
