"""`rank`: what a job starts on each rank."""

import os
import signal
import subprocess
import time
from typing import List, Mapping, Sequence

from stackgen.inside.launcher.description import Site, loaded_framework
from stackgen.inside.launcher.running import become
from stackgen.inside.launcher.words import LauncherError, parsed, tell
from stackgen.inside.rendezvous import ranks, variables
from stackgen.inside.threads import expanded, processors_here

RANK_HELP = """\
usage: {0} rank [--] command

Run a command as one rank of a parallel program, as `srun {0} rank -- python train.py` does:
where the ranks meet and how many threads each has is set from what the scheduler says, where you have not."""
_INNER_LAUNCHERS = ("OMPI_COMM_WORLD_SIZE", "MPI_LOCALRANKID", "PALS_RANKID")
_ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def rank(site: Site, words: Sequence[str]) -> None:
    """Become the command, with what its rank needs in its environment."""
    _, command = parsed(words, ())
    if not command:
        raise LauncherError("no command is given; write it after `{} rank --`".format(site.namespace))
    watched = is_watched(os.environ)
    os.environ.update(variables(os.environ))
    framework = loaded_framework(site, os.environ)
    if framework:
        os.environ.update(expanded(framework.settings, os.environ, processors_here()))
    if watched:
        raise SystemExit(watch(command))
    become(command)


def is_watched(environ: Mapping[str, str]) -> bool:
    """Whether nobody else keeps the status of the rank that failed first.

    srun ends with the largest status of all its ranks, and those that it ends itself have 143.
    """
    is_step = "SLURM_STEP_ID" in environ and not any(name in environ for name in _INNER_LAUNCHERS)
    return is_step and ranks(environ) is not None


def watch(command: Sequence[str]) -> int:
    """Run a command to its end; 1 where it was ended from outside, which is less than any other failure.

    Slurm sends its signals to every process of a step, so none is passed on.
    """
    received: List[int] = []
    for number in _ENDINGS:
        signal.signal(number, lambda got, _: received.append(got))
    try:
        status = subprocess.Popen(list(command)).wait()
    except OSError as error:
        raise LauncherError("{} cannot be started: {}".format(command[0], error.strerror), 127) from None
    if status == -signal.SIGTERM and not received:
        time.sleep(0.5)  # ours may still be on its way
    if status == 0 or signal.SIGTERM in received:
        return 1 if status else 0
    how = (
        "ended with status {}".format(status)
        if status > 0
        else "was ended by {}".format(_signal_name(-status))
    )
    which = "rank {} of {}".format(os.environ["SLURM_PROCID"], os.environ["SLURM_STEP_NUM_TASKS"])
    tell("{} on {} {}".format(which, os.environ.get("SLURMD_NODENAME", os.uname().nodename), how))
    return status if status > 0 else 128 - status


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal {}".format(number)


def rank_help(site: Site) -> str:
    """How it is used."""
    return RANK_HELP.format(site.namespace)
