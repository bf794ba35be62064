"""What takes too long is ended, with all that it started."""

import os
import time
from pathlib import Path

import pytest
from small_releases import locked, planned

from stackgen.release import installed
from stackgen.run import Command, LoggedRunner, Outcome, TimeLimitError
from stackgen.smoke.session import Entrance
from stackgen.smoke.trial import Trial


def is_alive(process: int) -> bool:
    """Whether a process is there and more than a zombie."""
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_nothing_that_a_command_started_outlives_its_time(run: LoggedRunner, tmp_path: Path):
    script = "sleep 60 & echo $! > child; wait"
    command = Command(
        argv=("sh", "-c", script), environment={"PATH": os.defpath}, directory=tmp_path, timeout=1
    )
    began = time.monotonic()
    with pytest.raises(TimeLimitError):
        run(command)
    assert time.monotonic() - began < 20
    child = int((tmp_path / "child").read_text())
    while is_alive(child) and time.monotonic() - began < 20:  # who is killed still has to die
        time.sleep(0.01)
    assert not is_alive(child)


def test_a_framework_that_hangs_is_told_with_a_fake_runner(tmp_path: Path):
    def out_of_time(command: Command) -> Outcome:
        raise TimeLimitError(f"`{command}` did not end")

    plan = planned(tmp_path, "1")
    (framework,) = installed(plan, locked(plan, "1.17.0"))
    trial = Trial(
        framework=framework,
        planned=plan.wheels[0],
        entrance=Entrance(plan=plan, framework=framework, core=tmp_path, lmod=None),
        own_script=tmp_path / "none.py",
        scratch=tmp_path,
        run=out_of_time,
    )
    told = [(check.name, check.passed, check.detail) for check in trial.checks()]
    assert told == [
        ("module", True, "as `stackgen shell`, without Lmod"),
        ("import", False, "did not end within 600 s, at the step `start`"),
    ]
