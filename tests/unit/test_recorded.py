"""What a release keeps of itself for its catalog."""

import pytest

from stackgen.recorded import gpu_of


@pytest.mark.parametrize(
    ("packages", "maker"),
    [
        ({"nvidia-cublas-cu12": "12.8.4"}, "NVIDIA"),
        ({"nvidia-cuda-runtime": "13.0.96"}, "NVIDIA"),
        ({"torch": "2.7.0+cu128"}, "NVIDIA"),
        ({"cuda": "12.4.1"}, "NVIDIA"),
        ({"hip": "6.3.3"}, "AMD"),
        ({"torch": "2.13.0+cpu", "nvidia-ml-py": "13.580.82"}, ""),
    ],
)
def test_gpus_are_known_by_what_code_for_them_needs(packages: dict[str, str], maker: str):
    assert gpu_of(packages) == maker
