"""Where builds run: what `--executor` means, the words of srun, what Slurm says when it ends or refuses."""

from pathlib import Path

import pytest

from stackgen.errors import InputError
from stackgen.executor import (
    Local,
    Slurm,
    caller_variables,
    ending,
    executor,
    job_name,
    on_node,
    refusal,
    waits,
)
from stackgen.graph import Edge, Node
from stackgen.run import Command, Outcome
from stackgen.store import Work, useful_nodes
from stackgen.store.whole import Found

ROOT = Path("/")
GOES_ON = "run the same command again: what is finished is kept"


def ended(stderr: str, status: int = 1) -> Outcome:
    return Outcome(status=status, stdout="", stderr=stderr)


def test_what_is_meant():
    assert executor("local") == Local()
    assert executor("slurm") == Slurm()
    assert executor("slurm:batch", 3) == Slurm(partition="batch", nodes=3)
    assert executor("slurm:gpu-x4,gpu_x8") == Slurm(partition="gpu-x4,gpu_x8")


@pytest.mark.parametrize(
    ("text", "nodes", "message"),
    [
        (
            "lsf:batch",
            0,
            "--executor: builds are spread over nodes by Slurm alone, not by LSF;"
            " start stackgen itself on a node of the target, as by `bsub -Is stackgen build ENV.yaml`",
        ),
        ("slrum", 0, "--executor: `slrum` is nothing that builds; write local, slurm or slurm:PARTITION"),
        ("", 0, "--executor: `` is nothing that builds; write local, slurm or slurm:PARTITION"),
        (
            "local:n1",
            0,
            "--executor: `local:n1` is nothing that builds; write local, slurm or slurm:PARTITION",
        ),
        (
            "slurm:",
            0,
            "--executor: `slurm:` names no partition; write slurm, or slurm:PARTITION; `sinfo -s` lists them",
        ),
        (
            "slurm:batch --uid=0",
            0,
            "--executor: `slurm:batch --uid=0` names no partition;"
            " write slurm, or slurm:PARTITION; `sinfo -s` lists them",
        ),
        (
            "local",
            2,
            "--nodes: the number of nodes says nothing where all is built on this machine;"
            " leave it out, or add --executor slurm",
        ),
    ],
)
def test_what_means_nothing_is_refused(text: str, nodes: int, message: str):
    with pytest.raises(InputError) as caught:
        executor(text, nodes)
    assert str(caught.value) == message


def test_a_job_gets_a_whole_node_and_is_found_again_by_its_name():
    command = Command(argv=("python", "-V"), environment={"A": "1"}, directory=ROOT)
    asked = on_node(command, Slurm(partition="batch"), job_name("hal"), "/opt/hpai")
    assert str(asked) == (
        "srun --job-name=stackgen-hal --comment=/opt/hpai --partition=batch --nodes=1 --ntasks=1 --exclusive"
        " --mem=0 --cpu-bind=none --mpi=none --export=ALL --input=none --unbuffered --chdir=/ python -V"
    )
    assert asked.environment == {"A": "1"}
    assert asked.patience > 0
    assert "--partition" not in str(on_node(command, Slurm(), "name", "prefix"))


def test_of_the_caller_only_what_srun_is_told_goes_on():
    """Within a job of his own the caller has Slurm's description of that one, too."""
    given = {
        "PATH": "/opt/slurm/bin:/usr/bin",
        "HOME": "/home/admin",
        "SLURM_CONF": "/etc/slurm/slurm.conf",
        "SLURM_ACCOUNT": "staff",
        "SLURM_JOB_ID": "7",
        "SLURM_NNODES": "2",
        "SLURM_MEM_PER_CPU": "100",
        "LD_LIBRARY_PATH": "/elsewhere",
        "PYTHONPATH": "/elsewhere",
    }
    kept = ("PATH", "HOME", "SLURM_CONF", "SLURM_ACCOUNT")
    assert caller_variables(given) == {name: given[name] for name in kept}


