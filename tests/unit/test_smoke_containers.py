"""What is made of what a container's commands showed, and who leads a loader astray."""

import json
import os
from pathlib import Path

import pytest

from stackgen.release import InstalledFramework
from stackgen.run import Outcome
from stackgen.smoke.checks import isolation_fault, packages_fault, version_fault
from stackgen.smoke.containers import manners_fault
from stackgen.smoke.evidence import Evidence
from stackgen.smoke.session import Caller, besieged_by_libraries

TOLD = {
    "arguments": ["two words", "", "*", 'it\'s "quoted" $HOME \\', "--help"],
    "directory": "/tmp/two words",
    "input": "one line\nand half of one",
    "variable": "as it is",
}


def outcome(status: int = 7, stderr: str = "noise\naside", **changes: object) -> Outcome:
    return Outcome(status=status, stdout=f"{json.dumps(TOLD | changes)}", stderr=stderr)


def vendors(**changes: object) -> InstalledFramework:
    values = {"name": "intel", "module": "intel", "version": "2.15.0", "prefix": "/ai/images/intel"}
    values |= {"python": "3.10", "packages": {}, "settings": {}, "source": "container"}
    return InstalledFramework.model_validate({**values, "image": "/ai/images/intel.sqfs", **changes})


def test_a_program_that_had_all_and_gave_all_back_is_well():
    assert manners_fault(outcome(), "/tmp/two words") == ""


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (outcome(0), "a program that ended with 7 left 0: aside"),
        (outcome(1, "ch-run: error"), "a program that ended with 7 left 1: ch-run: error"),
        (outcome(stderr=""), "standard error is lost"),
        (
            Outcome(status=7, stdout="", stderr="aside"),
            "standard output is lost, or not alone: ''",
        ),
        (outcome(directory="/"), "its directory is '/' instead of '/tmp/two words'"),
        (outcome(input=""), "its input is '' instead of 'one line\\nand half of one'"),
        (outcome(variable=""), "its variable is '' instead of 'as it is'"),
    ],
)
def test_what_is_lost_on_the_way_is_named(given: Outcome, fault: str):
    assert manners_fault(given, "/tmp/two words") == fault


def test_nothing_of_the_machine_is_in_an_image_of_others():
    assert isolation_fault(vendors(), Evidence(elsewhere=("/usr",))) == "/usr is not of the image"
    assert isolation_fault(vendors(), Evidence(prefix="/opt/conda")) == ""


def test_a_packed_framework_lies_at_its_own_path_and_nothing_is_of_the_machine():
    packed = vendors(source="wheels", prefix="/ai/pythons/x")
    assert isolation_fault(packed, Evidence(prefix="/ai/pythons/x")) == ""
    assert isolation_fault(packed, Evidence(prefix="/usr", elsewhere=("/home/u/numpy.so",))) == (
        "/home/u/numpy.so is not of the image, `python` is the one of /usr"
    )


def test_an_image_of_others_is_of_the_version_that_was_asked_for_where_it_tells_one():
    assert version_fault(vendors(), "tensorflow", Evidence(version="2.15.0+intel")) == ""
    assert version_fault(vendors(), "tensorflow", Evidence()) == ""
    fault = "it is 2.14.1, and 2.15.0 is asked for"
    assert version_fault(vendors(), "tensorflow", Evidence(distributions={"tensorflow": "2.14.1"})) == fault


def test_of_its_packages_only_those_that_were_added_are_known():
    added = vendors(packages={"horovod": "0.28.1"})
    others = {"numpy": "1.26.0"}
    assert packages_fault(added, Evidence(distributions={**others, "horovod": "0.28.1"})) == ""
    assert packages_fault(added, Evidence(distributions=others)) == "horovod 0.28.1 is missing"


def test_a_loader_is_led_to_good_libraries_of_this_machine(tmp_path: Path):
    caller = besieged_by_libraries(Caller(home=tmp_path, variables={"PYTHONHOME": "/nowhere"}))
    if not os.listdir(tmp_path / "libraries"):
        pytest.skip("this Python has loaded no small library")
    assert caller.variables["LD_LIBRARY_PATH"] == str(tmp_path / "libraries")
    assert Path(caller.variables["LD_PRELOAD"]).read_bytes()[:4] == b"\x7fELF"
    assert caller.variables["PYTHONHOME"] == "/nowhere"
