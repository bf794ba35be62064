"""Builds on the nodes of a real Slurm: at once, cancelled, interrupted, killed, and gone on with."""

import re
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from cluster import Cluster
from desk import Desk
from yard import Yard

from stackgen import files

BUILT = r"(n\d): built {} 1.0 in"
BEGUN = r"(n\d): building {} 1.0 with"


@pytest.fixture
def yard(desk: Desk, slurm: Cluster) -> Yard:
    made = Yard(desk, slurm)
    made.ask("alto", "basso")
    return made


def without_seconds(lines: list[str]) -> list[str]:
    return [re.sub(r" in \d+ s\b.*", "", line) for line in lines]


def test_frameworks_are_built_on_two_nodes_at_once_tested_on_one_and_then_no_job_is_started(yard: Yard):
    yard.hold("alto", "basso")
    with yard.building() as build:
        nodes = build.until(BEGUN.format("alto"), BEGUN.format("basso"))
        names = yard.cluster.run(("squeue", "--noheader", "--format=%j %P")).stdout.splitlines()
        yard.let_go("alto", "basso")
        assert build.end() == 0, build.lines
    assert len({*nodes}) == 2
    assert names == ["stackgen-yard batch"] * 2
    assert "building on 2 nodes of Slurm's partition batch (jobs stackgen-yard) (2 frameworks)" in build.lines
    tested = [line.split(": ", 1)[1] for line in build.lines if "testing" in line and ": " in line]
    assert tested == ["testing alto 1.0 as hpai/alto/1.0", "testing basso 1.0 as hpai/basso/1.0"]
    before = last_job(yard)
    outcome = yard.build()
    assert "release 1 is published already: nothing to do" in outcome.stderr
    assert last_job(yard) == before


def last_job(yard: Yard) -> str:
    shown = yard.cluster.run(("scontrol", "show", "job", "--oneliner")).stdout
    return max(re.findall(r"JobId=(\d+)", shown), key=int)


def test_a_cancelled_job_is_told_and_the_same_command_goes_on(yard: Yard):
    yard.hold("basso")
    with yard.building() as build:
        _, node = build.until(BUILT.format("alto"), BEGUN.format("basso"))
        job = yard.job_on(node)
        yard.cluster.run(("scancel", job))
        assert build.end() == 1
    goes_on = "run the same command again: what is finished is kept"
    assert f"basso: the job {job} on {node} was cancelled; {goes_on}" in build.lines
    assert yard.pythons == ["alto-1.0"]
    yard.let_go("basso")
    outcome = yard.build()
    assert outcome.status == 0, outcome.stderr
    assert "going on: 1 of 2 frameworks are there\n" in outcome.stderr
    assert not re.search(BUILT.format("alto"), outcome.stderr)
    assert yard.pythons == ["alto-1.0", "basso-1.0"]


def test_an_interrupted_build_gives_its_jobs_back(yard: Yard):
    yard.hold("alto", "basso")
    with yard.building("--nodes", "1") as build:
        build.until(BEGUN.format("alto"))
        build.send(signal.SIGINT)
        assert build.end() == 130
    assert build.lines[-1] == "interrupted; the same command goes on where this one stopped"
    assert yard.jobs() == {}
    assert yard.pythons == []


def test_jobs_of_a_killed_build_are_ended_before_the_next_begins_wherever_that_is(yard: Yard):
    yard.hold("alto", "basso")
    with yard.building() as build:
        build.until(BEGUN.format("alto"), BEGUN.format("basso"))
        build.send(signal.SIGKILL)
        assert build.end() == -signal.SIGKILL
    left = yard.jobs()
    assert len(left) == 2
    with yard.building("--executor", "local") as build:
        (told,) = build.until("(^cancelling job .*), left by a build that was killed$")
        yard.let_go("alto", "basso")
        assert build.end() == 0, build.lines
    assert sorted(re.findall(r"\d+", told)) == sorted(left.values())


def test_a_job_that_waits_says_why(yard: Yard):
    with replace(yard, more={"SLURM_TIMELIMIT": "9:00:00"}).building() as build:
        build.until(r"^(alto): job \d+ waits for a node \(PartitionTimeLimit\)$")
        build.send(signal.SIGTERM)
        assert build.end() == 143
    assert yard.jobs() == {}


def test_a_partition_that_does_not_exist(yard: Yard):
    outcome = yard.build("--executor", "slurm:bacth")
    assert outcome.status == 1
    assert (
        outcome.stderr.splitlines()[-2] == "Slurm has no partition bacth; `sinfo -s` lists those that it has"
    )
    assert yard.pythons == []


def test_a_prefix_that_the_nodes_have_of_their_own(yard: Yard):
    """Each node has a file system of its own where PMIx puts its files."""
    own = yard.cluster.directory / "pmix/hpai"
    outcome = yard.build("--prefix", str(own))
    assert outcome.status == 1
    assert re.sub(r"n\d, n\d", "NODES", outcome.stderr.splitlines()[-1]) == (
        f"on NODES: the prefix {own} is not the one that the build was started for;"
        " name one on a file system that all nodes share, by --prefix"
    )


def test_a_machine_without_slurm(yard: Yard, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    outcome = replace(yard, more={"PATH": str(tmp_path / "empty")}).build()
    assert outcome.status == 1
    assert outcome.stderr.splitlines()[-1] == (
        "Slurm's srun is not here; load what brings it, such as `module load slurm`,"
        " or build here, without --executor"
    )


def test_where_nobody_can_say_whether_jobs_are_at_work_nothing_is_done(yard: Yard, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    marker = yard.house.prefix / ".jobs"
    files.write(marker, "stackgen-yard\n")
    outcome = replace(yard, more={"PATH": str(tmp_path / "empty")}).build("--executor", "local")
    assert outcome.status == 1
    assert outcome.stderr.splitlines()[-1] == (
        f"jobs of Slurm may still be at work in {yard.house.prefix}, and Slurm is not here to be asked;"
        f" end them, and remove {marker}"
    )


def test_the_tests_alone_run_on_a_node_too(yard: Yard):
    assert yard.build("--until", "build").status == 0
    outcome = yard.stackgen("test", "yard.yaml", "--executor", "slurm")
    assert outcome.status == 0, outcome.stderr
    assert re.search(r"^n\d: testing alto 1.0 as hpai/alto/1.0$", outcome.stderr, re.MULTILINE)
    assert re.search(r"release 1: \d+ checks passed", outcome.stdout)
