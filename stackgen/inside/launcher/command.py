"""The commands of the launcher."""

import os
import sys
from typing import Sequence

from stackgen.inside.launcher.asking import unknown_command
from stackgen.inside.launcher.batching import batch, batch_help
from stackgen.inside.launcher.description import Site, site_of
from stackgen.inside.launcher.doctor import doctor, doctor_help
from stackgen.inside.launcher.kernels import kernels, kernels_help
from stackgen.inside.launcher.listing import packages, packages_help
from stackgen.inside.launcher.overview import overview
from stackgen.inside.launcher.portrait import info, info_help
from stackgen.inside.launcher.queueing import queue_help, queue_of_user
from stackgen.inside.launcher.rank import rank, rank_help
from stackgen.inside.launcher.running import run, run_help
from stackgen.inside.launcher.surroundings import place_of_release
from stackgen.inside.launcher.venv import venv, venv_help
from stackgen.inside.launcher.whence import which, which_help
from stackgen.inside.launcher.words import LauncherError, open_standard_streams, put, tell

OF_FRAMEWORKS = {
    "info": (info, info_help, "how to use a framework, and what it sets"),
    "which": (which, which_help, "where a framework, a command or a package is"),
    "packages": (packages, packages_help, "what is inside a framework, a package a line"),
    "kernels": (kernels, kernels_help, "for notebooks: which there are, and yours"),
    "venv": (venv, venv_help, "a virtual environment with packages of your own on top"),
    "doctor": (doctor, doctor_help, "what is wrong here, and what mends it"),
}
OF_JOBS = {
    "run": (run, run_help, "run a program, or a shell, as a job and wait for it"),
    "batch": (batch, batch_help, "submit a job script"),
    "queue": (queue_of_user, queue_help, "your jobs, and what is free"),
    "rank": (rank, rank_help, "what a job starts on each rank"),
}
COMMANDS = dict(OF_FRAMEWORKS, **OF_JOBS)
_HELP = ("-h", "--help", "help")


def launch(site: Site, words: Sequence[str]) -> int:
    """Do what the command line says; the exit status, where nothing else is to be started."""
    if not words:
        jobs = OF_JOBS if site.scheduler in ("slurm", "lsf") else {"rank": OF_JOBS["rank"]}
        put(overview(site, os.environ, {name: entry[2] for name, entry in jobs.items()}))
        return 0
    if words[0] in _HELP:
        put(_commands(site))
        return 0
    if words[0] not in COMMANDS:
        raise unknown_command(words[0], {name: entry[2] for name, entry in COMMANDS.items()})
    action, told, _ = COMMANDS[words[0]]
    if len(words) > 1 and words[1] in ("-h", "--help"):
        put(told(site))
        return 0
    return action(site, words[1:]) or 0


def _commands(site: Site) -> str:
    """All that may be typed."""
    lines = [f"{site.namespace}: what there is, what is loaded, and what to type next", ""]
    for title, group in (("Frameworks", OF_FRAMEWORKS), (f"Jobs on {site.system}", OF_JOBS)):
        lines.append(f"{title}, with the release {site.release}:")
        lines += [f"  {site.namespace} {name:<10}{entry[2]}" for name, entry in group.items()]
        lines.append("")
    return "\n".join([*lines, f"`{site.namespace} run --help` tells more of each."])


def main(program: str, words: Sequence[str]) -> int:
    """The exit status: that of what was started, 2 where the words are wrong, 1 where something else is."""
    name = os.path.basename(program)
    open_standard_streams()
    try:
        status = launch(_kept(site_of(program)), words)
        sys.stdout.flush()
    except LauncherError as error:
        tell(f"{name}: {error}")
        return error.status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return _unwritten(141)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        tell(f"{name}: {where}{error.strerror or error}")
        return _unwritten(1)
    except Exception as error:
        where = f"line {_line_of(error)} of {program}"
        tell(f"{name} has a bug ({type(error).__name__}: {error}); please report it, with {where}")
        return _unwritten(1)
    return status


def _line_of(error: BaseException) -> int:
    """Where it happened."""
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    return place.tb_lineno if place else 0


def _kept(site: Site) -> Site:
    """With the launcher by the path that stays when another release is current: jobs that wait start it."""
    own = os.path.join(place_of_release(site), "bin", site.namespace)
    return site._replace(program=own) if os.access(own, os.X_OK) else site


def _unwritten(status: int) -> int:
    """A status, where what is left to write goes nowhere: Python would complain of it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return status
