"""The cores of a rank as schedulers and launchers tell them, and what settings with placeholders come to."""

import ast
import inspect

import pytest
from jobs_told import JOBS, NONSENSE

from stackgen.inside import threads
from stackgen.inside.threads import UnknownPlaceholderError, expanded, pieces_of_setting


@pytest.mark.parametrize(("environ", "processors", "cores"), JOBS.values(), ids=JOBS)
def test_the_cores_of_a_rank(environ, processors, cores):
    told = {} if cores is None else {"N": str(cores)}
    assert expanded({"N": "{threads}"}, environ, processors) == told


@pytest.mark.parametrize("text", NONSENSE)
@pytest.mark.parametrize(
    "name",
    [
        "SLURM_CPUS_PER_TASK",
        "SLURM_CPUS_ON_NODE",
        "SLURM_TASKS_PER_NODE",
        "SLURM_STEP_TASKS_PER_NODE",
        "OMPI_COMM_WORLD_LOCAL_SIZE",
        "NCPUS",
    ],
)
def test_nonsense_tells_nothing(name, text):
    whole = {"PBS_JOBID": "1", "SLURM_NTASKS": "4", "SLURM_STEP_ID": "0", name: text}
    assert expanded({"N": "{threads}"}, whole) == {}


def test_what_is_set_stays_and_what_is_not_known_is_left_out():
    settings = {"A": "{threads}", "B": "mine", "C": "a{threads}b", "D": "{{threads}}", "E": "", "F": "x"}
    environ = {"B": "", "F": "y"}
    assert expanded(settings, environ) == {"D": "{threads}", "E": ""}
    assert expanded(settings, {**environ, "SLURM_CPUS_PER_TASK": "4"}) == {
        "A": "4",
        "C": "a4b",
        "D": "{threads}",
        "E": "",
    }


@pytest.mark.parametrize(
    ("value", "pieces"),
    [
        ("", []),
        ("plain", [("plain", "")]),
        ("{threads}", [("", "threads")]),
        ("{{{threads}}}", [("{", ""), ("", "threads"), ("}", "")]),
        ("a{threads}b", [("a", "threads"), ("b", "")]),
        ('{{"a": 1}}', [("{", ""), ('"a": 1}', "")]),
    ],
)
def test_braces_are_doubled(value, pieces):
    assert pieces_of_setting(value) == pieces


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{", "a brace stands alone"),
        ("a}b", "a brace stands alone"),
        ("{threads", "a brace stands alone"),
        ("{}", "{} is no placeholder"),
        ("${x}", "{x} is no placeholder"),
        ("{Threads}", "{Threads} is no placeholder"),
        ("{ threads }", "{ threads } is no placeholder"),
        ("{threads!r}", "{threads!r} is no placeholder"),
        ("{threads:>99999999}", "{threads:>99999999} is no placeholder"),
        ("{threads.real}", "{threads.real} is no placeholder"),
        ("{threads:{threads}}", "{threads:{threads}} is no placeholder"),
    ],
)
def test_other_braces_are_refused_and_older_releases_keep_theirs(value, message):
    with pytest.raises(UnknownPlaceholderError) as caught:
        pieces_of_setting(value)
    assert str(caught.value) == message
    assert expanded({"N": value}, {"SLURM_CPUS_PER_TASK": "4"}) == {"N": value}


def test_it_runs_on_the_oldest_python():
    ast.parse(inspect.getsource(threads), feature_version=(3, 6))


def test_linux_tells_of_this_machine():
    here = threads.processors_here()
    assert here
    assert 1 <= here.allowed <= here.online
    assert here.siblings >= 1
