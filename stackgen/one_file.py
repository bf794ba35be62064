"""Modules for the oldest Pythons, joined to one file that runs where nothing is installed."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path


def joined(package: Path, modules: Sequence[str], beginning: str, end: str) -> str:
    """One program of some modules of a package, in the order of their needs.

    They import from each other by name alone, and no two of them define the same name.
    """
    sources = [(package / f"{name}.py").read_text(encoding="utf-8") for name in modules]
    imports = sorted({line for source in sources for line in _imports(source)}, key=_plain_imports_first)
    bodies = [_body(source) for source in sources]
    return beginning + "\n".join(["", *imports, "", ""]) + "\n\n".join(bodies) + end


def _statements(source: str) -> Iterator[tuple[ast.stmt, bool]]:
    """The statements of a module after its docstring, each with whether it imports something."""
    for statement in ast.parse(source).body[1:]:
        yield statement, isinstance(statement, ast.Import | ast.ImportFrom)


def _imports(source: str) -> Iterator[str]:
    """What a module imports of the standard library, one name a line."""
    for statement, _ in _statements(source):
        if isinstance(statement, ast.Import):
            yield from (f"import {alias.name}" for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and not str(statement.module).startswith("stackgen."):
            yield from (f"from {statement.module} import {alias.name}" for alias in statement.names)


def _plain_imports_first(line: str) -> tuple[bool, str]:
    return line.startswith("from"), line


def _body(source: str) -> str:
    """A module without its docstring and imports, comments kept."""
    last = max(
        (statement.end_lineno or 0 for statement, imports in _statements(source) if imports), default=0
    )
    return "\n".join(source.splitlines()[last:]).strip("\n") + "\n"
