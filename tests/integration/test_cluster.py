"""The tests' own Slurm: jobs of many nodes, a lost node, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from cluster import Cluster, cluster

from stackgen.settings import OF_PMIX

REDUCE = """\
#include <mpi.h>
#include <stdio.h>
int main(int argc, char **argv) {
    int rank, sum, length; char name[MPI_MAX_PROCESSOR_NAME];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Get_processor_name(name, &length);
    printf("%s: %d\\n", name, sum);
    MPI_Finalize();
}
"""
STARTED = """\
import sys, time
from pathlib import Path
from cluster import cluster
with cluster(Path(sys.argv[1])) as made:
    made.submit(Path(sys.argv[2]))
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def reduce(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A program over Open MPI whose ranks say where they are, and the sum of their numbers."""
    directory = tmp_path_factory.mktemp("reduce")
    (directory / "reduce.c").write_text(REDUCE)
    words = ("mpicc.openmpi", "-o", "reduce", "reduce.c")
    subprocess.run(words, cwd=directory, check=True, capture_output=True)
    return str(directory / "reduce")


def test_ranks_of_four_nodes_reduce_over_pmix(slurm: Cluster, reduce: str):
    words = ("srun", "--nodes=4", "--ntasks-per-node=2", "--mpi=pmix", reduce)
    outcome = slurm.run(words, environment=OF_PMIX)
    assert (outcome.status, outcome.stderr) == (0, "")
    assert sorted(outcome.stdout.splitlines()) == [f"n{node}: 28" for node in (1, 1, 2, 2, 3, 3, 4, 4)]


def test_a_job_script_runs_on_its_nodes_with_its_arguments_and_keeps_its_status(
    slurm: Cluster, reduce: str, tmp_path: Path
):
    script = tmp_path / "job.sh"
    script.write_text('#!/bin/sh\n#SBATCH --nodes=2 --ntasks-per-node=1\nmpirun.openmpi "$1"\nexit 3\n')
    finished = slurm.finished(slurm.submit(script, (reduce,), directory=tmp_path))
    assert (finished.state, finished.status) == ("FAILED", 3)
    assert sorted(finished.output.splitlines()) == ["n1: 1", "n2: 1"]


def test_a_lost_node_takes_its_job_along_and_can_come_back(slurm: Cluster, tmp_path: Path):
    script = tmp_path / "job.sh"
    script.write_text("#!/bin/sh\n#SBATCH --nodes=2 --no-requeue\nsrun sleep 600\n")
    job = slurm.submit(script, directory=tmp_path)
    _wait(lambda: slurm.job(job)["JobState"] == "RUNNING")
    slurm.kill_node("n2")
    try:
        assert slurm.finished(job).state in {"NODE_FAIL", "FAILED"}  # by who sees it first: srun may
    finally:
        slurm.start_node("n2")
        slurm.ready()


def test_two_clusters_are_side_by_side(slurm: Cluster, tmp_path: Path):
    with cluster(tmp_path) as other:
        assert other.run(("srun", "--nodes=4", "hostname")).status == 0
        assert slurm.run(("srun", "--nodes=4", "hostname")).status == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_of_a_cluster_whose_starter_is_killed(number: signal.Signals, tmp_path: Path):
    (tmp_path / "slurm").mkdir()
    script, nap = tmp_path / "job.sh", f"{600 + os.getpid() / 1e7:.7f}"
    script.write_text(f"#!/bin/sh\n#SBATCH --nodes=2\nsrun sleep {nap}\n")
    words = (sys.executable, "-c", STARTED, str(tmp_path / "slurm"), str(script))
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(words, env={"PYTHONPATH": ":".join(sys.path)}, **streams) as starter:
        assert starter.stdout
        assert starter.stdout.readline() == "up\n"
        _wait(lambda: _processes(f"sleep\0{nap}\0", whole=True) == 2)
        starter.send_signal(number)
    _wait(lambda: not _processes(str(tmp_path)) + _processes(nap))


def _wait(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not done():
        assert time.monotonic() < deadline, "not in five minutes"
        time.sleep(0.1)


def _processes(words: str, *, whole: bool = False) -> int:
    """How many processes have these words in their command line."""
    found = 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # gone in between
            line = path.read_text(errors="replace")
            found += line.endswith(words) and "srun" not in line if whole else words in line
    return found
