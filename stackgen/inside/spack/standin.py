"""Another machine stands in for the one we are on, in every place where Spack 1.1 asks what it runs on."""

import platform
from typing import Any

import spack.archspec
import spack.compilers.config
import spack.compilers.libraries
import spack.config
import spack.package
import spack.platforms
import spack.solver.asp
import spack.spec
import spack.util.libc
import spack.vendor.archspec.cpu
from spack.operating_systems._operating_system import OperatingSystem

_C_LIBRARY_PREFIX = "/usr"
"""Where glibc lies on every distribution that calls itself by a name of ours."""


class _Machine(spack.platforms.Platform):  # type: ignore[misc]
    """A Linux of whatever distribution and processor."""

    priority = 90

    def __init__(self, os: str, target: str) -> None:
        super().__init__("linux")
        self.default, self.default_os = target, os
        self.add_operating_system(os, OperatingSystem(os, ""))

    @classmethod
    def detect(cls) -> bool:
        """It is never found, only put in place."""
        return False


def stand_in(os: str, target: str, glibc: str) -> None:
    """From here on Spack is on that machine: call it before a package is loaded or an environment is read."""
    processor = spack.vendor.archspec.cpu.TARGETS[target]
    machine = _Machine(os, target)
    spack.vendor.archspec.cpu.host = lambda: processor
    spack.archspec.HOST_TARGET_FAMILY = processor.family
    spack.platforms.host = spack.package.host_platform = lambda: machine
    # Recipes choose their versions and binaries by these two.
    platform.machine = platform.processor = lambda: str(processor.family)
    _answer_for_compilers(glibc)
    spack.config.CONFIG.clear_caches()


def _answer_for_compilers(glibc: str) -> None:
    """Neither are the system's compilers here to be tried, nor is its C library."""

    def c_library(*_: object) -> Any:
        spec = spack.spec.Spec(f"glibc@={glibc}")
        spec.external_path = _C_LIBRARY_PREFIX
        return spec

    spack.compilers.libraries.CompilerPropertyDetector.default_libc = c_library
    spack.util.libc.libc_from_current_python_process = c_library
    spack.solver.asp.c_compiler_runs = _compiles_c
    spack.compilers.config.find_compilers = lambda *_, **__: []


def _compiles_c(compiler: Any) -> bool:
    """What Spack finds out by compiling an empty program: whether there is a C or a C++ compiler to try."""
    programs = compiler.extra_attributes.get("compilers", {})
    return bool(programs.get("c") or programs.get("cxx"))
