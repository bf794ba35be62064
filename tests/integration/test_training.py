"""Training over MPI on four nodes of a real Slurm: a release built without a network, and the ways to run it.

Horovod for TensorFlow is compiled every time; for PyTorch, which takes twice as long, and mpi4py only if
STACKGEN_TEST_CACHE names a directory that keeps what is built for the next time.
"""

import os
import re
import sys
import time
from pathlib import Path

import pytest
from cluster import Cluster
from desk import Desk
from pages import follow
from training import (
    CPU_BUILD,
    DDP,
    FENCE,
    HOROVOD,
    OFFLINE,
    PATIENCE,
    TrainingSite,
    learned,
    require_cpu_build,
    seen,
    write_environment,
)

from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner, Outcome
from stackgen.site import Site

pytestmark = pytest.mark.network

CACHE = os.environ.get("STACKGEN_TEST_CACHE", "")


@pytest.fixture(scope="module")
def site(index: Site, slurm: Cluster, shared_desk: Desk) -> TrainingSite:
    """The environment for training, locked and mirrored here, and built where there is no network."""
    require_cpu_build(index)
    write_environment(shared_desk, kept=bool(CACHE))
    _stackgen(shared_desk, "lock", "training.yaml")
    _stackgen(shared_desk, "mirror", "create", "training.yaml", "-d", "mirror")
    made = TrainingSite(slurm, shared_desk)
    words = ("build", "training.yaml", "--prefix", str(made.prefix), "--mirror", "mirror", "--offline")
    cache = ("--cache", CACHE) if CACHE else ()
    _stackgen(shared_desk, *words, *cache, before=OFFLINE)
    return made


def _stackgen(desk: Desk, *words: str, before: tuple[str, ...] = (), fails: bool = False) -> Outcome:
    outcome = LoggedRunner(Silent())(
        Command(
            argv=(*before, sys.executable, "-m", "stackgen", *words),
            environment=desk.environment(),
            directory=desk.directory,
            timeout=2400 if CACHE else 1200,  # of which a machine that does nothing else takes a quarter
        )
    )
    assert (outcome.status != 0) == fails, outcome.stdout + outcome.stderr
    return outcome


TWO = {"ranks": 2, "nodes": 1, "sum": 3.0}
FOUR = {"ranks": 4, "nodes": 2, "sum": 10.0}
TENSORFLOW_DDP = {"check": "ddp_tensorflow", "version": "2.15.1", "backend": "ring", "device": "cpu"}
PYTORCH_DDP = {"check": "ddp_pytorch", "version": CPU_BUILD, "backend": "gloo", "device": "cpu"}
BY_MPI = {"version": "0.28.1", "controller": "mpi", "built": ["mpi"], "device": "cpu"}
TENSORFLOW = {"check": "horovod_tensorflow", "framework": "2.15.1", **BY_MPI}
PYTORCH = {"check": "horovod_torch", "framework": CPU_BUILD, **BY_MPI} if CACHE else PYTORCH_DDP


@pytest.mark.parametrize(
    ("script", "check", "expected"),
    [
        ("tensorflow/batch/node.sh", "", TENSORFLOW | TWO),
        ("tensorflow/batch/nodes.sh", "", TENSORFLOW | FOUR),
        ("tensorflow/debug/nodes.sh", "ranks_ddp_tensorflow.py", TENSORFLOW_DDP | FOUR),
        ("pytorch/batch/node.sh", "", PYTORCH | TWO),
        ("pytorch/batch/nodes.sh", "", PYTORCH | FOUR),
        ("pytorch/debug/nodes.sh", "ranks_ddp_pytorch.py", PYTORCH_DDP | FOUR),
    ],
)
def test_job_scripts_as_generated_train_on_all_ranks(site: TrainingSite, script, check, expected):
    words = (str(site.release / "share/checks" / check),) if check else ()
    finished = site.job(script, *words)
    assert (finished.state, finished.status) == ("COMPLETED", 0), finished.output
    assert seen(finished.output) == expected


