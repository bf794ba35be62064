"""The probe as one file that runs on a machine's own Python, with archspec's table of processors inside."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from archspec.cpu import TARGETS
from archspec.cpu.schema import TARGETS_JSON

from stackgen import targets
from stackgen.errors import InputError, WorkError
from stackgen.one_file import joined
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
    return joined(_PACKAGE, _MODULES, _BEGINNING, _END.format(table=_table_text()))


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
