"""What `module help` tells of a package that Spack built for everyone."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from stackgen.effects import variable_name
from stackgen.graph import Graph, Node
from stackgen.manual import WIDTH

_LANGUAGES = frozenset({"c", "cxx", "fortran"})


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a recipe says of its package, and how it was built."""

    summary: str
    homepage: str
    variants: str


def package_manual(graph: Graph, node: Node, about: About, beside: Iterable[Node]) -> str:
    """The help text of a package's module; `beside` is what comes with it and is no module of its own."""
    compilers = "" if node.external else _compilers(graph, node)
    variants = " ".join(word for word in about.variants.split() if not word.startswith("build_system="))
    names = ", ".join(sorted({str(other) for other in beside}))
    lines = [
        *_wrapped(f"{node.name} {node.version}: {about.summary.strip()}"),
        *((about.homepage,) if about.homepage else ()),
        "",
        f"It lies in ${variable_name(node.name)}_ROOT.",
        *((f"Compiled by {compilers} for {node.target}.",) if compilers else ()),
        *(_wrapped(f"Variants: {variants}") if variants else ()),
        *(_wrapped(f"With it: {names}") if names else ()),
    ]
    return "\n".join(lines) + "\n"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _compilers(graph: Graph, node: Node) -> str:
    edges = (edge for edge in node.edges if _LANGUAGES & set(edge.virtuals))
    return ", ".join(sorted({str(graph.nodes[edge.to]) for edge in edges}))
