"""`run`: a program, or a shell, as a job that is waited for."""

import os
import shutil
import subprocess
import sys
from typing import Dict, List, NoReturn, Optional, Sequence

from stackgen.inside.launcher.allocation import Allocation, allocation_here, step_of
from stackgen.inside.launcher.asking import ASKED, Job, asked_for, job_of
from stackgen.inside.launcher.description import Site, framework_named
from stackgen.inside.launcher.lsf import lsf_run, lsf_shell, lsf_start
from stackgen.inside.launcher.slurm import slurm_run, slurm_shell, slurm_step
from stackgen.inside.launcher.words import LauncherError, Option, options_help, parsed, shown, tell

RUN = (
    *ASKED[:-1],
    Option("m", "module", "NAME", "load this framework first"),
    ASKED[-1],
)
RUN_HELP = """\
usage: {0} run [options] [--] [command]

Run a command as a job and wait for it; `python` runs a file that ends in .py. Without a command, a shell.
Without -N and -n it is one process; with -N it has whole nodes, with one rank a GPU, else one a socket.
In a job it is a step of that job, on all of its nodes.

{1}

  {0} run train.py                       one process
  {0} run -N 4 -t 2 train.py --epochs 3  four whole nodes for two hours
  {0} run -g 1 -c 8                      a shell with a GPU and eight cores"""
_LOADING = """\
if ! type module >/dev/null 2>&1; then
    for lmod in ${LMOD_PKG:+"$LMOD_PKG/init/bash"} %s; do
        if [ -r "$lmod" ]; then . "$lmod"; fi
        if type module >/dev/null 2>&1; then break; fi
    done
fi
type module >/dev/null 2>&1 || { echo "Lmod is not here: set LMOD_PKG to where it lies" >&2; exit 1; }
module --quiet use "$1" && module load "$2" || exit 1
shift 2
exec "$@"
"""
_NEEDED = {"slurm": ("Slurm", "srun"), "lsf": ("LSF", "bsub")}


def run(site: Site, words: Sequence[str]) -> None:
    """Become the scheduler's command that runs a program; its status and its signals are ours then."""
    found, command = parsed(words, RUN)
    require_scheduler(site, command)
    asked, here = asked_for(found), allocation_here(site, os.environ)
    job = step_of(site, here, asked, found, os.environ) if here else job_of(site, asked, os.environ)
    terminal = sys.stdin.isatty()
    if not command and (here or not terminal):
        raise LauncherError("no command is given; write it after the options, such as train.py")
    if "module" in found:
        module = framework_named(site, found.pop("module")).module
        again = [site.program, "run", *written_options(found), "--", *command]
        become(["bash", "-c", _LOADING % shown(site.lmod), "bash", site.modules, module, *again])
    full = _started(site, job, _ranked(site, command), here, terminal=terminal)
    tell(shown(full))
    if "dry-run" not in found:
        require_program(site, full[0])
        if not here:
            require_controller(site)
        become(full)


def written_options(found: Dict[str, str]) -> List[str]:
    """Options as they may be given again."""
    words = []  # type: List[str]
    for name, value in found.items():
        for one in value.split("\n"):
            words += ["--" + name] if name == "dry-run" else [f"--{name}={one}"]
    return words


def _started(
    site: Site, job: Job, command: Sequence[str], here: Optional[Allocation], *, terminal: bool
) -> List[str]:
    if not command:
        shell = os.environ.get("SHELL") or "/bin/sh"
        return slurm_shell(site, job, shell) if site.scheduler == "slurm" else lsf_shell(site, job, shell)
    if site.scheduler == "slurm":
        if here:
            return slurm_step(site, os.environ, job, command)
        return slurm_run(site, job, command)
    if here:
        return lsf_start(site, job, command)
    return lsf_run(site, job, command, terminal=terminal)


def _ranked(site: Site, command: Sequence[str]) -> List[str]:
    """What each rank is to be started as."""
    return [site.program, "rank", "--", *program_words(command)] if command else []


def program_words(command: Sequence[str]) -> List[str]:
    """A command that can be started; LauncherError where nothing is there to start."""
    words = list(command)
    if words[0].endswith(".py"):
        if not os.path.isfile(words[0]):
            raise LauncherError("there is no file {}".format(words[0]))
        words.insert(0, "python")
    if shutil.which(words[0]) is None:
        remedy = "load the module that has it, or give its path"
        if not words[0]:
            raise LauncherError("the command is empty; write it after the options, such as train.py")
        if words[0] == "python":
            remedy = "load a framework's module, or name one by -m"
        raise LauncherError(f"there is no command {words[0]}; {remedy}")
    return words


def require_scheduler(site: Site, command: Sequence[str]) -> None:
    """LauncherError where there is none that we know, with how to do without."""
    if site.scheduler in _NEEDED:
        return
    words = list(command) or ["train.py"]
    words = ["python", *words] if words[0].endswith(".py") else words
    several = [*(word.replace("{ranks}", "2") for word in site.launch), site.namespace, "rank", "--", *words]
    if site.scheduler == "none":
        text = "{} has no scheduler; start it by `{}`, several ranks by `{}`"
        raise LauncherError(text.format(site.system, shown(words), shown(several)))
    text = (
        "{} has a scheduler that this command does not know ({}); submit by its own commands what runs `{}`"
    )
    raise LauncherError(text.format(site.system, site.scheduler, shown(several)))


def require_program(site: Site, program: str) -> None:
    """LauncherError where the scheduler's command is missing."""
    if shutil.which(program) is None:
        text = "{} is not on PATH; {} runs where its commands are, on the login nodes of {}"
        raise LauncherError(text.format(program, _NEEDED[site.scheduler][0], site.system), 1)


def require_controller(site: Site) -> None:
    """LauncherError where Slurm does not answer: its commands would try for minutes."""
    if site.scheduler != "slurm" or shutil.which("scontrol") is None:
        return
    try:
        answer = subprocess.run(
            ["scontrol", "ping"],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=20,
        ).stdout.decode("utf-8", "replace")
    except (OSError, subprocess.TimeoutExpired):
        answer = "DOWN"
    if " UP" not in answer and "DOWN" in answer:
        raise LauncherError(f"Slurm's controller does not answer; ask those who run {site.system}", 1)


def become(words: Sequence[str]) -> NoReturn:
    """Become another program."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvp(words[0], list(words))
    except OSError as error:
        text = f"{words[0]} cannot be started: {error.strerror}"
        raise LauncherError(text, 127 if isinstance(error, FileNotFoundError) else 126) from None


def run_help(site: Site) -> str:
    """How it is used."""
    return RUN_HELP.format(site.namespace, options_help(RUN))
