"""What builds with Horovod and beside it, and how what cannot work is told."""

from itertools import pairwise

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from stackgen.combinations import HOROVOD, SOURCES, combination, is_tested, serving, sources
from stackgen.errors import InputError
from stackgen.lock import Lock, LockedFile, LockedPackage, WheelLock
from stackgen.lock_faults import lock_faults, lock_notes
from stackgen.model import Environment, Feature, System
from stackgen.plan import Plan, plan, source_notes

SYSTEM = {
    "name": "Grid",
    "os": "debian12",
    "glibc": "2.36",
    "target": "x86_64_v3",
    "compilers": [{"spec": "gcc@12.2.0", "prefix": "/usr"}],
    "pythons": [{"version": "3.11", "prefix": "/usr"}],
}
GPUS = {"accelerators": [{"model": "V100", "count": 4, "capability": "7.0"}]}
TOOLCHAIN = {"mpi": "openmpi@4.1.4"}


def planned(name: str = "tensorflow", *, toolchain=TOOLCHAIN, system=None, **framework: object) -> Plan:
    asked = {"from": "wheels", "version": "2.15.1", "features": ["horovod"], **framework}
    environment = {
        "name": "e",
        "release": "1",
        "system": "grid",
        "prefix": "/opt/e",
        "toolchain": toolchain,
        "frameworks": {name: asked},
    }
    return plan(Environment.model_validate(environment), System.model_validate({**SYSTEM, **(system or {})}))


