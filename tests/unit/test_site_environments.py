"""The environments of sites: each holds what its site described, or says why it does not."""

import re
from pathlib import Path

import pytest

from stackgen import host
from stackgen.config import load
from stackgen.model import Environment, WheelsFramework
from stackgen.plan import ContainerPlan, plan
from stackgen.plan.versions import may_be

ROOT = Path(__file__).parents[2]
CPU_ONLY = {"tensorflow", "pytorch", "caffe", "horovod"}
DESCRIBED = {
    "supermuc": CPU_ONLY | {"charliecloud"},
    "stampede2": CPU_ONLY,
    "piz-daint": {"tensorflow", "tensorflow-mpi", "pytorch", "mxnet", "cntk", "spark"},
    "theta": {"tensorflow", "pytorch", "caffe", "hdf5", "netcdf-c"},
    "xstream": {"tensorflow", "pytorch", "caffe", "hdf5", "netcdf-c"},
    "hal": CPU_ONLY | {"rapids", "h2o", "jupyterlab", "tensorboard"},
    "summit": {"tensorflow", "pytorch", "horovod"},
    "cori-haswell": CPU_ONLY | {"keras"},
    "cori-knl": CPU_ONLY | {"keras"},
    "perlmutter": {"tensorflow", "pytorch", "jax"},
}
"""What each site described that its users have; what cannot be had any more, its file says."""


def site(name: str) -> Environment:
    return load(ROOT / f"environments/{name}.yaml").environment


def test_every_environment_of_a_site_is_known_here():
    files = {path.stem for path in (ROOT / "environments").glob("*.yaml")}
    assert {name for name in files if not _is_this(name)} - {"proof", "training"} == set(DESCRIBED)


@pytest.mark.parametrize("name", DESCRIBED)
def test_what_a_site_described_is_there_or_the_file_says_why_not(name):
    loaded = load(ROOT / f"environments/{name}.yaml")
    environment = loaded.environment
    assert environment.name == name
    planned = plan(environment, loaded.system).frameworks
    outside = {one.name for one in planned if not isinstance(one, ContainerPlan)}
    assert outside == set(environment.frameworks)
    frameworks = environment.frameworks.values()
    features = {feature.value for framework in frameworks for feature in framework.features}
    packages = {spec.split("@")[0] for spec in environment.packages}
    for missing in DESCRIBED[name] - set(environment.frameworks) - features - packages:
        assert missing in {said.lower() for said in environment.unsupported}


@pytest.mark.parametrize("name", DESCRIBED)
def test_versions_are_exact_so_that_a_lock_can_be_made_again(name):
    environment = site(name)
    for framework in environment.frameworks.values():
        if isinstance(framework, WheelsFramework):
            assert not may_be(framework.version, f"{framework.version}.1")
            assert framework.version != "newest"
        assert re.fullmatch(r"\d+(\.\d+)+", framework.version)
    specs = (*_toolchain(environment), *environment.packages)
    assert [spec for spec in specs if "@" not in spec] == []


@pytest.mark.parametrize("name", DESCRIBED)
def test_the_toolchain_is_what_the_system_has(name):
    """Another version of what the system has would be built beside it."""
    loaded = load(ROOT / f"environments/{name}.yaml")
    there = {one.spec.split()[0] for one in (*loaded.system.compilers, *loaded.system.externals)}
    packages = {spec.split("@")[0] for spec in there}
    toolchain = _toolchain(loaded.environment)
    assert [spec for spec in toolchain if spec.split("@")[0] in packages and spec not in there] == []


def _toolchain(environment: Environment) -> list[str]:
    parts = environment.toolchain.model_dump(exclude_none=True).values()
    return [spec for part in parts for spec in ((part,) if isinstance(part, str) else part)]


def _text(name: str) -> str:
    return (ROOT / f"environments/{name}.yaml").read_text(encoding="utf-8")


def _is_this(name: str) -> bool:
    return re.search(rf"^system: {host.THIS}\b", _text(name), re.M) is not None


def test_what_lrz_had_in_charliecloud_is_there_in_images():
    """LRZ documentation, "Artificial Intelligence and Big Data on SuperMUC-NG"."""
    loaded = load(ROOT / "environments/supermuc.yaml")
    planned = plan(loaded.environment, loaded.system)
    assert {one.name: one.about.module for one in planned.containers} == {
        "tensorflow-container": "tensorflow-container",
        "tensorflow-horovod-container": "tensorflow-container",
    }
    assert loaded.system.containers.mpi == "host"
