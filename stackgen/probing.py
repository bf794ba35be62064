"""The probe as one file that runs on a machine's own Python, with archspec's table of processors inside."""

import ast
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from archspec.cpu import TARGETS
from archspec.cpu.schema import TARGETS_JSON

from stackgen import targets
from stackgen.errors import InputError, WorkError
from stackgen.probe.reading import is_line
from stackgen.run import Command, Runner

_PACKAGE = Path(__file__).parent / "probe"
_MODULES = (
    *("reading", "processor", "machine", "pythons", "compilers", "externals", "description"),
    *("programs", "schedulers", "document", "command"),
)
"""In the order of their needs."""

_BEGINNING = '''\
#!/usr/bin/env python3
"""Print this machine as a system's file of stackgen: `python3 probe.py > environments/systems/NAME.yaml`.

It needs Python 3.6 and nothing else, asks programs for at most 10 s each, and writes nothing but its output.
"""
'''

_END = '''

TABLE = {table}
"""Of archspec (https://archspec.readthedocs.io): parents, vendor, generation, part and features of each
microarchitecture, and the vendors of Arm processors by their codes."""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], TABLE))
'''


def probed(name: str | None, run: Runner) -> str:
    """This machine's system file, by the very program that other machines get."""
    if name is not None and not is_line(name):
        raise InputError.of(f"{name!r} is no name for a machine", "give one line of text")
    words = (sys.executable, "-I", "-", *(("--name", name) if name else ()))
    outcome = run(
        Command(argv=words, environment=os.environ, directory=Path("/"), stdin=probe_script(), timeout=600)
    )
    if outcome.status:
        raise WorkError("the probe failed", "please report it", details=outcome.stderr)
    return outcome.stdout


def probe_script() -> str:
    """The text of the program."""
    sources = [(_PACKAGE / f"{name}.py").read_text(encoding="utf-8") for name in _MODULES]
    imports = sorted({line for source in sources for line in _imports(source)}, key=_plain_imports_first)
    bodies = [_body(source) for source in sources]
    return (
        _BEGINNING
        + "\n".join(["", *imports, "", ""])
        + "\n\n".join(bodies)
        + _END.format(table=_table_text())
    )


def processor_table() -> Mapping[str, Mapping[str, list[str]]]:
    """What archspec knows of the families that wheels are made for."""
    return {
        "targets": {
            name: [
                " ".join(str(parent) for parent in target.parents),
                target.vendor,
                str(target.generation),
                target.cpu_part,
                " ".join(sorted(target.features)),
            ]
            for name, target in TARGETS.items()
            if targets.family(name) in targets.FAMILIES
        },
        "vendors": {code: [name] for code, name in TARGETS_JSON["conversions"]["arm_vendors"].items()},
    }


def _table_text() -> str:
    """The table as Python reads it, one microarchitecture a line."""
    parts = [
        f'    "{part}": {{\n'
        + "".join(f'        "{name}": {json.dumps(row)},\n' for name, row in rows.items())
        + "    },\n"
        for part, rows in processor_table().items()
    ]
    return "{\n" + "".join(parts) + "}"


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
