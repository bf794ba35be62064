"""Scaling tables: what is computed of steps, what people see, and what is said to schedulers."""

from pathlib import Path

import pytest

from stackgen.bench.plot import Line, plot
from stackgen.bench.published import PUBLISHED
from stackgen.bench.results import SAMPLES, Row, Size, Trained, read_trained, rows
from stackgen.bench.schedulers import SCHEDULERS, Order
from stackgen.bench.table import comparison, seconds, table
from stackgen.errors import WorkError


def trained(ranks: int, *steps: float, batch: int = 8) -> Trained:
    return Trained(
        job="gan",
        distribution="own",
        ranks=ranks,
        hosts=1,
        batch=batch,
        warmup=1,
        small=False,
        threads="1",
        seconds=steps,
        parameters=686893,
        loss=0.5,
        device="cpu",
        versions={"torch": "2.13.0"},
        python="3.11.7",
    )


def size(nodes: int, ranks_per_node: int = 1) -> Size:
    return Size(nodes=nodes, ranks_per_node=ranks_per_node)


def test_an_epoch_is_shared_by_all_ranks_and_linear_time_is_the_smallest_jobs():
    found = rows(
        [(size(8, 2), trained(16, 1.25)), (size(4, 2), trained(8, 1.0, 1.0, 9.0))], samples=SAMPLES["gan"]
    )
    assert found == (
        Row(nodes=4, ranks=8, epoch=3125, linear=3125, speedup=1, efficiency=1, spread=4.0),
        Row(nodes=8, ranks=16, epoch=1953.125, linear=1562.5, speedup=1.6, efficiency=0.8, spread=0),
    )


def test_equal_work_in_all_that_is_strongly_scaled():
    found = rows([(size(1), trained(1, 1.0, batch=8)), (size(2), trained(2, 0.5, batch=4))], samples=800)
    assert [(row.epoch, row.efficiency) for row in found] == [(100, 1.0), (50, 1.0)]


def test_a_job_that_failed_is_a_line_with_its_reason():
    found = rows([(size(1), "cancelled"), (size(2), trained(2, 1.0)), (size(4), trained(4, 1.0))], 800)
    assert table(found) == (
        "nodes  ranks  s/epoch  linear s  speed-up  efficiency  spread\n"
        "    1      1        -         -         -           -       -\n"
        "    2      2       50        50      1.00     100.0 %   0.0 %\n"
        "    4      4       25        25      2.00     100.0 %   0.0 %\n"
        "1 node, 1 rank: failed: cancelled"
    )


def test_all_jobs_may_fail():
    (row,) = rows([(size(2, 4), "not submitted")], samples=800)
    assert row == Row(nodes=2, ranks=8, epoch=None, reason="not submitted")


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (3806, "3806"), (17831, "17831"), (951.5, "951.5"), (29.734, "29.73")]
)
def test_seconds_have_four_digits(value: float | None, text: str):
    assert seconds(value) == text


def test_what_was_published_has_the_efficiencies_that_are_printed_there():
    printed = [
        [100, 99.6, 95.1, 94.4, 94, 95.9, 97.5, 90.1],
        [100, 94.6, 90.8, 87.5, 83.3, 76.8, 71.4, 62.5],
        [100, 94.6, 92.8, 91.3, 91.1, 90.8, 90.7, 90.4],
        [100, 93, 90.2, 89.1, 87.7, 81.8, 76.6, 71.9],
        [100, 99.1, 98.08, 97.4, 96.8, 95.9, 95.1, 94.1],
    ]
    for one, shares in zip(PUBLISHED, printed, strict=True):
        ours = [100 * (row.efficiency or 0) for row in one.rows]
        assert ours == pytest.approx(shares, abs=0.11), one.title


