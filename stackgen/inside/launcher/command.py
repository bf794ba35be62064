"""The commands of the launcher."""

import os
import sys
from typing import Sequence

from stackgen.inside.launcher.asking import unknown_command
from stackgen.inside.launcher.batching import batch, batch_help
from stackgen.inside.launcher.description import Site, site_of
from stackgen.inside.launcher.queueing import queue_help, queue_of_user
from stackgen.inside.launcher.rank import rank, rank_help
from stackgen.inside.launcher.running import run, run_help
from stackgen.inside.launcher.words import LauncherError, open_standard_streams, put, tell

COMMANDS = {
    "run": (run, run_help, "run a program, or a shell, as a job and wait for it"),
    "batch": (batch, batch_help, "submit a job script"),
    "queue": (queue_of_user, queue_help, "your jobs, and what is free"),
    "rank": (rank, rank_help, "what a job starts on each rank"),
}
_HELP = ("-h", "--help", "help")


def launch(site: Site, words: Sequence[str]) -> None:
    """Do what the command line says."""
    if not words or words[0] in _HELP:
        put(_overview(site))
        return
    if words[0] not in COMMANDS:
        raise unknown_command(words[0], {name: entry[2] for name, entry in COMMANDS.items()})
    action, told, _ = COMMANDS[words[0]]
    if len(words) > 1 and words[1] in ("-h", "--help"):
        put(told(site))
        return
    action(site, words[1:])


def _overview(site: Site) -> str:
    lines = [f"  {site.namespace} {name:<8}{entry[2]}" for name, entry in COMMANDS.items()]
    about = f"Jobs on {site.system}, with the release {site.release}:"
    end = f"`{site.namespace} run --help` tells more of each."
    return "\n".join([about, "", *lines, "", end])


def main(program: str, words: Sequence[str]) -> int:
    """The exit status: that of what was started, 2 where the words are wrong, 1 where something else is."""
    name = os.path.basename(program)
    open_standard_streams()
    try:
        launch(site_of(program), words)
        sys.stdout.flush()
    except LauncherError as error:
        tell(f"{name}: {error}")
        return error.status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return _unwritten(141)
    except OSError as error:
        tell(f"{name}: {error}")
        return _unwritten(1)
    return 0


def _unwritten(status: int) -> int:
    """A status, where what is left to write goes nowhere: Python would complain of it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return status
