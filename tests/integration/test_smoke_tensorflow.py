"""The real TensorFlow: what proves that oneDNN works for it, and what does not."""

from collections.abc import Callable

import pytest
from wheelhouse import PYTHON

from stackgen import host
from stackgen.build import build
from stackgen.mirror import mirror
from stackgen.model import Environment
from stackgen.modules import module_tree
from stackgen.plan import plan
from stackgen.progress import Silent
from stackgen.publish import stage
from stackgen.release import Check
from stackgen.resolve import resolve
from stackgen.run import LoggedRunner
from stackgen.site import Site
from stackgen.smoke import smoke

pytestmark = pytest.mark.network

Tested = Callable[..., dict[str, Check]]


@pytest.fixture(scope="module")
def tested(index: Site, tmp_path_factory: pytest.TempPathFactory) -> Tested:
    """Build TensorFlow, the first time, and test it with these settings."""
    prefix = tmp_path_factory.mktemp("tensorflow")
    run, silent = LoggedRunner(Silent()), Silent()

    def test(**settings: str) -> dict[str, Check]:
        tensorflow = {"from": "wheels", "version": "newest", "python": PYTHON, "features": ["onednn"]}
        environment = {
            "name": "lab",
            "release": "-".join(["1", *settings.values()]),
            "system": "this",
            "prefix": str(prefix),
            "frameworks": {"tensorflow": tensorflow | {"settings": settings}},
        }
        planned = plan(Environment.model_validate(environment), host.detect())
        lock = resolve(planned, index, run, silent)
        wheels = mirror({"lab": lock}, prefix / "mirror", index, run, silent)
        frameworks = build(planned, lock, wheels, run, silent, None)
        staged = stage(planned, lock, module_tree(planned, frameworks))
        report = smoke(staged, planned, run, silent)
        return {check.name: check for check in report.checks}

    return test


def test_tensorflow_passes_and_onednn_does_its_convolutions(tested: Tested):
    checks = tested(TF_ENABLE_ONEDNN_OPTS="1")  # by default only where the processor has VNNI
    assert [check for check in checks.values() if not check.passed] == []
    assert checks["onednn"].detail.startswith("convolution by ")
    assert {"float32 product", "float64 product", "script saved_model_cli"} <= checks.keys()


def test_the_promise_of_onednn_is_broken_where_it_is_turned_off(tested: Tested):
    checks = tested(TF_ENABLE_ONEDNN_OPTS="0")
    assert [name for name, check in checks.items() if not check.passed] == ["onednn"]
    assert checks["onednn"].detail == (
        "oneDNN ran neither a convolution nor a matrix product; "
        "turn it on by the framework's `settings` (TensorFlow: `TF_ENABLE_ONEDNN_OPTS: 1`), "
        "or take `onednn` from its `features`"
    )
