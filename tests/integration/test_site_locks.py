"""The environments of sites against what the index and Spack really have."""

from pathlib import Path

import pytest
from packaging.utils import parse_wheel_filename

from stackgen.concretize import concretize
from stackgen.config import load
from stackgen.plan import Plan, plan
from stackgen.platforms import Target, wheel_tags
from stackgen.progress import Silent
from stackgen.resolve import resolve
from stackgen.spack.graph import graph

ENVIRONMENTS = Path(__file__).parents[2] / "environments"


def planned(name: str) -> Plan:
    loaded = load(ENVIRONMENTS / f"{name}.yaml")
    return plan(loaded.environment, loaded.system)


@pytest.mark.network
def test_the_wheels_of_stampede2_are_for_centos_7(index, run):
    plan = planned("stampede2")
    locks = resolve(plan, index, run, Silent()).wheels
    assert {lock.framework: lock.version("tensorflow-cpu") for lock in locks} == {
        "tensorflow": "2.20.0",
        "tensorflow-horovod": "2.15.1",
    }
    fitting = set(wheel_tags(Target(platform=plan.platform, python="3.11")))
    for locked in (package for lock in locks for package in lock.packages if package.is_wheel):
        assert fitting & parse_wheel_filename(locked.file.name)[3], locked.file.name


@pytest.mark.spack
@pytest.mark.usefixtures("spack")
def test_what_all_share_on_hal_is_for_power9_by_its_own_compiler(run, tmp_path, monkeypatch):
    """Spack's recipe has no GCC 11.2.1; the system has."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    loaded = load(ENVIRONMENTS / "hal.yaml")
    wheels = load(ENVIRONMENTS / "perlmutter.yaml").environment.frameworks
    shared = loaded.environment.model_copy(update={"frameworks": wheels})
    (lock,) = concretize(plan(shared, loaded.system), run, Silent())
    nodes = graph(lock.text).nodes.values()
    assert {(node.os, node.target) for node in nodes if not node.external} == {("rhel8", "power9le")}
    assert {node.version for node in nodes if node.name == "gcc"} == {"11.2.1"}
