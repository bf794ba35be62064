"""Systems against themselves: what agrees, and that all that are shipped do."""

from pathlib import Path

import pytest

from stackgen import targets
from stackgen.config import load_system
from stackgen.contradictions import contradictions
from stackgen.model import System

SYSTEMS = Path(__file__).parents[2] / "environments/systems"


def faults(**facts):
    system = System.model_validate(
        {"name": "Grid", "os": "rhel8", "glibc": "2.28", "target": "zen3", **facts}
    )
    return [f"{fault.where}: {fault.what}" for fault in contradictions(system)]


@pytest.mark.parametrize("path", sorted(SYSTEMS.glob("*.yaml")), ids=lambda path: path.stem)
def test_systems_that_are_shipped_agree_with_themselves(path):
    system = load_system(path)
    assert contradictions(system) == ()
    for compiler in system.compilers:
        assert targets.unable(system.target, compiler.package, compiler.version) == "", compiler.spec


@pytest.mark.parametrize(
    ("spec", "prefix"),
    [
        ("cuda@12.2.0", "/usr/local/cuda-12.2"),
        ("cuda@12.2.0", "/usr/local/cuda"),
        ("cuda@12.2.0", "/opt/nvidia/hpc_sdk/Linux_x86_64/23.9/cuda/12.2"),
        ("cray-mpich@8.1.28", "/opt/cray/pe/mpich/8.1.28/ofi/gnu/12.3"),
        ("cray-mpich@7.7.19", "/opt/cray/pe/mpt/7.7.19/gni/mpich-gnu/8.2"),
        ("spectrum-mpi@10.4.0.3", "/sw/rhel8/gcc-10.2.0/spectrum-mpi-10.4.0.3-20210112-ht5bw4j"),
        ("slurm@20-11-9-1", "/opt/slurm/20.11.9"),
        ("intel-oneapi-mpi@2021.12.1", "/opt/intel/oneapi/mpi/2021.12"),
        ("gcc@9.1.0", "/sw/rhel8/gcc-8.5.0/gcc-9.1.0-abcdef"),
        ("ucx@1.15.0", "/usr"),
    ],
)
def test_a_path_may_say_less_than_the_spec(spec, prefix):
    assert faults(externals=[{"spec": spec, "prefix": prefix}]) == []


@pytest.mark.parametrize(
    ("spec", "prefix", "other"),
    [
        ("cuda@11.8", "/usr/local/cuda-12.2", "12.2"),
        ("cray-mpich@8.1.28", "/opt/cray/pe/mpich/8.1.25/ofi/gnu/12.3", "8.1.25"),
        ("intel-oneapi-mpi@2021.12.1", "/opt/intel/oneapi/mpi/2021.11", "2021.11"),
        ("gcc@9.1.0", "/opt/gcc/9.3.0", "9.3.0"),
    ],
)
def test_a_path_that_says_another_version(spec, prefix, other):
    assert faults(externals=[{"spec": spec, "prefix": prefix}]) == [
        f"externals[0].prefix: {prefix} says version {other}, and the spec {spec}"
    ]


def test_an_old_compiler_beside_a_new_one_is_no_fault():
    old, new = {"spec": "gcc@4.8.5", "prefix": "/usr"}, {"spec": "gcc@13.2.0", "prefix": "/opt/gcc/13.2.0"}
    assert faults(compilers=[old, new]) == []
    assert faults(compilers=[old]) == [
        "compilers[0].spec: gcc 4.8.5 makes no code for zen3, only 10.3 or newer does"
    ]


def test_two_versions_of_one_package_are_two_things():
    first = {"spec": "openmpi@4.1.6", "prefix": "/opt/openmpi/4.1.6"}
    second = {"spec": "openmpi@5.0.3", "prefix": "/opt/openmpi/5.0.3"}
    assert faults(externals=[first, second]) == []
    assert faults(externals=[first, second, {**first, "spec": "openmpi@4.1.6 "}]) == [
        "externals[2].spec: openmpi@4.1.6 is there twice, as externals[0] too"
    ]
