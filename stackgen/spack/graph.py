"""What a `spack.lock` holds, and whether it is for the machine that it was made for."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stackgen.spack.asking import Host

_ONE_PROVIDER = {"mpi": "MPI", "blas": "BLAS", "lapack": "LAPACK"}
"""Virtual packages that one graph may have one provider of, and what to call each."""
_ONE_PACKAGE = {"cuda": "CUDA", "python": "Python"}
_BUILD = frozenset({"build", "test"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A dependency: on which node, as what (`build`, `link`, `run`, `test`), for which virtual packages."""

    to: str
    kinds: frozenset[str]
    virtuals: tuple[str, ...]


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

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


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
                waiting.extend(edge.to for edge in node.edges if edge.kinds - _BUILD)
        return tuple(sorted(found.values(), key=lambda node: (node.name, node.version, node.hash)))


def graph(lock_text: str) -> Graph:
    """Read a `spack.lock`."""
    lock = json.loads(lock_text)
    return Graph(
        roots=tuple(root["hash"] for root in lock["roots"]),
        nodes={key: _node(key, entry) for key, entry in lock["concrete_specs"].items()},
    )


def _node(key: str, entry: Mapping[str, Any]) -> Node:
    target = entry["arch"]["target"]
    return Node(
        hash=key,
        name=entry["name"],
        version=str(entry["version"]),
        os=entry["arch"]["platform_os"],
        target=target if isinstance(target, str) else target["name"],
        external="external" in entry,
        parameters=entry.get("parameters", {}),
        edges=tuple(_edge(dependency) for dependency in entry.get("dependencies", ())),
    )


def _edge(dependency: Mapping[str, Any]) -> Edge:
    how = dependency["parameters"]
    return Edge(to=dependency["hash"], kinds=frozenset(how["deptypes"]), virtuals=tuple(how["virtuals"]))


def problems(lock_text: str, host: Host, cuda_arch: Iterable[str] = ()) -> tuple[str, ...]:
    """Why a lock is not for a host with these accelerators (`cuda_arch` as Spack writes it: 70); sorted.

    One MPI, one BLAS, one CUDA and one Python: two would meet in one process.
    """
    read = graph(lock_text)
    return tuple(
        sorted({*_strangers(read, host), *_other_accelerators(read, set(cuda_arch)), *_duplicates(read)})
    )


def _strangers(read: Graph, host: Host) -> Iterator[str]:
    for node in read.nodes.values():
        if not node.external and (node.os, node.target) != (host.os, host.target):
            yield f"{node} is for {node.os} {node.target}, and the system is {host.os} {host.target}"


def _other_accelerators(read: Graph, wanted: set[str]) -> Iterator[str]:
    for node in read.nodes.values():
        if node.external or node.parameters.get("cuda") is not True or "cuda_arch" not in node.parameters:
            continue
        built = node.parameters["cuda_arch"]
        missing = wanted - ({built} if isinstance(built, str) else set(built))
        if missing:
            yield f"{node} is built for CUDA, and not for cuda_arch={','.join(sorted(missing))}"


def _duplicates(read: Graph) -> Iterator[str]:
    used = read.used()
    for virtual, title in _ONE_PROVIDER.items():
        edges = (edge for node in used for edge in node.edges if edge.kinds - _BUILD)
        hashes = {edge.to for edge in edges if virtual in edge.virtuals}
        yield from _several(title, (read.nodes[key] for key in hashes))
    for name, title in _ONE_PACKAGE.items():
        yield from _several(title, (node for node in used if node.name == name))


def _several(title: str, nodes: Iterable[Node]) -> Iterator[str]:
    names = sorted(f"{node} /{node.hash[:7]}" for node in nodes)
    if len(names) > 1:
        yield f"more than one {title}: {', '.join(names)}"
