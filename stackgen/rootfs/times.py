"""Which files keep their time: sources whose bytecode names it, which Python would compile at every start."""

from collections.abc import Iterator, Mapping
from itertools import chain

from stackgen.rootfs.nodes import Compiled, File, Folder, Nodes

_CACHE = "__pycache__"


def kept_times(nodes: Nodes) -> Mapping[File, int]:
    """The times of the files that keep one; all others are of 1970."""
    found: dict[File, int] = {}
    for _, node in chain([("", nodes.root)], nodes.walk()):
        if isinstance(node, Folder):
            found.update(_times_in(node))
    return found


def _times_in(folder: Folder) -> Iterator[tuple[File, int]]:
    found = [(folder.children.get(name), compiled) for name, compiled in _compiled(folder)]
    pairs = [(source, compiled) for source, compiled in found if isinstance(source, File)]
    for source, compiled in pairs:
        if compiled.seconds == 0:
            yield source, 1  # what is out of date must not become fresh
    for source, compiled in pairs:
        if compiled == (source.seconds % 2**32, source.size % 2**32):
            yield source, compiled.seconds


def _compiled(folder: Folder) -> Iterator[tuple[str, Compiled]]:
    """The sources' names in a directory, each with what its bytecode says.

    https://peps.python.org/pep-3147/: beside the source, or in a directory below with the Python's tag.
    """
    for name, node in folder.children.items():
        if isinstance(node, File) and node.compiled and name.endswith(".pyc"):
            yield name[:-1], node.compiled
    cache = folder.children.get(_CACHE)
    if isinstance(cache, Folder):
        for name, node in cache.children.items():
            if isinstance(node, File) and node.compiled:
                yield _source_name(name), node.compiled


def _source_name(name: str) -> str:
    """`m.py` for `m.cpython-311.pyc` and `m.cpython-311.opt-1.pyc`."""
    stem = name.removesuffix(".pyc")
    front, _, optimised = stem.rpartition(".")
    return (front if optimised.startswith("opt-") else stem).rpartition(".")[0] + ".py"