@pytest.mark.parametrize(
    ("stderr", "what"),
    [
        (
            "srun: Job step aborted: Waiting up to 3 seconds for job step to finish.\n"
            "slurmstepd: error: *** STEP 5.0 ON n1 CANCELLED AT 2026-11-21T19:00:00 DUE TO TIME LIMIT ***\n",
            "reached its time limit",
        ),
        ("slurmstepd: error: *** STEP 10.0 ON n2 CANCELLED AT 2026-11-21T18:57:00 ***\n", "was cancelled"),
        ("srun: job 4 queued and waiting for resources\nsrun: Force Terminated JobId=4\n", "was cancelled"),
        (
            "srun: error: Node failure on n2\n"
            "slurmstepd: error: *** STEP 4.0 CANCELLED AT 2026-11-21T18:57:00 DUE TO NODE FAILURE ***",
            "was lost with its node",
        ),
        ("slurmstepd: error: Detected 1 oom-kill event(s) in StepId=7.0.\n", "ran out of memory"),
    ],
)
def test_what_slurm_has_ended(stderr: str, what: str):
    found = ending(ended(stderr))
    assert found
    assert found.what == what
    assert found.remedy.endswith(GOES_ON)


def test_what_ends_by_itself_is_not_slurms_doing():
    assert ending(ended("srun: error: n1: task 0: Exited with exit code 1\n")) is None


@pytest.mark.parametrize(
    ("stderr", "message"),
    [
        (
            "srun: error: invalid partition specified: bacth\n"
            "srun: error: Unable to allocate resources: Invalid partition name specified\n",
            "Slurm has no partition bacth; `sinfo -s` lists those that it has",
        ),
        (
            "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n",
            "Slurm's controller does not answer;"
            " see `scontrol ping`, and try again; or build here, without --executor",
        ),
        (
            "srun: fatal: Could not establish a configuration source\n",
            "Slurm's controller does not answer;"
            " see `scontrol ping`, and try again; or build here, without --executor",
        ),
        (
            "slurmstepd: error: execve(): /opt/stackgen/bin/python: No such file or directory\n"
            "srun: error: n1: task 0: Exited with exit code 2\n",
            "/opt/stackgen/bin/python is not there on the nodes;"
            " install stackgen on a file system that all nodes share",
        ),
        (
            "srun: error: Unable to allocate resources: Invalid account or account/partition combination\n",
            "Slurm starts no job: Invalid account or account/partition combination;"
            " say what it needs by srun's variables, such as SLURM_ACCOUNT and SLURM_TIMELIMIT",
        ),
        (
            "/opt/bin/python: error while loading shared libraries: libz.so.1: not found\n"
            "srun: error: n1: task 0: Exited with exit code 127\n",
            "stackgen does not start on n1:"
            " /opt/bin/python: error while loading shared libraries: libz.so.1: not found;"
            " install it on a file system that all nodes share, with the Python that it runs on",
        ),
        (
            "",
            "Slurm starts no job: exit status 1;"
            " say what it needs by srun's variables, such as SLURM_ACCOUNT and SLURM_TIMELIMIT",
        ),
    ],
)
def test_what_slurm_refuses(stderr: str, message: str):
    assert str(refusal(ended(stderr), Slurm(partition="bacth"))) == message


def test_a_job_that_has_to_wait_is_noticed():
    assert waits("srun: job 22 queued and waiting for resources") == "22"
    assert waits("srun: job 22 has been allocated resources") == ""


def package(key: str, *needs: str) -> Node:
    edges = tuple(Edge(to=need, kinds=frozenset({"link"}), virtuals=()) for need in needs)
    return Node(
        hash=key,
        name=key,
        version="1",
        os="linux",
        target="x86_64",
        external=False,
        parameters={},
        edges=edges,
    )


def work(*packages: Node) -> Work:
    nodes = {one.hash: one for one in packages}
    return Work(nodes=nodes, before=Found(absent=(), gone=tuple(nodes), disorder=False))


def test_as_many_nodes_are_useful_as_have_something_to_do_at_once():
    chain = [package("0"), *(package(str(number), str(number - 1)) for number in range(1, 20))]
    assert useful_nodes(work(*chain)) == 1
    assert useful_nodes(work(*(package(str(number)) for number in range(9)))) == 3
    assert useful_nodes(work(*(package(str(number)) for number in range(200)))) == 8
    assert useful_nodes(work()) == 1
