"""Packages that fetch while they are built, behind Spack's back: no mirror can help them."""

from collections.abc import Iterable, Iterator

from stackgen.graph import Graph, Node, graph

_PROGRAMS = {
    "bazel": "bazel",
    "go": "go",
    "gradle": "gradle",
    "maven": "maven",
    "npm": "npm",
    "py-maturin": "cargo",
    "py-setuptools-rust": "cargo",
    "rust": "cargo",
    "sbt": "sbt",
    "stack": "stack",
    "yarn": "yarn",
}
"""What packages are built with that fetches what they need, and the program that does."""


def downloads(lock_texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Such packages of some `spack.lock`s, each with the program that fetches, sorted."""
    return tuple(sorted({found for text in lock_texts for found in _downloads(graph(text))}))


def _downloads(read: Graph) -> Iterator[tuple[str, str]]:
    for node in read.nodes.values():
        for tool in () if node.external else _built_with(node, read):
            if program := _PROGRAMS.get(tool):
                yield node.name, program


def _built_with(node: Node, read: Graph) -> Iterator[str]:
    return (read.nodes[edge.to].name for edge in node.edges if "build" in edge.kinds)
