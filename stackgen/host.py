"""The machine we are on, described as a system: by reading files alone, no process is started.

The probe reads the same files by the same functions (stackgen/probe), so that its file and `this` agree.
"""

import os
import platform
from collections.abc import Mapping
from pathlib import Path

from stackgen import targets
from stackgen.errors import InputError
from stackgen.model import Accelerator, Interpreter, Nodes, System
from stackgen.probe.description import described
from stackgen.probe.machine import c_library, glibc_version, gpus
from stackgen.probe.processor import node_of
from stackgen.probe.pythons import complete_pythons
from stackgen.probe.reading import ask_nobody

THIS = "this"
"""What an environment calls the machine we are on."""


def spoken(system: str) -> str:
    """The name of a system as sentences have it."""
    return "this machine" if system == THIS else system


def detect() -> System:
    """This machine as a system; InputError where no wheels are made for such a machine."""
    facts = described(os.environ, Path("/"), ask_nobody)
    known = {"name": THIS, "glibc": glibc(c_library()), "target": _target()}
    return System.model_validate({"os": "linux", **facts, **known})


def glibc(library: str) -> str:
    """Major and minor version of a C library that calls itself `glibc 2.36`; InputError of any other."""
    version = glibc_version(library)
    if not version:
        raise InputError.of(
            "this machine's C library is not glibc, which the frameworks' wheels need",
            "use a distribution with glibc, or name another system",
        )
    return version


def _target() -> str:
    target = targets.host()
    if target not in targets.NAMES or targets.family(target) not in targets.FAMILIES:
        raise InputError.of(
            f"this machine's processor is of the family {platform.machine()}",
            f"use a machine of {', '.join(targets.FAMILIES)}, or name another system",
        )
    return target


def nodes(proc: Path) -> Nodes:
    """What /proc says of this machine: cores, sockets and memory in whole GiB."""
    return Nodes.model_validate(node_of(proc))


def accelerators(proc: Path) -> tuple[Accelerator, ...]:
    """The GPUs that NVIDIA's driver shows in /proc."""
    return tuple(Accelerator.model_validate(gpu) for gpu in gpus(proc))


def interpreters(environment: Mapping[str, str], root: Path = Path("/")) -> tuple[Interpreter, ...]:
    """The complete CPythons of this machine, one a minor version, as `complete_pythons` finds them."""
    return tuple(Interpreter.model_validate(python) for python in complete_pythons(environment, root))
