"""Which CUDA serves which GPU, and what that needs of the driver."""

import pytest

from stackgen import cuda
from stackgen.contradictions import unserved
from stackgen.cuda import delivered
from stackgen.model import Accelerator


@pytest.mark.parametrize(
    ("model", "capability"),
    [
        ("NVIDIA H200", "9.0"),
        ("NVIDIA A100-SXM4-40GB", "8.0"),
        ("Tesla V100-SXM2-16GB", "7.0"),
        ("Tesla P100-PCIE-16GB", "6.0"),
        ("Tesla K80", "3.7"),
        ("NVIDIA GH200 480GB", "9.0"),
        ("NVIDIA L4", "8.9"),
        ("AMD Instinct MI250X", None),
        ("NVIDIA A1000", None),
    ],
)
def test_a_known_gpu_says_its_capability_itself(model, capability):
    assert cuda.capability(model) == capability
    assert Accelerator(model=model, count=1).capability == capability


@pytest.mark.parametrize(
    ("model", "served", "old", "new"),
    [
        ("K80", "11.8.0", "6.0.37", "12.0.1"),
        ("P100", "8.0.61", "7.5.18", "13.0.0"),
        ("V100", "12.9.1", "8.0.61", "13.0.2"),
        ("A100", "11.0.3", "10.2.89", ""),
        ("H100", "11.8.0", "11.7.1", ""),
        ("B200", "12.8.0", "12.6.3", ""),
    ],
)
def test_each_gpu_has_its_range(model, served, old, new):
    gpu = Accelerator(model=model, count=1)
    assert unserved(served, gpu) == ""
    assert "too old" in unserved(old, gpu)
    assert not new or "no longer" in unserved(new, gpu)


@pytest.mark.parametrize(
    ("version", "driver", "runs"),
    [
        ("11.8.0", "450.80.02", True),
        ("11.8.0", "450.51.06", False),
        ("12.9.1", "525.60.13", True),
        ("12.0.1", "520.61.05", False),
        ("13.0.2", "580.65.06", True),
        ("13.0.2", "575.57.08", False),
        ("12.2.0", "535.54.03", True),
    ],
)
def test_from_11_on_a_driver_runs_all_of_a_major_version(version, driver, runs):
    gpu = Accelerator(model="NVIDIA A100-SXM4-40GB", count=1, driver=driver)
    assert (unserved(version, gpu) == "") == runs


def test_a_choice_may_leave_the_minor_version_open():
    assert unserved("11", Accelerator(model="NVIDIA H100", count=1)) == ""
    assert unserved("12", Accelerator(model="Tesla V100-SXM2-16GB", count=1)) == ""


@pytest.mark.parametrize(
    ("packages", "found"),
    [
        ({"jax": "0.10.2", "nvidia-cuda-runtime-cu12": "12.8.57"}, "12.8"),
        ({"nvidia-cuda-runtime": "13.0.48", "torch": "2.13.0+cu130"}, "13.0"),
        ({"torch": "2.7.0+cu128"}, "12.8"),
        ({"cuda": "11.8.0", "py-torch": "2.1.2"}, "11.8"),
        ({"torch": "2.13.0+cpu", "nvidia-ml-py": "12.0"}, ""),
        ({}, ""),
    ],
)
def test_what_a_framework_brings_is_among_its_packages(packages, found):
    assert delivered(packages) == found
