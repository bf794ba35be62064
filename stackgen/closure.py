"""What of a lock of Spack's is a framework: its roots, its Python, and what runs or is loaded with them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from stackgen.graph import Graph, Node, graph
from stackgen.model.specs import package_name
from stackgen.plan.requests import PYTHON_PACKAGE

PYTHON, VENV, PIP = "python", "python-venv", "py-pip"
_UNTOLD = frozenset({PYTHON, VENV, "compiler-wrapper", "gcc-runtime", "glibc"})
"""What nobody asks for, or what is told elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """The packages of a framework that Spack builds."""

    roots: tuple[Node, ...]
    """The framework itself, then what is in it beside; sorted by name."""
    nodes: tuple[Node, ...]
    """All that is used, the roots first, each level of dependencies after the one before."""
    pip: Node | None
    """What its Python packages were installed with."""

    @property
    def version(self) -> str:
        """The framework's own version."""
        return self.roots[0].version

    @property
    def python(self) -> Node | None:
        """The interpreter; None where it needs none."""
        return next((node for node in self.nodes if node.name == PYTHON), None)

    @property
    def python_version(self) -> str:
        """Major and minor version of its Python, such as 3.11; empty where it has none."""
        return ".".join(self.python.version.split(".")[:2]) if self.python else ""

    @property
    def packages(self) -> dict[str, str]:
        """The versions of what Spack builds: Python's by the names that pip knows, others by Spack's."""
        nodes = [node for node in self.nodes if not node.external and node.name not in _UNTOLD]
        found = {node.name: node.version for node in nodes if not is_python_package(node)}
        found |= {distribution(node.name): node.version for node in nodes if is_python_package(node)}
        pip = {"pip": self.pip.version} if self.python and self.pip else {}
        return dict(sorted({**found, **pip}.items()))

    @property
    def strangers(self) -> tuple[Node, ...]:
        """What would have to be part of it, and is the system's."""
        return tuple(
            node for node in self.nodes if node.external and (node in self.roots or is_python_package(node))
        )


def closure(lock_text: str, spec: str) -> Closure:
    """The closure of the framework that was asked for as `spec`."""
    read = graph(lock_text)
    roots = list({key: read.nodes[key] for key in read.roots}.values())
    roots.sort(key=lambda node: (node.name != package_name(spec), node.name, node.hash))
    return Closure(
        roots=tuple(roots),
        nodes=tuple(_levels(read, roots)),
        pip=next((node for node in read.nodes.values() if node.name == PIP and not node.external), None),
    )


def locked_python(lock_text: str) -> Node:
    """The interpreter in the lock of a Python for wheels; KeyError where there is none."""
    named: Mapping[str, Node] = {node.name: node for node in graph(lock_text).used()}
    return named[PYTHON]


def is_python_package(node: Node) -> bool:
    """Whether it is one of Python's."""
    return is_python_name(node.name)


def is_python_name(package: str) -> bool:
    """Whether Spack names a package of Python's so."""
    return package.startswith(PYTHON_PACKAGE)


def distribution(package: str) -> str:
    """What pip calls a Python package of Spack's."""
    return canonicalize_name(package.removeprefix(PYTHON_PACKAGE))


def _levels(read: Graph, roots: Iterable[Node]) -> Iterator[Node]:
    """Breadth first, by name within a level, so that the order is the same for every reader of the lock."""
    seen: set[str] = set()
    level = list(roots)
    while level:
        level = [node for node in {node.hash: node for node in level}.values() if node.hash not in seen]
        seen |= {node.hash for node in level}
        yield from level
        below = (read.nodes[edge.to] for node in level for edge in node.edges if edge.in_use)
        level = sorted(below, key=lambda node: (node.name, node.hash))
