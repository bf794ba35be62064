"""The real TensorFlow, the whole way: what `make quickstart` promises."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from desk import Desk

from stackgen.site import Site

pytestmark = pytest.mark.network

QUICKSTART = Path(__file__).parents[2] / "environments/quickstart.yaml"


@dataclass(frozen=True)
class Quickstart:
    """A desk with the quickstart built and published, and what the build printed."""

    desk: Desk
    printed: str

    @property
    def prefix(self) -> Path:
        return self.desk.directory / "hpai"

    def release(self, name: str, **keys: str) -> str:
        """The quickstart as another release, with settings of its own."""
        text = QUICKSTART.read_text().replace("release: 1", f"release: {name}")
        text += f"    settings: {json.dumps(keys)}\n" if keys else ""
        self.desk.write(f"{name}.yaml", text)
        return f"{name}.yaml"


@pytest.fixture(scope="module")
def quickstart(index: Site, shared_desk: Desk) -> Quickstart:
    shared_desk.write("quickstart.yaml", QUICKSTART.read_text())
    outcome = shared_desk("build", "quickstart.yaml", "--prefix", "../desk-prefix")
    assert outcome.status == 2  # a prefix is absolute
    prefix = str(shared_desk.directory / "hpai")
    outcome = shared_desk("build", "quickstart.yaml", "--prefix", prefix)
    assert outcome.status == 0, outcome.stderr
    return Quickstart(shared_desk, outcome.stdout)


def test_the_lines_that_it_prints_can_be_pasted_into_a_login_shell(quickstart: Quickstart):
    assert quickstart.printed == (
        f"module use {quickstart.prefix}/current/modules/Core\nmodule load hpai/tensorflow\n"
    )
    use = (
        "python -c 'import tensorflow; print(tensorflow.__file__, float(tensorflow.reduce_sum([1.5, 2.0])))'"
    )
    outcome = quickstart.desk("-lc", f"{quickstart.printed}{use}", command=("bash",))
    assert outcome.status == 0, outcome.stderr
    path, total = outcome.stdout.split()
    assert path.startswith(f"{quickstart.prefix}/pythons/tensorflow-2.")
    assert total == "3.5"


def test_its_report_stays_in_the_release_and_proves_onednn(quickstart: Quickstart):
    report = json.loads((quickstart.prefix / "releases/1/report.json").read_text())
    checks = {check["name"]: check for check in report["checks"]}
    assert [name for name, check in checks.items() if not check["passed"]] == []
    assert checks["onednn"]["detail"].startswith("convolution by ")
    assert checks.keys() >= {
        *("module", "import", "version", "requirements", "float32 product", "float64 product"),
        *("isolation", "isolation from a hostile caller", "script saved_model_cli"),
    }


def test_another_prefix_is_built_from_the_mirror_with_no_network_at_all(quickstart: Quickstart):
    other = quickstart.desk.directory / "other"
    outcome = quickstart.desk(
        *(os.sys.executable, "-m", "stackgen", "build", "quickstart.yaml", "--offline"),
        *("--prefix", str(other), "--mirror", str(quickstart.prefix / "mirror")),
        command=("unshare", "--user", "--map-root-user", "--net"),
    )
    assert outcome.status == 0, outcome.stderr
    assert (other / "current/modules/Core/hpai/tensorflow").is_dir()


def test_a_broken_promise_keeps_a_release_back(quickstart: Quickstart):
    file = quickstart.release("off", TF_ENABLE_ONEDNN_OPTS="0")
    outcome = quickstart.desk("build", file, "--prefix", str(quickstart.prefix), "--offline")
    assert outcome.status == 1
    assert outcome.stdout == ""
    *_, failed, refusal = outcome.stderr.splitlines()
    assert failed == (
        "failed: tensorflow: onednn: oneDNN ran neither a convolution nor a matrix product; "
        "turn it on by the framework's `settings` (TensorFlow: `TF_ENABLE_ONEDNN_OPTS: 1`), "
        "or take `onednn` from its `features`"
    )
    assert " checks of release off failed; it is not published; see " in refusal
    assert not (quickstart.prefix / "releases/off").exists()
    assert os.readlink(quickstart.prefix / "current").startswith("publications/1/")
