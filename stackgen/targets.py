"""Microarchitectures, by the names of archspec (https://archspec.readthedocs.io)."""

import re
import warnings

from archspec.cpu import TARGETS, UnsupportedMicroarchitecture
from archspec.cpu import host as detect

NAMES: tuple[str, ...] = tuple(sorted(TARGETS))

FAMILIES = ("x86_64", "aarch64", "ppc64le", "riscv64")
"""The processor families that wheels are made for, as wheels name them."""

_COMPILERS = {
    "intel-oneapi-compilers": "oneapi",
    "intel-oneapi-compilers-classic": "intel",
    "llvm": "clang",
}
"""What archspec calls the compilers that it knows by another name than Spack's packages."""


def family(target: str) -> str:
    """The processor family of a target, such as x86_64, aarch64, ppc64le."""
    return str(TARGETS[target].family)


def host() -> str:
    """The target of the machine we are on."""
    return str(detect().name)


def unsupported(target: str, compiler: str, version: str) -> str:
    """The versions of a compiler that make code for a target, where this one is not among them.

    Nothing where it is, or where archspec does not know the compiler, which Spack calls `compiler`.
    """
    number = re.match(r"\d+(\.\d+)*", version)
    if not number:
        return ""
    name = _COMPILERS.get(compiler, compiler)
    try:
        with warnings.catch_warnings(action="ignore"):
            TARGETS[target].optimization_flags(name, number[0])
    except UnsupportedMicroarchitecture:
        entries = TARGETS[target].compilers[name]
        return " or ".join(_range(entry["versions"]) for entry in entries)
    return ""


def _range(versions: str) -> str:
    first, _, last = versions.partition(":")
    return f"{first} to {last}" if first and last else f"{first} or newer" if first else f"up to {last}"
