"""Spack's packages, built by several nodes of a real Slurm in one store, of which one may be lost."""

import re
from collections import Counter

import pytest
from cluster import Cluster
from desk import Desk
from yard import Yard

from stackgen.spack import SpackHome

pytestmark = pytest.mark.spack

STONES = {"agate": (), "basalt": (), "chalk": ("agate",), "dolomite": ("basalt", "chalk"), "flint": ()}
TWO = ("--nodes", "2", "--jobs", "1")
"""One package at once on each of two nodes."""
UPDATE = ("scontrol", "update", "Reason=test")
DONE = re.compile(r"^\d+ of \d+: (\S+) built in \d+ s on (n\d)$", re.MULTILINE)


def asked(desk: Desk, slurm: Cluster, spack: SpackHome, packages: dict[str, tuple[str, ...]]) -> Yard:
    made = Yard(desk, slurm)
    made.ask_spack(spack, packages, "alto")
    return made


@pytest.fixture
def yard(desk: Desk, slurm: Cluster, spack: SpackHome) -> Yard:
    return asked(desk, slurm, spack, STONES)


def built(lines: list[str]) -> dict[str, str]:
    """The packages that were built, and where; AssertionError where one was built twice."""
    found = DONE.findall("\n".join(lines))
    assert {*Counter(name for name, _ in found).values()} <= {1}
    return dict(found)


def test_two_nodes_build_at_once_and_nothing_twice(yard: Yard):
    yard.hold("agate", "basalt")
    with yard.building(*TWO) as build:
        nodes = yard.at_work("agate"), yard.at_work("basalt")
        yard.let_go("agate", "basalt")
        assert build.end() == 0, build.lines
    done = built(build.lines)
    assert {*done} == {f"{name}@1.0" for name in STONES} | {"compiler-wrapper@1.0", "gcc-runtime@12.2.0"}
    assert (done["agate@1.0"], done["basalt@1.0"]) == nodes
    assert len({*nodes}) == 2
    (title,) = (line for line in build.lines if line.startswith("installing"))
    assert (
        title == "installing by Spack on 2 nodes of Slurm's partition batch (jobs stackgen-yard) (7 packages)"
    )


def test_what_a_lost_node_had_in_hand_another_builds(yard: Yard, slurm: Cluster):
    yard.hold("agate", "basalt")
    with yard.building(*TWO) as build:
        yard.at_work("agate")
        lost = yard.at_work("basalt")
        slurm.kill_node(lost)
        yard.let_go("agate", "basalt")
        status = build.end()
    slurm.start_node(lost)
    slurm.ready()
    assert status == 0, build.lines
    (note,) = (line for line in build.lines if line.startswith("note: "))
    assert re.fullmatch(rf"note: Spack's packages: the job \d+ on {lost} was lost with its node", note)
    assert built(build.lines)["basalt@1.0"] != lost


def test_after_all_jobs_are_cancelled_the_same_command_goes_on(yard: Yard):
    yard.hold("agate", "basalt")
    with yard.building(*TWO) as build:
        yard.at_work("agate")
        yard.at_work("basalt")
        yard.cluster.run(("scancel", "--name=stackgen-yard"))
        assert build.end() == 1
    yard.let_go("agate", "basalt")
    outcome = yard.build(*TWO)
    assert outcome.status == 0, outcome.stderr
    there = len(built(build.lines))
    assert f"going on: {there} of 7 packages are there\n" in outcome.stderr
    assert len(built([*build.lines, *outcome.stderr.splitlines()])) == 7


@pytest.mark.parametrize(("more", "status"), [((), 0), (("rubble",), 1)])
def test_nodes_that_come_too_late_are_not_waited_for(
    desk: Desk, slurm: Cluster, spack: SpackHome, more: tuple[str, ...], status: int
):
    yard = asked(desk, slurm, spack, dict.fromkeys(("agate", *more), ()))
    yard.hold("agate")
    slurm.run((*UPDATE, "NodeName=n[2-4]", "State=DRAIN"))
    try:
        with yard.building("--nodes", "2", "--until", "build") as build:
            assert yard.at_work("agate") == "n1"
            slurm.run((*UPDATE, "NodeName=n1", "State=DRAIN"))  # given back, it would be the other job's
            yard.let_go("agate")
            build.until(r"^(cancelling) job \d+, as nothing is left to be done$")
            slurm.run((*UPDATE, "NodeName=n[1-4]", "State=RESUME"))
            assert build.end() == status
    finally:
        slurm.run((*UPDATE, "NodeName=n[1-4]", "State=RESUME"))
    assert not any(line.startswith("note: ") for line in build.lines), build.lines


def test_a_failure_is_told_once_and_all_else_is_built(desk: Desk, slurm: Cluster, spack: SpackHome):
    yard = asked(desk, slurm, spack, {"agate": (), "rubble": (), "wall": ("rubble",), "flint": ()})
    outcome = yard.build("--nodes", "2")
    assert outcome.status == 1
    failed = [line for line in outcome.stderr.splitlines() if line.startswith("failed: ")]
    assert len(failed) == 1, outcome.stderr
    assert re.match(r"failed: rubble@1.0 in its phase install on n\d: ", failed[0])
    log = next((yard.house.prefix / "spack/logs").glob("rubble-1.0-*.log"))
    assert "'nothing' undeclared" in log.read_text()
    assert outcome.stderr.splitlines()[-2] == (
        "1 of 6 packages could not be built: rubble@1.0 (install), and so not what depends on it: wall@1.0;"
        f" see {log}; all others are kept, so run the same command again when the cause is gone"
    )
    assert {"agate@1.0", "flint@1.0"} <= {*built(outcome.stderr.splitlines())}


def test_a_failure_keeps_nobody_from_what_he_has_in_hand(desk: Desk, slurm: Cluster, spack: SpackHome):
    yard = asked(desk, slurm, spack, {"agate": (), "rubble": (), "wall": ("rubble",), "flint": ()})
    yard.hold("agate", "rubble", "flint")
    with yard.building("--nodes", "2", "--jobs", "2") as build:  # two packages at once on each
        assert len({yard.at_work(name) for name in ("agate", "rubble", "flint")}) == 2
        yard.let_go("rubble")
        build.until("^failed: (rubble)")
        for name in ("agate", "flint"):
            yard.let_go(name)
            build.until(rf"^\d of 6: ({name})@")
        assert build.end() == 1
    assert sum(line.startswith("failed: ") for line in build.lines) == 1, build.lines


def test_who_comes_late_builds_on_and_does_not_try_again_what_has_failed(
    desk: Desk, slurm: Cluster, spack: SpackHome
):
    held = ("agate", "basalt", "chalk")
    yard = asked(desk, slurm, spack, {"flint": (), "rubble": ()} | dict.fromkeys(held, ("flint",)))
    yard.hold(*held)
    slurm.run((*UPDATE, "NodeName=n[2-4]", "State=DRAIN"))
    try:
        with yard.building("--nodes", "2", "--jobs", "2") as build:
            build.until("^failed: (rubble)")
            slurm.run((*UPDATE, "NodeName=n[2-4]", "State=RESUME"))
            assert len({yard.at_work(name) for name in held}) == 2
            yard.let_go(*held)
            assert build.end() == 1
    finally:
        slurm.run((*UPDATE, "NodeName=n[2-4]", "State=RESUME"))
    assert sum(line.startswith("failed: ") for line in build.lines) == 1, build.lines