def test_a_job_script_of_one_process_imports_the_framework(site: TrainingSite):
    finished = site.job("tensorflow/small/process.sh")
    assert (finished.status, finished.output.splitlines()[-1]) == (0, "tensorflow 2.15.1")


def test_four_nodes_train_by_one_option_more(site: TrainingSite, tmp_path: Path):
    (tmp_path / "train.py").write_text(HOROVOD)
    options = ("--nodes=4", "--ntasks-per-node=1")
    finished = site.job("tensorflow/batch/nodes.sh", str(tmp_path / "train.py"), "60", options=options)
    assert learned(finished.output) == [f"{rank} of 4 learns" for rank in range(4)], finished


def test_no_rank_goes_on_before_all_have_come(site: TrainingSite, tmp_path: Path):
    """As at the end of MPI_Init, where one that does ends the others now and then."""
    (tmp_path / "fence.py").write_text(FENCE)
    command = f"srun --mpi=pmix --nodes=2 --ntasks-per-node=1 python {tmp_path}/fence.py {tmp_path}/come"
    outcome = site.user(f"module load hpai/tensorflow\n{command}")
    assert outcome.status == 0, outcome.stderr
    assert sorted(outcome.stdout.splitlines()) == ["0 True", "1 True"]


def test_a_user_loads_a_module_and_runs_a_program_on_two_nodes(site: TrainingSite, tmp_path: Path):
    (tmp_path / "train.py").write_text(HOROVOD)
    script = f"module load hpai/tensorflow\ncd {tmp_path}\nhpai run -N 2 train.py 60"
    outcome = site.user(script)
    assert learned(outcome.stdout) == [f"{rank} of 4 learns" for rank in range(4)]
    command = "srun --mpi=pmix --partition=batch --nodes=2 --ntasks-per-node=2 --cpus-per-task=2"
    said = f"{command} --kill-on-bad-exit=1 {site.release}/bin/hpai rank -- python train.py 60\n"
    assert outcome.stderr.startswith(said)
    assert outcome.status == 0


@pytest.mark.parametrize(("framework", "text"), [("tensorflow", HOROVOD), ("pytorch", DDP)])
def test_the_same_program_runs_as_one_process(site: TrainingSite, tmp_path: Path, framework: str, text: str):
    (tmp_path / "train.py").write_text(text)
    outcome = site.user(f"module load hpai/{framework}\nhpai run {tmp_path}/train.py 60")
    assert [line[:13] for line in learned(outcome.stdout)] == ["0 of 1 learns"]
    assert outcome.status == 0, outcome.stderr


def test_the_tutorial_for_users_works_as_it_is_written(site: TrainingSite, tmp_path: Path):
    shells = {name: site.shell(tmp_path) for name in ("user", "notebook")}
    follow("tutorials/user.md", shells)


def test_a_users_own_script_is_submitted_seen_in_the_queue_and_trains(site: TrainingSite, tmp_path: Path):
    (tmp_path / "train.py").write_text(HOROVOD)
    (tmp_path / "own.sh").write_text(
        "#!/bin/bash\n#SBATCH --nodes=2 --ntasks-per-node=1 --cpus-per-task=2\n"
        f"srun --mpi=pmix --cpus-per-task=2 python {tmp_path}/train.py 60\n"
    )
    outcome = site.user(f"module load hpai/tensorflow\nhpai batch {tmp_path}/own.sh\nhpai queue")
    job, *queue = outcome.stdout.splitlines()
    assert [line.split()[:3] for line in queue if line.startswith(f"{job} ")] == [[job, "batch", "own.sh"]]
    finished = site.cluster.finished(int(job), PATIENCE)
    assert (finished.state, learned(finished.output)) == (
        "COMPLETED",
        ["0 of 2 learns", "1 of 2 learns"],
    )


