"""What two ranks showed, and what `stackgen test` makes of it."""

import json
from pathlib import Path

import pytest

from stackgen.mpi import Flavour, Mpi
from stackgen.run import Outcome
from stackgen.smoke.ranks import mpi_fault, rank_fault

MPI = Mpi(spec="openmpi@4.1.4", flavour=Flavour.OPEN_MPI, prefix=Path("/mpi"))
OWN = "/mpi/lib/libmpi.so.40.30.4"
EXTENSION = "lib/python3.11/site-packages/mpi4py/MPI.so"


def ended(seen: dict[str, object], status: int = 0, stderr: str = "") -> Outcome:
    return Outcome(status=status, stdout=f"{json.dumps(seen)}\n", stderr=stderr)


def seen(**changes: object) -> dict[str, object]:
    return {"mpi": {"from": [OWN]}, "libraries": {EXTENSION: {"from": [OWN]}}} | changes


def test_ranks_that_agree_are_told_with_their_way():
    assert rank_fault(ended({"ranks": 2, "backend": "gloo", "parameters": "5a"})) == ("", "equal over gloo")
    assert rank_fault(ended({"ranks": 2, "library": "Open MPI v4.1.4, package: X"})) == (
        "",
        "over Open MPI v4.1.4",
    )
    assert rank_fault(ended({"ranks": 2, "hdf5": "1.10.8"})) == ("", "over HDF5 1.10.8")


def test_ranks_of_horovodrun_are_understood_which_names_each_before_its_lines():
    told = json.dumps({"ranks": 2, "controller": "gloo", "parameters": "5a"})
    assert rank_fault(Outcome(status=0, stdout=f"[0]<stdout>:{told}\n", stderr="")) == ("", "equal over gloo")
    failed = Outcome(
        status=1, stdout="", stderr="[1]<stderr>:noise\n[1]<stderr>:rank 1: ValueError: no sum\n"
    )
    assert rank_fault(failed) == ("rank 1: ValueError: no sum", "")


def test_the_rank_that_failed_is_named():
    what = "rank 1: ValueError: after two steps the parameters of rank 1 are not those of rank 0"
    stderr = f"noise\n{what}\nmpirun: end\n"
    assert rank_fault(ended({}, 1, stderr)) == (what, "")


def test_a_rank_that_was_killed_is_told_in_the_words_of_its_launcher():
    stderr = "mpirun noticed that process rank 1 with PID 0 on node n exited on signal 6 (Aborted).\n"
    assert rank_fault(Outcome(status=134, stdout="", stderr=stderr)) == (stderr.strip(), "")


@pytest.mark.parametrize(
    ("stderr", "fault"),
    [
        (
            "-----\nPrimary job\n-----\nmpirun noticed that process rank 1 with PID 0 on node n"
            " exited on signal 9 (Killed).\n-----\n",
            "mpirun noticed that process rank 1 with PID 0 on node n exited on signal 9 (Killed).",
        ),
        ("  Process name: [[15978,1],1]\n  Exit code:    3\n-----\n", "rank 1 ended with status 3"),
        (
            "slurmstepd: error: *** STEP 7.0 ON n1 ***\nsrun: error: n2: task 1: Killed\nsrun: end\n",
            "srun: error: n2: task 1: Killed",
        ),
        (
            "YOUR APPLICATION TERMINATED WITH THE EXIT STRING: Killed (signal 9)\nPlease see the FAQ page\n",
            "YOUR APPLICATION TERMINATED WITH THE EXIT STRING: Killed (signal 9)",
        ),
        (
            "ImportError: no numpy\n  Process name: [[15978,1],1]\n  Exit code:    1\n",
            "ImportError: no numpy",
        ),
        (
            "RuntimeError: Horovod detected that one ended. The first was:\nProcess name: 1\nExit code: 3\n",
            "rank 1 ended with status 3",
        ),
        (
            "[1]<stderr>:ImportError: no numpy\nRuntimeError: Horovod detected that one ended:\n"
            "Process name: 1\nExit code: 1\n",
            "ImportError: no numpy",
        ),
        ("nothing to go by\n", "nothing to go by"),
    ],
)
def test_what_matters_is_found_in_what_launchers_say(stderr: str, fault: str):
    assert rank_fault(Outcome(status=137, stdout="", stderr=stderr)) == (fault, "")


def test_ranks_of_another_mpi_than_their_launchers_are_each_alone():
    what = "2 ranks were started, and each took itself for one of 1"
    assert rank_fault(ended({"ranks": 1})) == (f"{what}: they do not run on the MPI of their launcher", "")


def test_ranks_that_say_nothing_have_not_passed():
    assert rank_fault(Outcome(status=0, stdout="hello\n", stderr="")) == ("rank 0 told nothing", "")


def test_all_that_runs_on_the_one_mpi_is_counted():
    assert mpi_fault(seen(), MPI) == ("", f"{OWN} for 1 libraries")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            {"libraries": {EXTENSION: {"from": ["/usr/lib/libmpich.so.12"]}}},
            f"{EXTENSION} runs on /usr/lib/libmpich.so.12 instead of {OWN}",
        ),
        (
            {"libraries": {EXTENSION: {"from": [OWN, "/usr/lib/libmpich.so.12"]}}},
            f"{EXTENSION} runs on {OWN} and /usr/lib/libmpich.so.12 instead of {OWN}",
        ),
        ({"libraries": {EXTENSION: {"from": []}}}, f"{EXTENSION} runs on no MPI instead of {OWN}"),
        (
            {"libraries": {EXTENSION: {"fault": "libmpi.so.40: cannot open shared object file"}}},
            f"{EXTENSION} cannot be loaded: libmpi.so.40: cannot open shared object file",
        ),
        (
            {"mpi": {"fault": "libmpi.so.40: cannot open shared object file"}},
            "openmpi@4.1.4 in /mpi cannot be loaded: libmpi.so.40: cannot open shared object file: "
            "install it again",
        ),
        ({"mpi": {"from": []}}, "/mpi/bin/mpicc links no MPI"),
        ({"libraries": {}}, "nothing in it needs an MPI"),
    ],
)
def test_any_other_mpi_is_a_fault(changes: dict[str, object], fault: str):
    assert mpi_fault(seen(**changes), MPI)[0] == fault
