"""What Spack's recipes set for those who use a package, kept by the framework's own Python at its start."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from stackgen.closure import Closure
from stackgen.hierarchy import Described

_SETS = "SetEnv"


def run_variables(closure: Closure, described: Iterable[Described]) -> dict[str, str]:
    """The variables that recipes set, such as MXNet of its library; a package overrules what it needs.

    What they add to search paths is not needed: the view is one tree, and libraries are found by run paths.
    """
    by_hash = {one.hash: one for one in described}
    found = {
        effect.variable: effect.value
        for node in reversed(closure.nodes)
        if not node.external and node.hash in by_hash
        for effect in by_hash[node.hash].effects
        if effect.kind == _SETS
    }
    return dict(sorted(found.items()))


def path_file(
    variables: Mapping[str, str], closure: Closure, prefixes: Mapping[str, Path], staged: Path, final: Path
) -> str:
    """The line of a `.pth` file that sets these variables at every start of a Python, where they are not set.

    Of files that the framework has copies of, they name those; `staged` is where its prefix is made.
    """
    places = [prefixes[node.hash] for node in closure.nodes]
    pairs = {name: _own(value, places, staged, final) for name, value in variables.items()}
    return f"import os; [os.environ.setdefault(*pair) for pair in {pairs!r}.items()]\n"


def _own(value: str, places: Iterable[Path], staged: Path, final: Path) -> str:
    path = Path(value)
    for prefix in places:
        if path.is_absolute() and path != prefix and path.is_relative_to(prefix):
            below = path.relative_to(prefix)
            return str(final / below) if (staged / below).exists() else value
    return value
