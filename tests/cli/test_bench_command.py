"""`stackgen bench` as users start it, on a release of one small package."""

import json

import pytest
from desk import Desk

from stackgen.site import Site


@pytest.mark.network
def test_an_import_is_measured_and_kept(desk: Desk, index: Site):
    desk.small()
    assert desk("build", "small.yaml").status == 0
    outcome = desk("bench", "startup", "small.yaml", "--rounds", "1", "--json")
    assert outcome.status == 0, outcome.stderr
    (made,) = json.loads(outcome.stdout)
    assert [start["who"] for start in made["starts"]] == ["delivered", "pip"]
    assert all(0 < start["warm"] < 60 and start["opened"] > 5 for start in made["starts"])
    kept = desk.directory / "prefix/bench/1/startup/six.json"
    assert json.loads(kept.read_text()) == made
    assert outcome.stderr.splitlines()[-1] == f"kept in {kept}"
    refused = desk("bench", "scaling", "small.yaml")
    said = "release 1 has nothing that can be measured; that is pytorch, tensorflow\n"
    assert (refused.status, refused.stderr) == (2, said)


def test_what_is_not_published_and_what_are_no_numbers(desk: Desk):
    desk.small()
    outcome = desk("bench", "kernels", "small.yaml")
    remedy = f"run `stackgen build {desk.directory}/small.yaml`"
    said = f"release 1 is not published in {desk.directory}/prefix; {remedy}\n"
    assert (outcome.status, outcome.stderr) == (2, said)
    outcome = desk("bench", "scaling", "small.yaml", "--nodes", "4,x")
    assert outcome.status == 2
    last = (
        "Error: Invalid value for '--nodes': '4,x' are no numbers above 0, joined by commas, such as 4,8,16"
    )
    assert outcome.stderr.splitlines()[-1] == last