def refusal(name: str = "tensorflow", **asked: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        planned(name, **asked)
    return str(caught.value).splitlines()


def locked(package: str, version: str) -> Lock:
    file = LockedFile(name=f"{package}-{version}-py3-none-any.whl", size=1, sha256="0" * 64)
    packages = (LockedPackage(name=package, version=version, file=file),)
    wheels = WheelLock(framework="tensorflow", python="3.11", packages=packages)
    return Lock(environment="e", inputs={}, wheels=(wheels,))


@pytest.mark.parametrize(
    ("distribution", "version", "edits", "tested"),
    [
        ("torch", "1.4.0", None, False),
        ("torch", "2.0.1", 3, False),
        ("torch", "2.5.1+cu121", 5, False),
        ("torch", "2.13.0+cpu", 5, True),
        ("torch", "2.14.0", None, False),
        ("tensorflow-cpu", "2.15.1", 3, True),
        ("tensorflow", "2.18.1", 3, False),
        ("tensorflow", "2.20.0", None, False),
        ("mxnet", "1.9.1", 3, False),
        ("keras", "3.0.0", None, False),
    ],
)
def test_a_version_has_its_edits_or_cannot_work(distribution, version, edits, tested):
    found = combination(distribution, version, "3.11")
    assert (len(found.edits) if found else None) == edits
    assert bool(found and is_tested(found, version)) == tested


def test_pytorch_is_built_in_the_language_of_its_headers():
    found = combination("torch", "2.13.0", "3.11")
    assert found
    assert [edit.new for edit in found.edits if "CXX_STANDARD" in edit.new] == [
        "set(CMAKE_CXX_STANDARD 17)",
        'if(NOT Pytorch_VERSION VERSION_LESS "1.5.0")\n    set(CMAKE_CXX_STANDARD 20)',
    ]


def test_the_versions_of_a_framework_are_told_apart():
    for distribution in {name for one in HOROVOD for name in one.distributions}:
        known = serving(distribution)
        for earlier, later in pairwise(known):
            assert Version(earlier.before) <= Version(later.since)
        for one in known:
            assert all(one.covers(version) for version in one.tested)


def test_features_are_built_in_order():
    names = [source.project for source in sources(set(Feature))]
    assert names == ["mpi4py", "h5py", "horovod"]
    assert [source.project for source in sources((Feature.H5PY,))] == ["mpi4py", "h5py"], "which needs it"
    assert [source.project for source in sources((Feature.GLOO,))] == ["horovod"]
    assert sources((Feature.DDP, Feature.JUPYTER)) == ()
    for source in SOURCES.values():
        assert all(Requirement(line) for line in (source.requirement, *source.build_requires))


def test_what_is_built_from_source_is_asked_of_the_index_with_its_tools():
    (framework,) = planned(features=["horovod", "h5py"], sdists=["mpi4py", "flatbuffers"]).wheels
    assert framework.requirements == (
        "tensorflow-cpu==2.15.1",
        "h5py>=3.11,<4",
        "horovod==0.28.1",
        "mpi4py>=4,<5",
        "pip",
        "setuptools<81",
    )
    assert [source.name for source in framework.sdists] == ["flatbuffers", "mpi4py", "h5py", "horovod"]


def test_a_framework_without_them_asks_for_what_it_did_before():
    (framework,) = planned(features=["ddp"]).wheels
    assert framework.requirements == ("tensorflow-cpu==2.15.1", "pip", "setuptools<81")
    assert framework.sdists == ()


def test_without_an_mpi_it_is_refused_at_once():
    assert refusal(toolchain={}) == [
        "frameworks.tensorflow.features: tensorflow is to have horovod, which needs an MPI, and there is"
        " none; name one by `toolchain: {mpi: openmpi}`, or take gloo in place of horovod"
    ]
    assert refusal(toolchain={}, features=["horovod", "mpi4py", "h5py", "ddp"]) == [
        "frameworks.tensorflow.features: tensorflow is to have horovod and mpi4py and h5py, which need an"
        " MPI, and there is none; name one by `toolchain: {mpi: openmpi}`, or take gloo in place of horovod"
        " and leave mpi4py and h5py out"
    ]
    assert refusal(toolchain={"mpi": "none"}) == refusal(toolchain={})
    assert dict(planned(toolchain={"mpi": "none"}, features=["ddp"]).toolchain) == {}
    assert planned(toolchain={}, features=["gloo", "ddp"]).wheels, "Gloo needs none"


def test_an_mpi_that_nobody_knows_is_refused():
    assert refusal(toolchain={"mpi": "lam@7.1"}) == [
        "toolchain.mpi: lam is no MPI that stackgen knows how to build horovod on;"
        " take another, such as openmpi or mpich"
    ]


@pytest.mark.parametrize(
    ("version", "nearest"),
    [
        ("2.21.0", "'>=2.10,<2.20'"),
        ("2.3.0", "'>=2.4,<2.10'"),
    ],
)
def test_a_version_that_cannot_work_is_refused_with_the_nearest(version, nearest):
    assert refusal(version=version) == [
        f"frameworks.tensorflow.version: Horovod 0.28.1 cannot be built for tensorflow-cpu {version};"
        f" take 2.15.1, which is tested, or one of {nearest}; or leave horovod and gloo out"
    ]


def test_a_python_that_cannot_work_is_refused():
    assert refusal(python={"from": "spack", "version": "3.12"}) == [
        "frameworks.tensorflow.python: Horovod 0.28.1 cannot be built for Python 3.12;"
        " take `python: 3.11`, or leave horovod and gloo out"
    ]


def test_a_compiler_that_is_too_old_is_refused():
    old = {"compilers": [{"spec": "gcc@8.3.0", "prefix": "/usr"}]}
    assert refusal(system=old) == [
        "frameworks.tensorflow.features: the headers of tensorflow-cpu 2.15.1 are for GCC 9 and newer, not"
        " gcc@8.3.0; choose a newer `toolchain.compiler` or an older tensorflow, or leave horovod and gloo"
        " out"
    ]


def test_nccl_needs_the_compiler_of_cuda():
    assert refusal(system=GPUS) == [
        "frameworks.tensorflow.features: Horovod over NCCL is compiled by CUDA's nvcc, and the system Grid"
        " lists no CUDA; add it to `externals:` of its file, as {spec: cuda@12.4.1, prefix: /usr/local/cuda}"
    ]


def test_what_horovod_does_not_serve_is_refused():
    assert refusal("jax", features=["gloo"]) == [
        "frameworks.jax.features: Horovod serves mxnet, pytorch and tensorflow, not jax;"
        " leave horovod and gloo out"
    ]


def test_two_mpis_of_the_system_are_refused_also_where_spack_builds_nothing(tmp_path):
    from stackgen.config import load

    (tmp_path / "systems").mkdir()
    (tmp_path / "systems/grid.yaml").write_text(
        "name: Grid\nos: debian12\nglibc: '2.36'\ntarget: x86_64_v3\n"
        "externals: [{spec: openmpi@4.1.4, prefix: /usr}, {spec: mpich@4.0.2, prefix: /usr}]\n"
        "pythons: [{version: '3.11', prefix: /usr}]\n"
    )
    file = tmp_path / "e.yaml"
    file.write_text(
        "name: e\nrelease: 1\nsystem: grid\nprefix: /opt/e\n"
        "frameworks: {tensorflow: {version: 2.15.1, from: wheels, features: [mpi4py]}}\n"
    )
    with pytest.raises(InputError) as caught:
        load(file)
    assert str(caught.value) == (
        f"{file}: toolchain.mpi: the system Grid has openmpi@4.1.4 and mpich@4.0.2;"
        " choose one by `toolchain: {mpi: openmpi@4.1.4}`"
    )


def test_a_version_left_open_is_judged_once_it_is_locked():
    open_one = planned(version="newest")
    assert [str(fault) for fault in lock_faults(open_one, locked("tensorflow-cpu", "2.21.0"))] == [
        "frameworks.tensorflow.version: Horovod 0.28.1 cannot be built for tensorflow-cpu 2.21.0;"
        " take 2.15.1, which is tested, or one of '>=2.10,<2.20'; or leave horovod and gloo out"
    ]
    assert lock_faults(open_one, locked("tensorflow-cpu", "2.18.1")) == ()
    assert [str(note) for note in lock_notes(open_one, locked("tensorflow-cpu", "2.18.1"))] == [
        "frameworks.tensorflow.features: Horovod 0.28.1 with tensorflow-cpu 2.18.1 is untested;"
        " tested is 2.15.1"
    ]


def test_what_nobody_has_tested_is_noted():
    tested = planned()
    assert list(source_notes(tested.wheels[0], tested.system, "2.15.1")) == []
    cuda = {"externals": [{"spec": "cuda@12.4.1", "prefix": "/opt/cuda"}]}
    gpus = planned(system={**cuda, **GPUS})
    gloo = planned(features=["horovod", "gloo"])
    assert list(source_notes(gloo.wheels[0], gloo.system, "2.15.1")) == []
    torch = planned("pytorch", version="2.13.0", toolchain={}, features=["gloo"])
    assert [str(note) for note in source_notes(torch.wheels[0], torch.system, "2.13.0")] == [
        "frameworks.pytorch.features: Horovod 0.28.1 over Gloo is untested; `stackgen test` shows how it does"
    ]
    assert [str(note) for note in source_notes(gpus.wheels[0], gpus.system, "2.15.1")] == [
        "frameworks.tensorflow.features: Horovod 0.28.1 over NCCL is untested;"
        " `stackgen test` shows how it does"
    ]
