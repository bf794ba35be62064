"""The command that `--executor slurm` starts on nodes."""

import os
import sys
import traceback

import click
from pydantic import ValidationError

from stackgen.builders import Lines, Part, do
from stackgen.cli.options import tools
from stackgen.errors import InputError, StackgenError, WorkError


@click.command(hidden=True)
@click.argument("asked", metavar="JSON")
def part(asked: str) -> None:
    """Do a part of a build on this node, and tell of it in lines of JSON; `build --executor` asks for it."""
    try:
        wanted = Part.model_validate_json(asked)
    except ValidationError:
        what, remedy = "this is for the nodes of a build alone", "use `stackgen build --executor slurm`"
        raise InputError.of(what, remedy) from None
    lines = Lines(_write)
    try:
        do(wanted, lines, tools(progress=lines), os.environ)
    except (StackgenError, OSError) as error:
        _tell(lines, error)
        sys.exit(1)
    except Exception as error:  # whoever asked is to see it
        what = f"stackgen has a bug ({type(error).__name__}: {error}); please report it with the log"
        lines.tell(error=what, remedy="", details=traceback.format_exc())
        sys.exit(1)


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _tell(lines: Lines, error: StackgenError | OSError) -> None:
    match error:
        case WorkError():
            lines.tell(error=error.what, remedy=error.remedy, details=error.details)
        case InputError() if len(error.faults) == 1:
            (fault,) = error.faults
            what = str(fault).removesuffix(f"; {fault.remedy}")
            lines.tell(error=what, remedy=fault.remedy, details=error.details)
        case StackgenError():
            lines.tell(error=str(error), remedy="", details=error.details)
        case OSError():
            where = f" ({error.filename})" if error.filename else ""
            lines.tell(error=f"cannot go on: {error.strerror or error}{where}", remedy="", details="")
