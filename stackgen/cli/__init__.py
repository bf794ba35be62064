"""The `stackgen` command: prints and exits; everything else is elsewhere."""

import os
import sys
from contextlib import closing, suppress
from typing import TYPE_CHECKING, NoReturn

from stackgen.cli.interruption import Interrupted, Interruption

if TYPE_CHECKING:  # imports take long enough to be interrupted, and `main` is to see that
    from stackgen.cli.terminal import LogFile
    from stackgen.errors import StackgenError


def main() -> NoReturn:
    """Run the command; no traceback reaches a user."""
    interruption, status = Interruption(), 1
    os.umask(0o022)  # what is published is for everybody to read and for nobody to change
    try:
        interruption.catch()
        _fill_closed_streams()
        status = _status(interruption)
    except Interrupted:
        pass  # it is noted
    interruption.ignore()
    if interruption.signal is not None:
        _tell("interrupted; the same command goes on where this one stopped")
        status = interruption.exit_status
    sys.exit(_flushed(status))


def _fill_closed_streams() -> None:
    """Files that are opened later must not get the numbers of the standard streams.

    Output that nobody takes is an error as soon as there is any, messages are not.
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # gets the lowest number that is free: this one
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def _status(interruption: Interruption) -> int:
    import click

    from stackgen.cli.commands import command_in, stackgen
    from stackgen.cli.options import Session
    from stackgen.cli.terminal import LogFile

    with closing(LogFile(command_in(sys.argv[1:]))) as log:
        try:
            return int(stackgen.main(standalone_mode=False, obj=Session(log, interruption)) or 0)
        except click.ClickException as error:
            with suppress(OSError):
                error.show()
            return error.exit_code
        except click.Abort:
            _tell("\nno answer was given; `--yes` takes the defaults")
            return 1
        except Exception as error:
            return _explained(error, log)


def _explained(error: Exception, log: "LogFile") -> int:
    """Tell the user what happened; the exit status that stands for it."""
    from stackgen.errors import StackgenError

    if isinstance(error, StackgenError):
        return _refused(error, log)
    import traceback

    log.write("".join(traceback.format_exception(error)))
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        _tell(f"cannot go on: {error.strerror or error}{where}")
    else:
        _tell(f"stackgen has a bug ({type(error).__name__}: {error}); please report it with {log.path}")
    return 1


def _refused(error: "StackgenError", log: "LogFile") -> int:
    log.write(str(error))
    _tell(str(error))
    if error.details:
        log.write(error.details)
        _tell(f"the details are in {log.path}")
    return error.exit_status


def _tell(line: str) -> None:
    """Print to stderr; where nobody can read it, the exit status alone tells."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - click may not be there yet


def _flushed(status: int) -> int:
    """The exit status, once the output is out; where it cannot be, Python itself would show a traceback."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if not status and not isinstance(error, BrokenPipeError):
            _tell(f"cannot write the output: {error.strerror}")
        return status or 1
    return status
