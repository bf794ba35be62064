"""The cores of a rank as schedulers and launchers tell them, and what settings with placeholders come to."""

import ast
import inspect

import pytest

from stackgen.inside import threads
from stackgen.inside.threads import Processors, UnknownPlaceholderError, expanded, pieces_of_setting

NODE = Processors(allowed=48, online=48, siblings=1)

JOBS = {
    "nothing": ({}, NODE, None),
    "slurm, cores asked for": ({"SLURM_CPUS_PER_TASK": "12"}, NODE, 12),
    "slurm, cores asked for, no job of this node": (
        {"SLURM_CPUS_PER_TASK": "12"},
        Processors(4, 4, 1),
        12,
    ),
    "slurm, cores asked for and fewer had": (
        {"SLURM_CPUS_PER_TASK": "12", "SLURM_CPUS_ON_NODE": "12"},
        Processors(6, 48, 1),
        6,
    ),
    "slurm, ranks asked for": (
        {"SLURM_CPUS_ON_NODE": "48", "SLURM_NTASKS": "8", "SLURM_TASKS_PER_NODE": "4(x2)"},
        NODE,
        12,
    ),
    "slurm, ranks asked for, hyperthreads": (
        {"SLURM_CPUS_ON_NODE": "96", "SLURM_NTASKS": "8", "SLURM_TASKS_PER_NODE": "4(x2)"},
        Processors(96, 96, 2),
        12,
    ),
    "slurm, nodes that differ": (
        {"SLURM_CPUS_ON_NODE": "48", "SLURM_NTASKS_PER_NODE": "3", "SLURM_TASKS_PER_NODE": "3(x2),1"},
        NODE,
        16,
    ),
    "slurm, number of ranks open": (
        {"SLURM_CPUS_ON_NODE": "48", "SLURM_TASKS_PER_NODE": "1(x2)"},
        NODE,
        None,
    ),
    "slurm, a step": (
        {
            "SLURM_CPUS_ON_NODE": "48",
            "SLURM_STEP_ID": "0",
            "SLURM_STEP_TASKS_PER_NODE": "2(x2)",
            "SLURM_NTASKS": "4",
            "SLURM_TASKS_PER_NODE": "1(x2)",
        },
        NODE,
        24,
    ),
    "slurm, more ranks than cores": (
        {"SLURM_CPUS_ON_NODE": "2", "SLURM_NTASKS": "4", "SLURM_TASKS_PER_NODE": "4"},
        NODE,
        1,
    ),
    "open mpi, not bound": ({"OMPI_COMM_WORLD_LOCAL_SIZE": "4"}, NODE, 12),
    "open mpi, bound to a core": ({"OMPI_COMM_WORLD_LOCAL_SIZE": "2"}, Processors(1, 48, 1), 1),
    "open mpi, bound to cores": ({"OMPI_COMM_WORLD_LOCAL_SIZE": "4"}, Processors(12, 48, 1), 12),
    "open mpi in slurm": (
        {
            "OMPI_COMM_WORLD_LOCAL_SIZE": "4",
            "SLURM_CPUS_ON_NODE": "24",
            "SLURM_STEP_ID": "0",
            "SLURM_STEP_TASKS_PER_NODE": "1",
        },
        NODE,
        6,
    ),
    "hydra": ({"MPI_LOCALNRANKS": "2"}, NODE, 24),
    "hydra, nobody counts the cores": ({"MPI_LOCALNRANKS": "2"}, None, None),
    "lsf, its script": ({"LSB_DJOB_NUMPROC": "43", "LSB_MCPU_HOSTS": "batch1 1 a01 42 "}, NODE, None),
    "lsf, open mpi": ({"OMPI_COMM_WORLD_LOCAL_SIZE": "2", "LSB_MCPU_HOSTS": "a01 20 a02 20"}, NODE, 10),
    "jsrun": (
        {"JSM_NAMESPACE_LOCAL_SIZE": "6", "OMP_NUM_THREADS": "28"},
        Processors(28, 176, 4),
        7,
    ),
    "pbs": ({"PBS_JOBID": "1.a", "NCPUS": "32", "OMP_NUM_THREADS": "4"}, NODE, 4),
    "pbs, without its count": ({"PBS_JOBID": "1.a", "NCPUS": "32"}, NODE, 32),
    "pbs, hydra": (
        {"PBS_JOBID": "1.a", "NCPUS": "48", "OMP_NUM_THREADS": "48", "MPI_LOCALNRANKS": "8"},
        NODE,
        6,
    ),
    "the user's threads, no job": ({"OMP_NUM_THREADS": "3"}, NODE, None),
}
"""What is set in a job, what Linux says, and the cores of a rank."""


@pytest.mark.parametrize(("environ", "processors", "cores"), JOBS.values(), ids=JOBS)
def test_the_cores_of_a_rank(environ, processors, cores):
    told = {} if cores is None else {"N": str(cores)}
    assert expanded({"N": "{threads}"}, environ, processors) == told


NONSENSE = [
    "",
    "abc",
    "0",
    "-1",
    "1.5",
    " 4",
    "4 ",
    "4\n",
    "\u0664",
    "1" * 400,
    "4(x2)(x2)",
    ",",
    "4,",
    "$(id)",
]


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
