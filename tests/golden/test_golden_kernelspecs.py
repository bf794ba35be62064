import kernelspecs
import pytest

from stackgen.files import read_tree


@pytest.mark.parametrize("site", kernelspecs.SITES)
def test_jupyter_gets_exactly_this(site):
    assert kernelspecs.rendered(site) == read_tree(kernelspecs.OUT / site), (
        "if that is meant: python tests/golden/kernelspecs.py"
    )
