import golden
import pytest

from stackgen.config import load
from stackgen.files import read_tree
from stackgen.lock import read_lock
from stackgen.plan import plan
from stackgen.release import request

REQUESTS = {
    "quickstart": "d556ac4bd00193685b87ac1f301cc394b3d7f7e8332fb795f85052903654e016",
    "site": "a32397034f3469aa622c6aa2b6d27a6f9803cd8aae9192277459ad6a066440d5",
}
"""What published releases were asked for, as older versions computed it."""


@pytest.mark.parametrize("case", golden.CASES, ids=lambda case: case.name)
def test_a_site_gets_exactly_this(case):
    wanted, made = read_tree(case / "out"), golden.rendered(case)
    assert list(made) == list(wanted)
    for path, file in made.items():
        assert file.text == wanted[path].text, f"{path}; if that is meant: python tests/golden/golden.py"


@pytest.mark.parametrize("name", REQUESTS)
def test_published_releases_are_still_what_they_were(name):
    """Or the same environment would ask for a new name of its release."""
    case = next(case for case in golden.CASES if case.name == name)
    loaded = load(case / "in.yaml")
    planned = plan(loaded.environment, loaded.system)
    assert request(planned, read_lock(case / "in.lock")) == REQUESTS[name]


def test_there_are_cases():
    assert len(golden.CASES) >= 2
