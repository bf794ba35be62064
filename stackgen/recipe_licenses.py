"""The licences of what Spack has built, as its recipes state them: `license("MIT", when="@2:")`."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from stackgen.closure import distribution, is_python_package
from stackgen.graph import Node, graph
from stackgen.lock import SpackLock

_CONDITION = re.compile(r"@(?P<versions>[^\s+~%^]+)|(?P<sign>[+~])(?P<variant>\w+)")


def spack_licenses(locks: Iterable[SpackLock], prefixes: Mapping[str, Path]) -> dict[str, str]:
    """The licences of packages in locks by the names that frameworks have them by; `prefixes` by hash.

    Of several builds of one package the last one's; what states none is left out.
    """
    nodes = {node.hash: node for lock in locks for node in graph(lock.text).used()}
    found = {
        distribution(node.name) if is_python_package(node) else node.name: _installed(node, prefixes[key])
        for key, node in sorted(nodes.items(), key=lambda one: (one[1].name, one[1].version, one[0]))
        if key in prefixes
    }
    return {name: text for name, text in found.items() if text}


def _installed(node: Node, prefix: Path) -> str:
    """By the recipe that Spack leaves in every prefix; https://spack.readthedocs.io, `.spack/repos`."""
    directory = module_name(node.name)
    for path in sorted((prefix / ".spack/repos").glob(f"**/packages/{directory}/package.py")):
        try:
            return recipe_license(path.read_text(encoding="utf-8"), node.version, node.parameters)
        except (OSError, SyntaxError, ValueError):
            continue
    return ""


def module_name(package: str) -> str:
    """The directory of a package's recipe."""
    name = package.replace("-", "_")
    return f"_{name}" if name[0].isdigit() else name


def recipe_license(text: str, version: str, parameters: Mapping[str, Any]) -> str:
    """The licence that a recipe states for a version, as one expression; nothing where it states none.

    SyntaxError where the text is no Python.
    """
    stated = [
        name for name, when in _statements(ast.parse(text)) if _holds(when, version, parameters) and name
    ]
    known = list(dict.fromkeys(stated))
    if len(known) == 1:
        return known[0]
    return " AND ".join(f"({name})" if re.search(r" (AND|OR) ", name) else name for name in known)


def _statements(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Each licence in the class of the package, and on which condition."""
    directives = (
        line.value
        for one in tree.body
        if isinstance(one, ast.ClassDef)
        for line in one.body
        if isinstance(line, ast.Expr)
    )
    for call in directives:
        match call:
            case ast.Call(func=ast.Name(id="license"), args=[ast.Constant(value=str(name)), *_]):
                conditions = (key.value for key in call.keywords if key.arg == "when")
                when = next(conditions, None)
                yield (
                    name,
                    when.value if isinstance(when, ast.Constant) and isinstance(when.value, str) else "",
                )


def _holds(when: str, version: str, parameters: Mapping[str, Any]) -> bool:
    """Whether a condition of versions and variants holds; what else one may be of is taken to."""
    for part in _CONDITION.finditer(when):
        if part["versions"] and not any(
            _within(version, one.removeprefix("=")) for one in part["versions"].split(",")
        ):
            return False
        if part["variant"] in parameters and parameters[part["variant"]] is not (part["sign"] == "+"):
            return False
    return True


def _within(version: str, wanted: str) -> bool:
    """As Spack reads ranges: both ends belong to them, 4.5 with every 4.5.x; a branch is above all."""
    low, colon, high = wanted.partition(":")
    found = _parts(version)
    if not colon:
        return found[: len(_parts(low))] == _parts(low)
    above = not low or found >= _parts(low)
    below = not high or found[: len(_parts(high))] <= _parts(high)
    return above and below


def _parts(version: str) -> tuple[tuple[int, int, str], ...]:
    """Numbers above words, and the names of branches, which begin a version, above all."""
    parts = re.findall(r"\d+|[A-Za-z]+", version)
    branch = bool(parts) and not parts[0].isdigit()
    return tuple(
        (1, int(part), "") if part.isdigit() else (2 if branch and number == 0 else 0, 0, part)
        for number, part in enumerate(parts)
    )
