"""The launcher of a release and its job scripts, on a real Slurm of four nodes."""

import os
import pty
import re
import select
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from cluster import Cluster
from small_jobs import frameworks, planned

from stackgen import files
from stackgen.jobs import check_tree, job_tree, launcher_tree
from stackgen.modules import module_tree
from stackgen.run import Outcome

RANK = 'echo "$RANK/$WORLD_SIZE $LOCAL_RANK $(hostname) $MASTER_ADDR $SLURM_CPUS_PER_TASK"'
SECOND_DIES = 'if [ "$RANK" = 1 ]; then exit 3; fi; sleep 600'
"""Where nobody ends the other, the test runs into its time limit."""


@dataclass(frozen=True)
class Desk:
    """A user of the cluster with a release on it."""

    cluster: Cluster
    release: Path

    def __call__(self, *words: str, **environment: str) -> Outcome:
        return self.cluster.run((str(self.release / "bin/hpai"), *words), environment=environment)

    @property
    def home(self) -> Path:
        return self.cluster.directory

    def script(self, text: str, name: str = "job.sh") -> Path:
        path = self.home / name
        path.write_text(f"#!/bin/bash\n{text}\n")
        return path


@pytest.fixture(scope="module")
def desk(slurm: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    scheduler = yaml.safe_load(slurm.system_yaml)["scheduler"]
    scheduler["partitions"]["batch"]["default"] = True
    prefix = tmp_path_factory.mktemp("prefix")
    asked = planned(scheduler, str(prefix), "mpi4py", externals=[{"spec": "openmpi@4.1.4", "prefix": "/usr"}])
    framework = tmp_path_factory.mktemp("framework")
    (framework / "bin").mkdir()
    (framework / "bin/python").symlink_to("/usr/bin/python3")
    installed = frameworks(asked, str(framework))
    tree = job_tree(asked, installed) | launcher_tree(asked, installed) | check_tree()
    files.write_tree(tree | module_tree(asked, installed), Path(asked.place))
    return Desk(slurm, Path(asked.place))


@pytest.fixture(autouse=True)
def _idle(slurm: Cluster) -> None:
    """All nodes are free, so that jobs get the first ones."""
    slurm.ready()


def test_several_nodes_run_ranks_that_know_each_other(desk: Desk):
    outcome = desk("run", "-N", "2", "bash", "-c", RANK)
    assert sorted(outcome.stdout.splitlines()) == [
        "0/4 0 n1 n1 2",
        "1/4 1 n1 n1 2",
        "2/4 0 n2 n1 2",
        "3/4 1 n2 n1 2",
    ]
    assert outcome.status == 0
    assert outcome.stderr.startswith(
        "srun --mpi=pmix --partition=batch --nodes=2 --ntasks-per-node=2 --cpus-per-task=2"
        f" --kill-on-bad-exit=1 {desk.release}/bin/hpai rank -- bash -c "
    )


def test_one_process_is_told_that_it_is_the_only_one(desk: Desk):
    outcome = desk("run", "bash", "-c", RANK)
    assert (outcome.stdout, outcome.status) == ("0/1 0 n1 127.0.0.1 4\n", 0)


def test_one_process_has_the_users_words_input_and_status(desk: Desk):
    outcome = desk(
        "run", "bash", "-c", 'cat; echo "$1|$RANK"; exit 7', "x", "a  'b' $c", SLURM_CPU_BIND="none"
    )
    assert (outcome.stdout, outcome.status) == ("a  'b' $c|0\n", 7)


def test_a_python_file_is_run_by_the_python_of_the_module_that_is_named(desk: Desk):
    program = desk.home / "train.py"
    program.write_text(
        "import os, sys\nprint(sys.argv[1:], os.environ['HPAI_TOOL_ROOT'], os.environ['RANK'])\n"
    )
    outcome = desk("run", "-m", "tool", "-N", "1", "-n", "2", str(program), "--epochs", "3")
    root = re.search(r"\] (\S+) 0", outcome.stdout)
    assert sorted(outcome.stdout.splitlines()) == [f"['--epochs', '3'] {root[1]} {rank}" for rank in (0, 1)]
    assert outcome.status == 0


def test_a_rank_that_dies_ends_the_job_and_is_told_with_its_node_and_its_status(desk: Desk):
    outcome = desk("run", "-N", "2", "-n", "1", "bash", "-c", SECOND_DIES)
    assert outcome.status == 3
    assert "rank 1 of 2 on n2 ended with status 3\n" in outcome.stderr
    assert "rank 0" not in outcome.stderr
    assert "\nTerminated" not in outcome.stderr  # the shell's own word


def test_a_rank_that_is_killed_is_told_by_its_signal(desk: Desk):
    outcome = desk("run", "-N", "2", "-n", "1", "bash", "-c", SECOND_DIES.replace("exit 3", "kill -9 $$"))
    assert "rank 1 of 2 on n2 was ended by SIGKILL\n" in outcome.stderr
    assert outcome.status == 137


def test_a_program_that_only_the_nodes_lack_is_named(desk: Desk):
    outcome = desk("rank", "--", "no-such-program")
    assert (outcome.status, outcome.stderr) == (
        127,
        "hpai: no-such-program cannot be started: No such file or directory\n",
    )


def test_a_script_is_submitted_byte_for_byte_and_its_number_printed(desk: Desk):
    script = desk.script('#SBATCH -N 2 --output=batch-%j\ncat "$0"; srun hostname | sort; echo "$1|$2"')
    outcome = desk("batch", "-t", "00:05:00", str(script), "a b", "$c")
    assert (outcome.status, outcome.stderr) == (0, f"sbatch --parsable --time=00:05:00 {script} 'a b' '$c'\n")
    job = int(outcome.stdout)
    assert desk.cluster.job(job)["TimeLimit"] == "00:05:00"
    assert desk.cluster.finished(job).output == f"{script.read_text()}n1\nn2\na b|$c\n"


def test_a_script_may_come_by_the_input(desk: Desk):
    script = desk.script("#SBATCH --output=input-%j\nhostname")
    program = desk.release / "bin/hpai"
    outcome = desk.cluster.run(("sh", "-c", f"{program} batch -p debug < {script}"))
    assert outcome.stderr == "sbatch --parsable --partition=debug\n"
    assert desk.cluster.finished(int(outcome.stdout)).output == "n1\n"


def test_what_slurm_refuses_is_told_by_slurm(desk: Desk):
    outcome = desk("batch", "-o", "--nodelist=n9", str(desk.script("true")))
    assert outcome.status == 1
    assert "Invalid node name specified" in outcome.stderr


def test_the_queue_shows_the_users_jobs_and_what_is_free(desk: Desk):
    script = desk.script("sleep 600", "with|a bar.sh")
    jobs = [int(desk("batch", "-N", str(nodes), "-o", "--exclusive", str(script)).stdout) for nodes in (3, 4)]
    try:
        deadline = time.monotonic() + 300
        while desk.cluster.job(jobs[0])["JobState"] != "RUNNING" and time.monotonic() < deadline:
            time.sleep(0.2)
        told = desk("queue").stdout.splitlines()
    finally:
        desk.cluster.run(("scancel", *map(str, jobs)))
    running = next(line for line in told if line.startswith(str(jobs[0])))
    assert re.fullmatch(rf"{jobs[0]} +batch +with\|a bar\.sh +running +\S+ +1:00:00 +3 +n\[1-3\]", running)
    waiting = next(line for line in told if line.startswith(str(jobs[1])))
    assert re.fullmatch(rf"{jobs[1]} +batch +with\|a bar\.sh +pending +0:00 +1:00:00 +4( +\(\S+\))?", waiting)
    assert told[-4:] == [
        "PARTITION  NODES OF A JOB  LIMIT     FREE",
        "batch      1 to 4          01:00:00  1 of 4 nodes",
        "debug      1 to 2          00:10:00  1 of 4 nodes",
        "small      1               00:30:00  0 of 2 nodes",
    ]
    for job in jobs:
        assert desk.cluster.finished(job).state == "CANCELLED"


def test_a_job_that_is_cancelled_ends_what_waits_for_it(desk: Desk):
    program = str(desk.release / "bin/hpai")
    script = f"""
    {program} run -N 2 -n 1 bash -c 'touch {desk.home}/began-$RANK; sleep 600' 2> {desk.home}/said &
    until [ -e {desk.home}/began-0 ]; do sleep 0.1; done
    scancel --user=root
    wait $!
    echo $?
    """
    outcome = desk.cluster.run(("bash", "-c", script))
    assert outcome.stdout.strip() not in ("", "0")
    assert "CANCELLED" in (desk.home / "said").read_text()


def test_in_a_job_it_starts_steps(desk: Desk):
    program = desk.release / "bin/hpai"
    script = desk.script(
        f"#SBATCH -N 2 --ntasks-per-node=2 --output=steps-%j\n{program} run bash -c '{RANK}' 2>&1 | sort\n"
        f"{program} run -N 1 -n 1 hostname 2>&1\n{program} run -N 3 true 2>&1"
    )
    output = desk.cluster.finished(int(desk("batch", str(script)).stdout)).output.splitlines()
    assert [line.split()[:4] for line in output[:4]] == [
        ["0/4", "0", "n1", "n1"],
        ["1/4", "1", "n1", "n1"],
        ["2/4", "0", "n2", "n1"],
        ["3/4", "1", "n2", "n1"],
    ]
    assert output[6] == "n1"
    assert re.fullmatch(r"hpai: the job \d+ has 2 nodes, and 3 were asked for", output[7])


def typed(desk: Desk, words: tuple[str, ...], lines: tuple[str, ...]) -> tuple[str, int]:
    """What a terminal shows in which a user types, and the status."""
    child, terminal = pty.fork()
    if child == 0:
        environment = {"PATH": os.environ["PATH"], "SHELL": "/bin/sh", **desk.cluster.environment}
        os.execvpe(str(desk.release / "bin/hpai"), ("hpai", *words), environment)
    shown, left, deadline = b"", list(lines), time.monotonic() + 300
    while True:
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
        if not select.select([terminal], [], [], 0.5)[0]:
            continue
        try:
            shown += os.read(terminal, 4096)
        except OSError:  # the other side has gone
            break
        if left and shown.rstrip().endswith(b"#"):
            os.write(terminal, left.pop(0).encode() + b"\n")
    return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize(("words", "hosts"), [((), ["n1"]), (("-N", "2"), ["n1", "n2"])])
def test_without_a_command_it_is_a_shell_in_which_steps_can_be_started(desk: Desk, words, hosts):
    step = f"{desk.release}/bin/hpai run -n 1 sh -c 'echo at $(hostname)'"
    shown, status = typed(desk, ("run", *words), (step, "exit 4"))
    assert sorted(re.findall(r"^at (\S+)\r$", shown, re.MULTILINE)) == hosts
    assert status == 4


def test_job_scripts_run_as_they_are_and_with_a_program(desk: Desk):
    """The check of a release wants mpi4py, which this one has not: every rank says so, and the job fails."""
    scripts = desk.release / "jobs/tool/batch"
    bare = {"SLURM_EXPORT_ENV": "ALL", "BASH_ENV": ""}
    run = desk.cluster.submit(scripts / "nodes.sh", ("bash", "-c", RANK), environment=bare)
    check = desk.cluster.submit(scripts / "node.sh", options=("-t", "00:02:00"))
    alone = desk.cluster.submit(scripts / "process.sh", ("-c", "import sys; print(sys.argv[1:])", "a b"))
    failing = desk.cluster.submit(scripts / "nodes.sh", ("bash", "-c", SECOND_DIES), options=("-n", "2"))
    assert sorted(desk.cluster.finished(run).output.splitlines()) == [
        "0/4 0 n1 n1 2",
        "1/4 1 n1 n1 2",
        "2/4 0 n2 n1 2",
        "3/4 1 n2 n1 2",
    ]
    checked = desk.cluster.finished(check)
    assert (checked.state, checked.status) == ("FAILED", 1)
    assert checked.output.count("No module named 'mpi4py'") == 2
    assert desk.cluster.finished(alone).output == "['a b']\n"
    failed = desk.cluster.finished(failing)
    assert (failed.state, failed.status) == ("FAILED", 3)
    assert "ended with status 3\n" in failed.output


def test_a_job_from_a_shell_that_has_loaded_the_module_tells_nothing_of_its_modules(
    desk: Desk, tmp_path: Path
):
    """The shell has it from elsewhere, the job from its own release."""
    module = desk.release / "modules/Core/hpai/tool/1.0.lua"
    root = re.findall(r'replace\("HPAI_TOOL_ROOT", "(.+)"\)', module.read_text())[0]
    elsewhere = tmp_path / "Core/hpai/tool/1.0.lua"
    files.write(elsewhere, module.read_text().replace(root, "/elsewhere"))
    script = desk.release / "jobs/tool/batch/process.sh"
    lines = f"""
    module use {tmp_path}/Core
    module load hpai/tool
    echo $HPAI_TOOL_ROOT
    sbatch --parsable {script} sh -c 'echo $HPAI_TOOL_ROOT'
    """
    shell, job = desk.cluster.run(("bash", "-lc", lines)).stdout.split()
    assert (shell, desk.cluster.finished(int(job)).output) == ("/elsewhere", f"{root}\n")


def test_a_controller_that_is_down_is_told_at_once(desk: Desk):
    """Nobody listens where this one is said to be: killing the cluster's own would lose jobs."""
    told = (desk.home / "slurm.conf").read_text()
    (desk.home / "down").mkdir()
    down = desk.home / "down/slurm.conf"
    down.write_text(re.sub("(?m)^SlurmctldPort=.*", "SlurmctldPort=1", told))
    for words in (("run", "true"), ("batch", str(desk.script("true"))), ("queue",)):
        outcome = desk(*words, SLURM_CONF=str(down))
        assert outcome.stderr.splitlines()[-1] == (
            "hpai: Slurm's controller does not answer; ask those who run Lab"
        )
        assert outcome.status == 1


def test_without_slurm_on_path_it_says_where_slurm_is(desk: Desk):
    program = str(desk.release / "bin/hpai")
    outcome = desk.cluster.run(("env", "PATH=/nowhere", "/bin/sh", program, "run", "/bin/true"))
    assert outcome.stderr.splitlines()[-1] == (
        "hpai: srun is not on PATH; Slurm runs where its commands are, on the login nodes of Lab"
    )
    assert outcome.status == 1
