"""Arguments and options that several commands share."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stackgen.cli.interruption import Interruption
from stackgen.cli.terminal import LogFile, progress_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stackgen.progress import Progress
    from stackgen.project import Tools


@dataclass(frozen=True, slots=True)
class Session:
    """What every command of one run shares."""

    log: LogFile
    interruption: Interruption


environment = click.argument("environment", metavar="ENV.yaml", type=click.Path(path_type=Path))
environments = click.argument(
    "environments", metavar="ENV.yaml...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
place = click.argument("place", metavar="ENV.yaml|PREFIX", type=click.Path(path_type=Path))
prefix = click.option("--prefix", metavar="DIR", help="Use this prefix instead of the environment's.")
verbose = click.option("-v", "--verbose", is_flag=True, help="Show every command that runs and what it says.")
require_signature = click.option(
    "--require-signature", is_flag=True, help="Refuse a mirror that is not signed with a key known here."
)
keys = click.option(
    "--keys",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The public keys that count, instead of those of your keyring.",
)
executor = click.option(
    "--executor",
    default="local",
    show_default=True,
    metavar="local|slurm[:PARTITION]",
    help="Where it is built and tested: on this machine, or on nodes that Slurm gives, several at once, a job"
    " each. What else srun is to know, say by its variables, such as SLURM_ACCOUNT and SLURM_TIMELIMIT.",
)
nodes = click.option(
    "--nodes",
    type=click.IntRange(min=1),
    help="Nodes of Slurm at once, at most; as many as are useful where not given.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def tools(*, verbose: bool = False, progress: "Progress | None" = None) -> "Tools":
    """What the stages of this run work with; they tell what they do to the screen, or elsewhere."""
    from stackgen.project import Tools
    from stackgen.run import LoggedRunner

    session = click.get_current_context().find_object(Session)
    if session is None:
        raise LookupError("a command runs outside of `main`")
    progress = progress or progress_for(session.log, verbose=verbose)
    run = LoggedRunner(progress)
    session.interruption.at_once(run.stop)
    return Tools(run=run, progress=progress)


def print_json(value: "Mapping[str, object] | Sequence[object]") -> None:
    """Print a result for machines."""
    click.echo(json.dumps(value, indent=2, sort_keys=True))
