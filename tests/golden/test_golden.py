import golden
import pytest

from stackgen.files import read_tree


@pytest.mark.parametrize("case", golden.CASES, ids=lambda case: case.name)
def test_a_site_gets_exactly_this(case):
    wanted, made = read_tree(case / "out"), golden.rendered(case)
    assert list(made) == list(wanted)
    for path, file in made.items():
        assert file.text == wanted[path].text, f"{path}; if that is meant: python tests/golden/golden.py"


def test_there_are_cases():
    assert len(golden.CASES) >= 2
