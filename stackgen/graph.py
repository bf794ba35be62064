"""What a `spack.lock` holds: packages, and what each of them needs, as what."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

_BUILD = frozenset({"build", "test"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A dependency: on which node, as what (`build`, `link`, `run`, `test`), for which virtual packages."""

    to: str
    kinds: frozenset[str]
    virtuals: tuple[str, ...]

    @property
    def in_use(self) -> bool:
        """Whether it counts when the package is used, and not only when it is built or tested."""
        return bool(self.kinds - _BUILD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A package in a lock."""

    hash: str
    name: str
    version: str
    os: str
    target: str
    external: bool
    parameters: Mapping[str, Any]
    """Variants and flags, as Spack writes them: a truth, a text or a list of texts."""
    edges: tuple[Edge, ...]
    prefix: str = ""
    """Where an external lies."""
    modules: tuple[str, ...] = ()
    """What has to be loaded for an external."""
    compilers: Mapping[str, str] = field(default_factory=dict)
    """The programs of an external compiler by language."""

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def file_version(self) -> str:
        """Its version as a part of a file's name: of a commit it has a `=`, of a branch maybe a `/`."""
        return _in_file_names(self.version)

    @property
    def file_name(self) -> str:
        """What Spack calls it where it keeps it: no other package has that name."""
        return _in_file_names(f"{self.name}-{self.version}-{self.hash}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A lock: the hashes of its roots, and every node by its hash."""

    roots: tuple[str, ...]
    nodes: Mapping[str, Node]

    def used(self) -> tuple[Node, ...]:
        """What is loaded or linked when the roots are used; what only builds them is left out."""
        found: dict[str, Node] = {}
        waiting = list(self.roots)
        while waiting:
            node = self.nodes[waiting.pop()]
            if node.hash not in found:
                found[node.hash] = node
                waiting.extend(edge.to for edge in node.edges if edge.in_use)
        return tuple(sorted(found.values(), key=lambda node: (node.name, node.version, node.hash)))


@lru_cache(maxsize=32)
def graph(lock_text: str) -> Graph:
    """Read a `spack.lock`."""
    lock = json.loads(lock_text)
    return Graph(
        roots=tuple(root["hash"] for root in lock["roots"]),
        nodes={key: _node(key, entry) for key, entry in lock["concrete_specs"].items()},
    )


def _in_file_names(text: str) -> str:
    """As `polite_filename` of Spack does it."""
    return re.sub(r"[^A-Za-z0-9_+.-]", "_", text)


def _node(key: str, entry: Mapping[str, Any]) -> Node:
    target = entry["arch"]["target"]
    external = entry.get("external") or {}
    return Node(
        hash=key,
        name=entry["name"],
        version=str(entry["version"]),
        os=entry["arch"]["platform_os"],
        target=target if isinstance(target, str) else target["name"],
        external="external" in entry,
        parameters=entry.get("parameters", {}),
        edges=tuple(_edge(dependency) for dependency in entry.get("dependencies", ())),
        prefix=external.get("path") or "",
        modules=tuple(external.get("module") or ()),
        compilers=(external.get("extra_attributes") or {}).get("compilers", {}),
    )


def _edge(dependency: Mapping[str, Any]) -> Edge:
    how = dependency["parameters"]
    return Edge(to=dependency["hash"], kinds=frozenset(how["deptypes"]), virtuals=tuple(how["virtuals"]))
