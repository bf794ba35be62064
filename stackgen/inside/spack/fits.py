"""What Spack's grammar allows in a spec, and no solution can have: other machines, hashes, branches."""

from collections.abc import Iterator
from typing import Any

import spack.platforms
import spack.repo
from spack.spec import Spec
from spack.version import GitVersion

_PLATFORM = "linux"

_ROLES = {
    "toolchain.compiler": ("c", "cxx", "fortran"),
    "toolchain.mpi": ("mpi",),
    "toolchain.other-mpis": ("mpi",),
    "toolchain.math": ("blas",),
}
"""What is to be provided by what a site names there."""


def misplaced(where: str, package: str) -> Iterator[tuple[str, str]]:
    """Why a package that there is cannot be what the site takes it for."""
    roles = [Spec(role) for role in _ROLES.get(where.partition("[")[0], ())]
    able = {one.name for role in roles for one in spack.repo.PATH.providers_for(role)}
    if roles and package not in {*able, *map(str, roles)} and spack.repo.PATH.exists(package):
        yield f"{package} provides no {roles[0].name}", f"take one of {', '.join(sorted(able))}"


def misfits(node: Any) -> Iterator[tuple[str, str]]:
    """Why a package of a spec cannot be solved for, whatever its recipe says."""
    if node.abstract_hash:
        yield f"/{node.abstract_hash} is a hash, and nothing is installed yet", "name the package instead"
    elif not node.name:
        yield f"`{node}` names no package after a `%` or `^`", "write its name there"
    else:
        yield from _of_versions(node)
        yield from _of_machine(node)
        yield from _of_namespace(node)


def _of_versions(node: Any) -> Iterator[tuple[str, str]]:
    """Spack would clone the repository to learn which version a branch or commit is."""
    for version in node.versions:
        if isinstance(version, GitVersion) and version.std_version is None:
            remedy = f"say it as {node.name}@git.{version.ref}=VERSION"
            yield f"nothing tells which version {version.ref} of {node.name} is", remedy
    if "patches" in node.variants:
        yield f"{node.name} cannot be asked for patches=", "leave it out; the recipe chooses its patches"


def _of_machine(node: Any) -> Iterator[tuple[str, str]]:
    """All is made for the system; ranges and lists of targets are Spack's to decide."""
    asked, machine = node.architecture, spack.platforms.host()
    if asked is None:
        return
    parts = (
        ("platform", asked.platform, _PLATFORM),
        ("os", asked.os, machine.default_os),
        ("target", asked.target, machine.default),
    )
    for part, wanted, theirs in parts:
        text = str(wanted or theirs)
        if text != theirs and not set(text) & {":", ","}:
            yield f"{node.name} is asked for {part}={text}, and the system is {theirs}", "leave it out"


def _of_namespace(node: Any) -> Iterator[tuple[str, str]]:
    known = {repo.namespace for repo in spack.repo.PATH.repos}
    if node.namespace and node.namespace not in known:
        yield f"there are no recipes called {node.namespace}", f"take one of {', '.join(sorted(known))}"
