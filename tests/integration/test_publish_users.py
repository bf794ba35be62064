"""Users with a real Lmod while releases come and go."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from lmod import ROOT, session, shell

from stackgen import files
from stackgen.lock import Lock, LockedFile, LockedPackage, WheelLock, inputs
from stackgen.model import Environment, System
from stackgen.modules import module_tree
from stackgen.plan import Plan, plan
from stackgen.progress import Silent
from stackgen.publish import keep_report, publish, rollback, stage, staged
from stackgen.release import Check, Report, installed, release_of
from stackgen.run import Command, LoggedRunner

pytestmark = pytest.mark.skipif(ROOT is None, reason="Lmod is not installed")

TURNS = 100
"""How often `current` is switched while users load modules."""


@dataclass(frozen=True)
class Prefix:
    """A prefix with releases whose frameworks are a `python` and nothing else."""

    path: Path

    def plan(self, release: str, *frameworks: str) -> Plan:
        entries = {name: {"from": "wheels", "version": "newest", "python": "3.11"} for name in frameworks}
        values = {"name": "lab", "release": release, "system": "box", "prefix": str(self.path)}
        system = System(name="box", os="debian12", glibc="2.36", target="x86_64_v3")
        return plan(Environment.model_validate(values | {"frameworks": entries}), system)

    def publish(self, release: str, **versions: str) -> None:
        """Stage, pass and publish a release with these frameworks."""
        planned = self.plan(release, *versions)
        wheels = tuple(
            WheelLock(framework=name, python="3.11", packages=(package(name, version),))
            for name, version in sorted(versions.items())
        )
        lock = Lock(environment="lab", inputs=inputs(planned), wheels=wheels)
        for framework in installed(planned, lock):
            files.write(Path(framework.prefix, "bin/python"), f"#!/bin/sh\necho {framework.version}\n", 0o755)
            files.write(Path(framework.prefix, "lib/python3.11/site-packages/some.py"), "")
        stage(planned, lock, module_tree(planned, installed(planned, lock)))
        described = release_of(planned, lock)
        passed = Check(framework=next(iter(versions)), name="import", passed=True)
        report = Report(release=release, request=described.request, checks=(passed,))
        keep_report(staged(self.path, release), report)
        publish(self.path, release)

    @property
    def core(self) -> Path:
        return self.path / "current/modules/Core"


def package(name: str, version: str) -> LockedPackage:
    file = LockedFile(name=f"{name}-{version}-py3-none-any.whl", size=1, sha256=version[0] * 64)
    return LockedPackage(name=name, version=version, file=file)


@pytest.fixture
def prefix(tmp_path: Path) -> Prefix:
    return Prefix(tmp_path / "ai")


@dataclass(eq=False)
class Users(threading.Thread):
    """A shell that loads, runs and unloads a module until it is told to stop."""

    core: Path
    work: Path

    def __post_init__(self) -> None:
        super().__init__()
        self.work.mkdir()

    def run(self) -> None:
        script = f"""
            source {ROOT}/init/bash
            module use {self.core}
            before=$PATH
            until [ -e {self.work}/stop ]; do
                module load hpai/six || echo load
                python >> {self.work}/seen || echo run
                module unload hpai/six || echo unload
                [ "$PATH" = "$before" ] || echo "left behind: $PATH"
            done
        """
        self.outcome = LoggedRunner(Silent())(
            Command(
                argv=("bash", "--noprofile", "--norc", "-c", script),
                environment={"PATH": "/usr/bin:/bin", "HOME": str(self.work), "USER": "user"},
                directory=self.work,
                timeout=120,
            )
        )

    @property
    def seen(self) -> list[str]:
        """What their `python` said, each time."""
        path = self.work / "seen"
        return path.read_text().split() if path.exists() else []

    def stop(self) -> None:
        (self.work / "stop").touch()
        self.join()


@pytest.fixture
def users(prefix: Prefix, tmp_path: Path) -> Iterator[Users]:
    """Users at work on release 1, which holds six 1.0."""
    prefix.publish("1", six="1.0")
    at_work = Users(core=prefix.core, work=tmp_path / "users")
    at_work.start()
    while not at_work.seen and at_work.is_alive():
        at_work.join(0.01)
    yield at_work
    at_work.stop()


def test_users_see_no_failure_while_releases_are_switched(prefix: Prefix, users: Users):
    prefix.publish("2", six="2.0", numpy="2.0")
    turns = 0
    while turns < TURNS or (len(users.seen) < 20 and users.is_alive()):
        rollback(prefix.path, "12"[turns % 2])
        turns += 1
        users.join(0.02)
    users.stop()
    assert (users.outcome.stdout, users.outcome.stderr, users.outcome.status) == ("", "", 0)
    assert set(users.seen) == {"1.0", "2.0"}


def test_users_see_no_failure_while_versions_come_and_go(prefix: Prefix, users: Users):
    release = 1
    while len(set(users.seen)) < 10 and users.is_alive():
        release += 1
        prefix.publish(str(release), six=f"{release}.0")
    users.stop()
    assert (users.outcome.stdout, users.outcome.stderr, users.outcome.status) == ("", "", 0)


def test_what_was_loaded_before_a_switch_is_unloaded_after_it(prefix: Prefix, tmp_path: Path):
    prefix.publish("1", six="1.0")
    prefix.publish("2", numpy="2.0")
    rollback(prefix.path, "1")
    go = f"ln -sfn $(readlink {prefix.path}/forward) {prefix.path}/current"
    (prefix.path / "forward").symlink_to(next((prefix.path / "publications/2").iterdir()))
    lines = ["note before", "module load hpai/six", "note loaded", go, "module unload hpai/six", "note after"]
    noted = session(shell("bash"), prefix.core, lines, {"PYTHONPATH": "/mine"}, tmp_path).noted
    assert "PYTHONPATH" not in noted["loaded"]
    assert noted["after"] == noted["before"]


def test_only_the_current_release_is_listed_and_all_can_be_loaded(prefix: Prefix, tmp_path: Path):
    prefix.publish("1", six="1.0")
    prefix.publish("2", six="2.0", numpy="2.0")
    lines = ["module -t avail hpai", "module load hpai/six/1.0 && python", "module load hpai/six && python"]
    output = session(shell("bash"), prefix.core, lines, {}, tmp_path).output
    listed = [line for line in output.splitlines() if line.startswith("hpai/") and not line.endswith("/")]
    assert listed == ["hpai/numpy/2.0", "hpai/six/2.0"]
    assert [line for line in output.splitlines() if line in {"1.0", "2.0"}] == ["1.0", "2.0"]
