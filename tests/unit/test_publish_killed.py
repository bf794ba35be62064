"""A kill -9 at every single step of a publication and of a rollback leaves the prefix whole."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from small_releases import publish_new, report, staged_release

from stackgen.files import read_tree
from stackgen.publish import current_release, publish, releases, rollback

STEPS = frozenset(
    {"os.chmod", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "shutil.rmtree"}
)
"""The audit events (https://docs.python.org/3/library/audit_events.html) of what changes a directory."""


def survives(work: Callable[[], object], step: int) -> bool:
    """Run the work in a process of its own, killed just before the given step; whether it came to its end."""
    process = os.fork()
    if process == 0:
        left = step

        def count(event: str, _: tuple[object, ...]) -> None:
            nonlocal left
            if event in STEPS:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert status in {0, -signal.SIGKILL}
    return status == 0


def check_whole(prefix: Path, expected: tuple[str, ...]) -> None:
    current = current_release(prefix)
    assert current is not None
    assert current.name in expected
    modules = {path.removeprefix("modules/Core/hpai/six/") for path in read_tree(prefix / "current")}
    assert {"1.16.0.lua", f"{current.frameworks[0].version}.lua"} <= modules
    for entry in releases(prefix):
        assert set(read_tree(prefix / "releases" / entry.release.name)) >= {"release.json", "report.json"}
    assert (prefix / "releases/1/report.json").exists()


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """A prefix with release 1 published and release 2 staged and tested."""
    publish_new(tmp_path / "start", "1", "1.16.0")
    report(tmp_path / "start", staged_release(tmp_path / "start", "2", "1.17.0"))
    return tmp_path / "start"


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_publication_killed_at_any_step(start: Path) -> None:
    for step in range(1, 1000):
        prefix = shutil.copytree(start, start.with_name(str(step)), symlinks=True)
        ended = survives(lambda prefix=prefix: publish(prefix, "2"), step)
        check_whole(prefix, ("1", "2"))
        assert publish(prefix, "2").name == "2"
        check_whole(prefix, ("2",))
        if ended:
            break
    assert ended
    assert step > 20


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_rollback_killed_at_any_step(start: Path) -> None:
    publish(start, "2")
    for step in range(1, 1000):
        prefix = shutil.copytree(start, start.with_name(str(step)), symlinks=True)
        ended = survives(lambda prefix=prefix: rollback(prefix, None), step)
        check_whole(prefix, ("1", "2"))
        assert rollback(prefix, "1").name == "1"
        check_whole(prefix, ("1",))
        if ended:
            break
    assert ended
    assert step > 5
