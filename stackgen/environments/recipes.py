"""Our own Spack recipes: what the environments need and Spack's package repository lacks."""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from stackgen.tree import File, Tree

NAMESPACE = "stackgen"
"""The name of our package repository in Spack."""


def recipe_tree() -> Tree:
    """`spack_repo/stackgen/`: repo.yaml, and a directory per package."""
    root = files("stackgen") / "recipes"
    return Tree({path: File(source.read_text(encoding="utf-8")) for path, source in _below(root)})


def _below(directory: Traversable) -> Iterator[tuple[str, Traversable]]:
    for entry in directory.iterdir():
        if entry.is_file() and entry.name.endswith((".patch", ".py", ".yaml")):
            yield entry.name, entry
        elif entry.is_dir() and entry.name != "__pycache__":
            yield from ((f"{entry.name}/{path}", source) for path, source in _below(entry))
