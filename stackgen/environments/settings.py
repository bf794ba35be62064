"""The configuration beside packages.yaml: how Spack solves, where it puts things, what modules it writes."""

from collections.abc import Mapping

from stackgen.environments.documents import Document
from stackgen.environments.recipes import NAMESPACE
from stackgen.model.specs import package_name
from stackgen.plan import Plan

PADDED_LENGTH = 128
"""Bytes of an install tree's path: binaries can be moved to any prefix that is not longer."""


def concretizer() -> Mapping[str, Document]:
    """Nothing that happens to be installed decides; a login node may be of another kind than the nodes."""
    return {
        "reuse": False,
        "targets": {"granularity": "microarchitectures", "host_compatible": False},
        "unify": True,
    }


def config(plan: Plan) -> Mapping[str, Document]:
    """Everything below the prefix, but for what is thrown away."""
    return {
        "build_stage": ["$tempdir/$user/stackgen-stage"],
        "ccache": False,
        "checksum": True,
        "install_tree": {"padded_length": PADDED_LENGTH, "root": f"{plan.prefix}/store"},
    }


def repos() -> Mapping[str, Document]:
    """Our recipes, found from the directory of this file; Spack's own stay where Spack has them."""
    return {NAMESPACE: f"../repos/spack_repo/{NAMESPACE}"}


def modules(plan: Plan) -> Mapping[str, Document]:
    """Lmod's hierarchy, no hashes in any name, each with what it needs.

    A single colon after `prefix_inspections` would double every path; `exclude_implicits` would drop
    dependencies; a module of the core compiler would prepend Core to MODULEPATH again.
    """
    toolchain = dict(plan.toolchain)
    compilers = [compiler.spec for compiler in plan.system.compilers]
    mpi = toolchain.get("mpi")
    lmod: dict[str, Document] = {
        "all": {"autoload": "direct"},
        "core_compilers": [toolchain["compiler"]] if "compiler" in toolchain else compilers,
        "exclude": sorted({*map(package_name, compilers), "compiler-wrapper", "gcc", "gcc-runtime", "glibc"}),
        "hash_length": 0,
        "hide_implicits": True,
        "hierarchy": ["mpi"],
        "include": [package_name(mpi)] if mpi else [],
        "projections": {"all": "{name}/{version}"},
    }
    return {
        "default": {
            "arch_folder": False,
            "enable": ["lmod"],
            "lmod": lmod,
            "roots": {"lmod": f"{plan.prefix}/hierarchy"},
        },
        "prefix_inspections:": _INSPECTED,
    }


_INSPECTED: Mapping[str, Document] = {
    "./": ["CMAKE_PREFIX_PATH"],
    "./bin": ["PATH"],
    "./lib/pkgconfig": ["PKG_CONFIG_PATH"],
    "./lib64/pkgconfig": ["PKG_CONFIG_PATH"],
    "./man": ["MANPATH"],
    "./share/aclocal": ["ACLOCAL_PATH"],
    "./share/man": ["MANPATH"],
    "./share/pkgconfig": ["PKG_CONFIG_PATH"],
}
