"""Real TensorFlow and PyTorch in one release, each with a Python of its own."""

from pathlib import Path

import pytest
from desk import Desk

from stackgen import host
from stackgen.errors import StackgenError
from stackgen.plan import Platform
from stackgen.platforms import Target
from stackgen.progress import Silent
from stackgen.run import LoggedRunner
from stackgen.site import Site
from stackgen.wheels import Question, offers

pytestmark = pytest.mark.network

FILE = Path(__file__).parents[2] / "environments/side-by-side.yaml"
CPU_BUILD = "2.13.0+cpu"


@pytest.fixture(scope="module")
def core(index: Site, shared_desk: Desk) -> str:
    """`module use` of the published environment; PyTorch in its CPU build, the other one has several GB."""
    system = host.detect()
    lacking = {"3.11", "3.12"} - {python.version for python in system.pythons}
    if lacking:
        pytest.skip(f"this machine has no Python {' and '.join(sorted(lacking))}")
    target = Target(platform=Platform(architecture=system.architecture, glibc=system.glibc), python="3.11")
    question = Question(where="tests", target=target, requirements=(f"torch=={CPU_BUILD}",))
    try:
        offers(question, index, LoggedRunner(Silent()))
    except StackgenError as error:
        pytest.skip(f"there is no CPU build of PyTorch to be had: {error}")
    shared_desk.write(
        "side-by-side.yaml", FILE.read_text().replace("version: 2.13.0", f"version: {CPU_BUILD}")
    )
    outcome = shared_desk("build", "side-by-side.yaml", "--prefix", str(shared_desk.directory / "hpai"))
    assert outcome.status == 0, outcome.stderr
    return f"module use {shared_desk.directory}/hpai/current/modules/Core"


def test_loading_one_replaces_the_other_and_its_python(core: str, shared_desk: Desk):
    show = "python -c 'import sys; print(*sys.version_info[:2])'"
    torch = "python -c 'import torch; print(torch.__version__, (torch.ones(3) * 2).numpy().sum())'"
    keras = "python -c 'import keras; print(keras.ops.sum([1.0, 2.0]).numpy())'"
    without = "python -c 'import importlib.util as i; print(i.find_spec(\"torch\"))'"
    first = f"{core}; module load hpai/pytorch; {show}; {torch}"
    script = f"{first}; module load hpai/tensorflow; {show}; {keras}; {without}"
    outcome = shared_desk("-lc", script, command=("bash",))
    assert outcome.status == 0, outcome.stderr
    assert outcome.stdout.splitlines() == ["3 11", f"{CPU_BUILD} 6.0", "3 12", "3.0", "None"]
    assert "hpai/pytorch" in outcome.stderr  # Lmod says what it replaces
