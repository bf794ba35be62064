import ondemand
import pytest

from stackgen.files import read_tree


@pytest.mark.parametrize("site", ondemand.SITES)
def test_the_admin_of_ondemand_gets_exactly_this(site):
    wanted, made = read_tree(ondemand.OUT / site), ondemand.rendered(site)
    assert list(made) == list(wanted)
    for path, file in made.items():
        assert file.text == wanted[path].text, f"{path}; if that is meant: python tests/golden/ondemand.py"