def test_pytorchs_own_distribution_needs_nothing_but_the_launcher(site: TrainingSite, tmp_path: Path):
    (tmp_path / "train.py").write_text(DDP)
    outcome = site.user(f"module load hpai/pytorch\nhpai run -N 2 {tmp_path}/train.py")
    assert learned(outcome.stdout) == [f"{rank} of 4 learns with 2" for rank in range(4)]
    assert outcome.status == 0


@pytest.mark.parametrize(("framework", "text"), [("tensorflow", HOROVOD), ("pytorch", DDP)])
def test_a_users_own_srun_needs_no_launcher(site: TrainingSite, tmp_path: Path, framework: str, text: str):
    (tmp_path / "train.py").write_text(text)
    srun = "srun --mpi=pmix --nodes=2 --ntasks-per-node=1 --cpus-per-task=2"
    outcome = site.user(f"module load hpai/{framework}\n{srun} python {tmp_path}/train.py 60")
    assert [line[:13] for line in learned(outcome.stdout)] == ["0 of 2 learns", "1 of 2 learns"]
    assert outcome.status == 0, outcome.stderr


def test_a_users_own_mpirun_in_a_job_needs_no_launcher(site: TrainingSite, tmp_path: Path):
    (tmp_path / "train.py").write_text(HOROVOD)
    (tmp_path / "job.sh").write_text(
        "#!/bin/bash -l\n#SBATCH --nodes=2 --ntasks-per-node=1 --cpus-per-task=2\n"
        f"module use {site.prefix}/current/modules/Core\nmodule load hpai/tensorflow\n"
        f"mpirun.openmpi python {tmp_path}/train.py 60\n"
    )
    job = site.cluster.submit(tmp_path / "job.sh", directory=tmp_path)
    finished = site.cluster.finished(job, PATIENCE)
    assert learned(finished.output) == ["0 of 2 learns", "1 of 2 learns"]


def test_a_rank_that_dies_in_training_ends_the_job_which_says_so(site: TrainingSite, tmp_path: Path):
    (tmp_path / "train.py").write_text(HOROVOD)
    script = f"module load hpai/tensorflow\nhpai run -N 2 {tmp_path}/train.py 1000000"
    outcome = site.user(script, environment={"DIES": "2"})
    assert outcome.status == 9
    assert "rank 2 of 4 on n2 ended with status 9\n" in outcome.stderr


def test_a_node_that_dies_ends_the_job_and_is_named(site: TrainingSite, tmp_path: Path):
    (tmp_path / "train.py").write_text(HOROVOD)
    script = site.release / "jobs/tensorflow/batch/nodes.sh"
    job = site.cluster.submit(
        script,
        (str(tmp_path / "train.py"), "1000000"),
        options=("--no-requeue", "--ntasks-per-node=1", "--nodelist=n1,n2"),
        directory=tmp_path,
        environment={"SAYS": "yes"},
    )
    output = tmp_path / f"tensorflow-{job}.out"
    try:
        _until(lambda: output.exists() and "step 9" in output.read_text())
        site.cluster.kill_node("n2")
        finished = site.cluster.finished(job, PATIENCE)
        assert finished.state in {"NODE_FAIL", "FAILED"}  # by who sees it first: srun may
        assert finished.status
        assert re.search(r"\bn2\b", finished.output)
    finally:
        site.cluster.start_node("n2")
        site.cluster.ready()


def test_a_test_says_that_the_mpi_is_gone_on_which_all_was_built(site: TrainingSite):
    hidden = "mount --bind /dev/null $(readlink -f /usr/lib/x86_64-linux-gnu/libmpi.so.40)"
    before = ("unshare", "--mount", "sh", "-c", f'{hidden} && exec "$@"', "sh")
    words = ("test", "training.yaml", "--prefix", str(site.prefix))
    outcome = _stackgen(site.desk, *words, before=before, fails=True)
    assert outcome.status == 1
    assert "libmpi.so.40" in outcome.stderr


def _until(done) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.2)
