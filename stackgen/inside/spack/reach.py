"""Whether a `^` can be had at all: the solver looks for ages before it says that it cannot."""

from collections.abc import Collection, Iterator
from typing import Any

import spack.deptypes as dt
import spack.repo
from spack.spec import Spec

_REMEDIES = {"python": "leave out `^python` and `python:`"}


def unreached(spec: Any, roots: Collection[str]) -> Iterator[tuple[str, str]]:
    """What a spec asks for by `^` that none of these roots, solved together, can depend on."""
    for edge in spec.edges_to_dependencies():
        name = edge.spec.name
        if edge.direct or not _followed(name):
            continue
        if all(spack.repo.PATH.exists(root) and not _reaches(root, name) for root in roots):
            yield (
                f"nothing here depends on {name}, which `^{name}` asks for",
                _REMEDIES.get(name, "leave it out"),
            )


def _followed(name: str) -> bool:
    """What comes with every compiler is in no recipe."""
    if not spack.repo.PATH.exists(name):
        return bool(spack.repo.PATH.is_virtual(name))
    return "runtime" not in getattr(spack.repo.PATH.get_pkg_class(name), "tags", ())


def _reaches(root: str, name: str) -> bool:
    """By one dependency of any kind, or by any number that are linked or run; conditions count as met."""
    if name == root or name in _needs(root, dt.ALL):
        return True
    seen, waiting = {root}, {root}
    while waiting:
        found = {one for package in waiting for one in _needs(package, dt.LINK | dt.RUN)}
        if name in found:
            return True
        waiting = found - seen
        seen |= found
    return False


def _needs(package: str, wanted: int) -> set[str]:
    """The dependencies of these kinds; a virtual one with all that provide it."""
    if spack.repo.PATH.is_virtual(package):
        return set()
    found = {
        name
        for name, conditions in spack.repo.PATH.get_pkg_class(package).dependencies_by_name(when=True).items()
        if any(one.depflag & wanted for each in conditions.values() for one in each)
    }
    virtuals = {name for name in found if spack.repo.PATH.is_virtual(name)}
    return found | {one.name for name in virtuals for one in spack.repo.PATH.providers_for(Spec(name))}
