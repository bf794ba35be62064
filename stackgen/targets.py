"""Microarchitectures, by the names of archspec (https://archspec.readthedocs.io)."""

from archspec.cpu import TARGETS
from archspec.cpu import host as detect

NAMES: tuple[str, ...] = tuple(sorted(TARGETS))

FAMILIES = ("x86_64", "aarch64", "ppc64le", "riscv64")
"""The processor families that wheels are made for, as wheels name them."""


def family(target: str) -> str:
    """The processor family of a target, such as x86_64, aarch64, ppc64le."""
    return str(TARGETS[target].family)


def host() -> str:
    """The target of the machine we are on."""
    return str(detect().name)
