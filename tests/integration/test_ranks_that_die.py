"""A rank that dies under the real mpirun, with and without `hpai rank`: the status, and the words for it."""

import os
import sys
from pathlib import Path

import pytest
from small_jobs import frameworks, planned

from stackgen import files
from stackgen.jobs import job_tree, launcher_tree
from stackgen.mpi import Flavour, Mpi
from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner, Outcome
from stackgen.smoke.ranks import rank_fault

MPI = Mpi(spec="openmpi@4.1.4", flavour=Flavour.OPEN_MPI, prefix=Path("/usr"))
SCHEDULER = {"kind": "slurm", "partitions": {"batch": {"nodes": "1..4", "time": "24:00:00", "cores": 4}}}
SECOND = """\
import os, sys, time
if os.environ["{variable}"] == "1":
    {dies}
time.sleep(60)
"""


@pytest.fixture
def rank(tmp_path: Path) -> tuple[str, ...]:
    """`hpai rank` of a release that is as it is installed."""
    if not MPI.launcher or not MPI.wrapper("c").exists():
        pytest.skip("this machine has no Open MPI of Debian's")
    asked = planned(SCHEDULER, str(tmp_path / "prefix"), "jupyter")
    installed = frameworks(asked, str(tmp_path / "framework"))
    files.write_tree(launcher_tree(asked, installed) | job_tree(asked, installed), Path(asked.place))
    return (str(Path(asked.place) / "bin/hpai"), "rank", "--")


def ranks(directory: Path, before: tuple[str, ...], dies: str) -> Outcome:
    program = directory / "program.py"
    program.write_text(SECOND.format(dies=dies, variable="RANK" if before else "OMPI_COMM_WORLD_RANK"))
    words = (*MPI.start_here(os.getuid()), "-n", "2", *before, sys.executable, str(program))
    environment = {"PATH": os.defpath, "HOME": str(directory), "TMPDIR": "/tmp"}
    return LoggedRunner(Silent())(
        Command(argv=words, environment=environment, directory=directory, timeout=50)
    )


@pytest.mark.parametrize("told", [True, False])
def test_its_status_is_that_of_all_and_the_others_end(tmp_path: Path, rank: tuple[str, ...], *, told: bool):
    outcome = ranks(tmp_path, rank if told else (), "sys.exit(3)")
    assert outcome.status == 3
    assert rank_fault(outcome) == ("rank 1 ended with status 3", "")


@pytest.mark.parametrize("told", [True, False])
def test_its_signal_is_told_by_its_launcher(tmp_path: Path, rank: tuple[str, ...], *, told: bool):
    outcome = ranks(tmp_path, rank if told else (), "os.kill(os.getpid(), 9)")
    assert outcome.status == 137
    fault, seen = rank_fault(outcome)
    assert "rank 1" in fault
    assert "exited on signal 9 (Killed)" in fault
    assert seen == ""


def test_what_it_said_itself_is_told_first(tmp_path: Path, rank: tuple[str, ...]):
    dies = 'print("rank 1: ValueError: no sum", file=sys.stderr, flush=True); os._exit(1)'
    assert rank_fault(ranks(tmp_path, rank, dies)) == ("rank 1: ValueError: no sum", "")
