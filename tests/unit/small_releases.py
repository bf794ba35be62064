"""Releases of one small framework on a real disk; only their content is made up."""

from pathlib import Path

from stackgen import files
from stackgen.lock import Lock, LockedFile, LockedPackage, WheelLock, inputs
from stackgen.model import Environment, System
from stackgen.plan import Plan, plan
from stackgen.publish import publish, stage, staged
from stackgen.release import Check, Release, Report, release_of
from stackgen.tree import File, Tree


def planned(prefix: Path, release: str, **framework: object) -> Plan:
    environment = Environment.model_validate(
        {
            "name": "lab",
            "release": release,
            "system": "box",
            "prefix": str(prefix),
            "frameworks": {"six": {"from": "wheels", "version": "newest", "python": "3.11", **framework}},
        }
    )
    return plan(environment, System(name="box", os="debian12", glibc="2.36", target="x86_64_v3"))


def locked(planned: Plan, version: str) -> Lock:
    file = LockedFile(name=f"six-{version}-py2.py3-none-any.whl", size=11, sha256=version[-1] * 64)
    package = LockedPackage(name="six", version=version, file=file)
    return Lock(
        environment=planned.environment,
        inputs=inputs(planned),
        wheels=(WheelLock(framework="six", python="3.11", packages=(package,)),),
    )


def staged_release(prefix: Path, release: str, version: str = "1.17.0") -> Release:
    """A release as a build leaves it: prefixes there, staged, not tested."""
    asked = planned(prefix, release)
    lock = locked(asked, version)
    described = release_of(asked, lock)
    for framework in described.frameworks:
        files.write(Path(framework.prefix, "bin", "python"), "")
        files.write(Path(framework.prefix, "lib/python3.11/site-packages/six.py"), "")
    module = f"modules/Core/hpai/six/{version}.lua"
    stage(asked, lock, Tree({module: File(f"-- six {version}\n")}))
    return described


def report(prefix: Path, release: Release, *, passed: bool = True, request: str | None = None) -> None:
    found = Report(
        release=release.name,
        request=request or release.request,
        checks=(Check(framework="six", name="import", passed=passed),),
    )
    files.write(staged(prefix, release.name) / "report.json", found.model_dump_json())


def publish_new(prefix: Path, release: str, version: str = "1.17.0") -> Release:
    report(prefix, staged_release(prefix, release, version))
    return publish(prefix, release)
