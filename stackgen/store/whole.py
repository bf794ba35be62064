"""What of a lock is installed, told from Spack's database and from the prefixes, without Spack."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackgen.graph import Node, graph
from stackgen.lock import Lock
from stackgen.plan import Plan
from stackgen.store.place import DATABASE, is_finished, locked_nodes, tree_below, upstream_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The hashes of packages that are not installed, those with half a prefix or none apart."""

    absent: tuple[str, ...]
    """What Spack does not know of; as where its database is gone, it may yet be there."""
    gone: tuple[str, ...]
    """What is not there, whether Spack knows of it or not."""

    disorder: bool
    """Whether Spack's database does not say what there is; it has to be mended before several use it."""

    @property
    def missing(self) -> tuple[str, ...]:
        """All of them."""
        return *self.absent, *self.gone

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing


def is_installed(plan: Plan, lock: Lock) -> bool:
    """Whether every package of a lock is there, below the prefix of its plan."""
    return not lock.spack or found(tree_below(Path(plan.prefix)), needed(lock, upstream_of(plan))).whole


def needed(lock: Lock, upstream: Path | None = None) -> Mapping[str, Node]:
    """What is to be installed, by hash, of all environments; nothing of what an upstream tree has.

    Externals are there already, but Spack has to know of those that were asked for, or it makes no modules.
    """
    roots = {key for one in lock.spack for key in graph(one.text).roots}
    known = (_installed(upstream) or frozenset()) if upstream else frozenset()
    there = {
        key
        for key, node in locked_nodes(lock).items()
        if upstream and key in known and is_finished(upstream, node)
    }
    return {
        key: node
        for key, node in locked_nodes(lock).items()
        if key not in there and (not node.external or key in roots)
    }


def found(tree: Path, nodes: Mapping[str, Node]) -> Found:
    """What is missing of these packages below an install tree."""
    known = _installed(tree)
    installed = known or frozenset()
    gone = tuple(key for key, node in nodes.items() if not is_finished(tree, node))
    disorder = any(tree.glob("linux-*/*")) if known is None else not installed.isdisjoint(gone)
    absent = tuple(key for key in nodes if key not in {*installed, *gone})
    return Found(absent=absent, gone=gone, disorder=disorder)


def _installed(tree: Path) -> frozenset[str] | None:
    """The hashes that Spack's database has as installed; None where there is none that can be read."""
    try:
        index: dict[str, Any] = json.loads((tree / DATABASE).read_bytes())
        records = index["database"]["installs"]
        return frozenset(key for key, record in records.items() if record["installed"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
