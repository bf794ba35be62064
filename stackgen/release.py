"""Releases on disk: immutable, tested results of builds, and what their files say."""

from pathlib import Path
from typing import Literal

from stackgen.lock import Lock, WheelLock, digest
from stackgen.model.scalars import Strict
from stackgen.plan import Plan, WheelsPlan

PREFIX_FORMAT = "1"
"""Part of every prefix's digest: raise it when what a build puts there changes."""


class InstalledFramework(Strict):
    """A framework as installed: where, and what is inside."""

    name: str
    module: str
    version: str
    prefix: str
    python: str
    packages: dict[str, str]
    """Versions by normalized name."""


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


def prefix_of(plan: Plan, framework: WheelsPlan, lock: WheelLock) -> Path:
    """Where a framework's Python lies: content-addressed, so the same content is the same place."""
    identity = digest({"format": PREFIX_FORMAT, "lock": lock.digest, "system": plan.platform.architecture})
    return (
        Path(plan.prefix) / "pythons" / f"{framework.name}-{lock.version(framework.package)}-{identity[:12]}"
    )


def installed(plan: Plan, lock: Lock) -> tuple[InstalledFramework, ...]:
    """The `wheels` frameworks as they will be installed; computed, whether they are there or not."""
    return tuple(
        InstalledFramework(
            name=framework.name,
            module=framework.about.module,
            version=locked.version(framework.package),
            prefix=str(prefix_of(plan, framework, locked)),
            python=framework.python,
            packages={package.name: package.version for package in locked.packages},
        )
        for framework in plan.wheels
        for locked in (lock.wheel_lock(framework.name),)
    )
