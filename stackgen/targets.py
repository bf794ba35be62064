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


def runs(machine: str, target: str) -> bool:
    """Whether a machine of one target runs programs made for another; of a target nobody knows, no."""
    known = TARGETS.get(machine)
    return machine == target or (known is not None and target in {one.name for one in known.ancestors})


def unable(target: str, compiler: str, version: str) -> str:
    """Why a version of a compiler, by the name of its package in Spack, makes no code for a target.

    Nothing where it does, or where archspec does not know the compiler.
    """
    number = re.match(r"\d+(\.\d+)*", version)
    if not number:
        return ""
    name = _COMPILERS.get(compiler, compiler)
    try:
        with warnings.catch_warnings(action="ignore"):
            TARGETS[target].optimization_flags(name, number[0])
    except UnsupportedMicroarchitecture:
        able = " or ".join(_range(entry["versions"]) for entry in TARGETS[target].compilers[name])
        return f"{compiler} {version} makes no code for {target}, only {able} does"
    return ""


def flags(target: str, compiler: str, version: str) -> str:
    """The options by which a compiler makes code for a target; none where archspec knows none for it."""
    number = re.match(r"\d+(\.\d+)*", version)
    try:
        with warnings.catch_warnings(action="ignore"):
            name = _COMPILERS.get(compiler, compiler)
            return str(TARGETS[target].optimization_flags(name, number[0] if number else ""))
    except (UnsupportedMicroarchitecture, ValueError):
        return ""


def _range(versions: str) -> str:
    first, _, last = versions.partition(":")
    return f"{first} to {last}" if first and last else f"{first} or newer" if first else f"up to {last}"