def test_published_tables_stand_with_their_sources():
    text = comparison(PUBLISHED[:1])
    assert text.splitlines()[:5] == [
        "published, of 3DGAN on its own data:",
        "",
        "SuperMUC-NG, 1 rank a node of 48 threads, in a container [1]",
        "  nodes  ranks  s/epoch  linear s  speed-up  efficiency",
        "      4      4     3806      3806      1.00     100.0 %",
    ]
    assert text.splitlines()[-1].startswith("[1] D. Brayford, IEEE HPEC, 26.09.2019")


def test_a_damaged_result_is_named():
    with pytest.raises(WorkError) as error:
        read_trained('{"job": "gan"}', "1x1.json")
    said = "1x1.json is no result of a training job; remove it, and run the same command again"
    assert str(error.value) == said


def test_the_plot_is_always_the_same():
    lines = [
        Line(title="linear", points=((4, 1), (16, 4)), faint=True),
        Line(title="a < b", points=((4, 1), (8, 1.9), (16, 3.5))),
    ]
    golden = Path(__file__).with_name("scaling.svg")
    assert plot("two & two", lines) == golden.read_text(encoding="utf-8")


def test_a_plot_of_one_job_and_one_of_none_can_be_drawn():
    one = plot("one", [Line(title="one", points=((1, 1),))])
    assert '<circle cx="70.0" cy="430.0" r="4" fill="#0072b2"/>' in one
    assert "<polyline" not in plot("none", [Line(title="none", points=())])


ORDER = Order(
    name="bench-pytorch",
    size=size(4, 2),
    cores=24,
    script=Path("/b/4x2.sh"),
    words=("/b/train.py", "--job", "gan"),
    log=Path("/b/4x2.log"),
    account="p1",
    time="00:30:00",
)


def test_what_is_said_to_slurm():
    slurm = SCHEDULERS["slurm"]
    assert slurm.submit(ORDER) == (
        *("sbatch", "--parsable", "--job-name=bench-pytorch", "--nodes=4", "--ntasks-per-node=2"),
        *("--cpus-per-task=24", "--account=p1", "--time=00:30:00", "--output=/b/4x2.log"),
        *("/b/4x2.sh", "/b/train.py", "--job", "gan"),
    )
    assert [slurm.number(text) for text in ("12\n", "12;fed\n", "")] == ["12", "12", ""]
    assert slurm.watch(("1", "2")) == ("squeue", "--noheader", "--format=%A %T", "--jobs=1,2")
    assert slurm.living("1 PENDING\n2 RUNNING\n\n") == {"1": "waits", "2": "runs"}


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("JobId=1 JobState=FAILED Reason=NonZeroExitCode ExitCode=7:0 A=b", "failed, exit status 7"),
        ("JobId=1 JobState=CANCELLED Reason=None ExitCode=0:15", "cancelled"),
        ("JobId=1 JobState=TIMEOUT Reason=TimeLimit ExitCode=0:15", "timeout, TimeLimit"),
        ("JobId=1 JobState=NODE_FAIL Reason=NodeDown ExitCode=0:0", "node fail, NodeDown"),
        ("slurm_load_jobs error: Invalid job id specified", ""),
    ],
)
def test_how_a_job_of_slurm_has_ended(told: str, words: str):
    assert SCHEDULERS["slurm"].ending(told) == words


def test_what_is_said_to_lsf():
    lsf = SCHEDULERS["lsf"]
    assert lsf.submit(ORDER) == (
        *("bsub", "-J", "bench-pytorch", "-nnodes", "4", "-P", "p1", "-W", "00:30:00"),
        *("-o", "/b/4x2.log", "/b/4x2.sh", "/b/train.py", "--job", "gan"),
    )
    assert lsf.number("Job <123> is submitted to queue <batch>.\n") == "123"
    assert lsf.living("1 PEND\n2 RUN\n3 EXIT\n4 DONE\n") == {"1": "waits", "2": "runs"}
    assert [lsf.ending(text) for text in ("EXIT|7|TERM_RUNLIMIT\n", "DONE|-|-\n", "")] == [
        "failed, 7, TERM_RUNLIMIT",
        "completed",
        "",
    ]
