import json
import sys

from desk import Desk


def test_bootstrap_from_what_is_not_there(desk: Desk):
    outcome = desk("bootstrap", "--from", "nothing", "--into", "place")
    assert (outcome.status, outcome.stdout) == (2, "")
    assert outcome.stderr.splitlines()[-1] == (
        "nothing is not there; name a git repository, an archive or a directory"
    )
    assert not (desk.directory / "place").exists()


def test_bootstrap_into_what_holds_something_else(desk: Desk):
    desk.write("place/thesis", "")
    outcome = desk("bootstrap", "--into", "place")
    assert (outcome.status, outcome.stdout) == (2, "")
    place = desk.directory / "place"
    assert outcome.stderr == f"{place} holds something else already; name another place, or remove it\n"


def test_doctor_says_that_spack_is_missing_and_what_brings_it(desk: Desk):
    command = ("env", "--unset=STACKGEN_SPACK", sys.executable, "-m", "stackgen")
    told = desk("doctor", "--json", command=command).stdout
    found = {finding["name"]: finding for finding in json.loads(told)}
    assert found["spack"]["state"] == "optional"
    assert found["spack"]["found"].startswith(f"there is no Spack in {desk.directory}/home/.local/share/")
    assert found["spack"]["remedy"] == "stackgen bootstrap"
