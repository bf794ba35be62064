"""The `stackgen` command: prints and exits; everything else is elsewhere."""

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import NoReturn

import click

from stackgen import __version__
from stackgen.cli.terminal import LogFile
from stackgen.errors import StackgenError, WorkError

_COMMANDS: Mapping[str, str] = {
    "init": "inputs",
    "check": "inputs",
    "schema": "inputs",
    "lock": "inputs",
    "diff": "inputs",
    "generate": "inputs",
    "mirror": "mirrors",
    "build": "builds",
    "test": "builds",
    "publish": "builds",
    "rollback": "releases",
    "releases": "releases",
    "shell": "releases",
    "doctor": "machine",
    "completion": "machine",
}
"""Which module of this package holds a command: only the one that is asked for is imported."""


class _LazyGroup(click.Group):
    """Commands in the order of their use, each imported when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(import_module(f"stackgen.cli.{_COMMANDS[cmd_name]}"), cmd_name)
        return command if isinstance(command, click.Command) else None


@click.group(
    cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, "-V", "--version", prog_name="stackgen")
def stackgen() -> None:
    """Turn one YAML file per machine into its AI software stack.

    \b
    stackgen init                              write an environment
    stackgen build environments/quickstart.yaml    lock, mirror, build, test, publish

    Afterwards users type `module load hpai/tensorflow`.
    """


def main() -> NoReturn:
    """Run the command; no traceback reaches a user."""
    log = LogFile(next((word for word in sys.argv[1:] if word in _COMMANDS), "stackgen"))
    try:
        status = int(stackgen.main(standalone_mode=False, obj=log) or 0)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; the same command goes on where this one stopped", err=True)
        status = 130
    except BrokenPipeError:  # whoever read our output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except Exception as error:
        status = _explained(error, log)
    sys.exit(status)


def _explained(error: Exception, log: LogFile) -> int:
    """Tell the user what happened; the exit status that stands for it."""
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case click.ClickException():
            error.show()
            return error.exit_code
        case StackgenError():
            return _refused(error, log)
    import traceback

    log.write("".join(traceback.format_exception(error)))
    click.echo(
        f"stackgen has a bug ({type(error).__name__}: {error}); please report it with {log.path}", err=True
    )
    return 1


def _refused(error: StackgenError, log: LogFile) -> int:
    log.write(str(error))
    click.echo(str(error), err=True)
    if isinstance(error, WorkError) and error.details:
        log.write(error.details)
        click.echo(f"the details are in {log.path}", err=True)
    return error.exit_status
