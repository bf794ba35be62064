"""Whether a `spack.lock` is for the machine that it was made for."""

from collections.abc import Iterable, Iterator

from stackgen.graph import Edge, Graph, Node, graph
from stackgen.spack.asking import Host

__all__ = ["Edge", "Graph", "Node", "graph", "problems"]

_ONE_PROVIDER = {"mpi": "MPI", "blas": "BLAS", "lapack": "LAPACK"}
"""Virtual packages that one graph may have one provider of, and what to call each."""
_ONE_PACKAGE = {"cuda": "CUDA", "python": "Python"}


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
        edges = (edge for node in used for edge in node.edges if edge.in_use)
        hashes = {edge.to for edge in edges if virtual in edge.virtuals}
        yield from _several(title, (read.nodes[key] for key in hashes))
    for name, title in _ONE_PACKAGE.items():
        yield from _several(title, (node for node in used if node.name == name))


def _several(title: str, nodes: Iterable[Node]) -> Iterator[str]:
    names = sorted(f"{node} /{node.hash[:7]}" for node in nodes)
    if len(names) > 1:
        yield f"more than one {title}: {', '.join(names)}"
