"""Which CUDA serves which GPU and which driver, as NVIDIA's documents say."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from stackgen.probe.machine import capability_of

Version = tuple[int, ...]


class Range(NamedTuple):
    """The first and the last CUDA whose compiler makes code for a capability; the last may be open."""

    first: Version
    last: Version | None = None


_RANGES = {
    "3.0": Range((5, 0), (10, 2)),
    "3.2": Range((6, 0), (10, 2)),
    "3.5": Range((5, 0), (11, 8)),
    "3.7": Range((6, 5), (11, 8)),
    "5.0": Range((6, 0), (12, 9)),
    "5.2": Range((6, 5), (12, 9)),
    "5.3": Range((6, 5), (12, 9)),
    "6.0": Range((8, 0), (12, 9)),
    "6.1": Range((8, 0), (12, 9)),
    "6.2": Range((8, 0), (12, 9)),
    "7.0": Range((9, 0), (12, 9)),
    "7.2": Range((9, 2), (12, 9)),
    "7.5": Range((10, 0)),
    "8.0": Range((11, 0)),
    "8.6": Range((11, 1)),
    "8.7": Range((11, 4)),
    "8.9": Range((11, 8)),
    "9.0": Range((11, 8)),
    "10.0": Range((12, 8)),
    "10.3": Range((12, 9)),
    "11.0": Range((13, 0)),
    "12.0": Range((12, 8)),
    "12.1": Range((12, 9)),
}
"""From the release notes of the CUDA toolkits that brought and removed each:
https://docs.nvidia.com/cuda/archive"""

_DRIVERS = {
    (7, 0): (346, 46),
    (7, 5): (352, 31),
    (8, 0): (375, 26),
    (9, 0): (384, 81),
    (9, 1): (390, 46),
    (9, 2): (396, 26),
    (10, 0): (410, 48),
    (10, 1): (418, 39),
    (10, 2): (440, 33),
    (11,): (450, 80, 2),
    (12,): (525, 60, 13),
    (13,): (580,),
}
"""The oldest driver on Linux that a CUDA runs on; from 11 on one serves all of a major version:
https://docs.nvidia.com/cuda/cuda-toolkit-release-notes, tables 2 and 3."""


def parsed(version: str) -> Version:
    """A version as numbers: 535.104.05 is 535, 104, 5."""
    return tuple(int(part) for part in re.findall(r"\d+", version))


def written(version: Version) -> str:
    """A version of CUDA as people write it."""
    return ".".join(map(str, version))


def capability(model: str) -> str | None:
    """The compute capability of a GPU by what it is called, such as `NVIDIA A100-SXM4-40GB`."""
    return capability_of(model) or None


def serving(capability: str) -> Range | None:
    """The CUDA versions that make code for a capability; None of one that is not known here."""
    return _RANGES.get(capability)


def oldest_driver(cuda: str) -> str:
    """The oldest driver that runs a CUDA, as it is written; empty where none is known."""
    version = parsed(cuda)
    found = _DRIVERS.get(version[:2]) or _DRIVERS.get(version[:1]) or ()
    return ".".join(f"{part:02}" for part in found)


_RUNTIME = re.compile(r"cuda|nvidia-cuda-runtime(-cu\d+)?")
_LOCAL = re.compile(r"\+cu(\d+)(\d)\b")


def delivered(packages: Mapping[str, str]) -> str:
    """The CUDA that is among a framework's packages, versions by name; empty where there is none.

    Its runtime comes as wheels, by names with its major version up to 12, or from Spack; where a system's is
    taken, wheels of PyTorch tell it by their local version, as 2.7.0+cu128.
    """
    told = [
        ".".join(version.split(".")[:2]) for name, version in packages.items() if _RUNTIME.fullmatch(name)
    ]
    local = [found for found in map(_LOCAL.search, packages.values()) if found]
    return next(iter([*told, *(f"{found[1]}.{found[2]}" for found in local)]), "")
