"""`queue`: the user's jobs, and what is free."""

import os
import re
import subprocess
from typing import Dict, List, Sequence

from stackgen.inside.launcher.description import Site
from stackgen.inside.launcher.running import require_controller, require_program, require_scheduler
from stackgen.inside.launcher.times import clocked
from stackgen.inside.launcher.words import LauncherError, parsed, put, table

QUEUE_HELP = """\
usage: {0} queue

Your jobs, and the partitions with what is free in them."""
_JOB_HEADS = ("JOB", "PARTITION", "NAME", "STATE", "RUNS", "LIMIT", "NODES", "WHERE, OR WHY NOT")


def queue_of_user(site: Site, words: Sequence[str]) -> None:
    """Print both tables."""
    _, rest = parsed(words, ())
    if rest:
        raise LauncherError(f"queue takes no words, and {rest[0]} is one")
    require_scheduler(site, ())
    require_program(site, "squeue" if site.scheduler == "slurm" else "bjobs")
    require_controller(site)
    jobs = _slurm_jobs() if site.scheduler == "slurm" else _lsf_jobs()
    free = _slurm_free() if site.scheduler == "slurm" else _lsf_free()
    put(table([list(_JOB_HEADS), *jobs]) if jobs else "no jobs of yours")
    put("")
    put(table([["PARTITION", "NODES OF A JOB", "LIMIT", "FREE"], *_partitions(site, free)]))


def _answered(*words: str) -> List[str]:
    """The lines that a program of the scheduler prints."""
    try:
        done = subprocess.run(
            list(words), check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise LauncherError(f"{words[0]} cannot be started: {error.strerror}", 1) from None
    if done.returncode:
        said = " ".join(done.stderr.decode("utf-8", "replace").split()) or "it says nothing"
        if words[0] == "bjobs" and "No" in said:
            return []
        raise LauncherError(f"{words[0]} failed: {said}", 1)
    return [line for line in done.stdout.decode("utf-8", "replace").splitlines() if line.strip()]


def _slurm_jobs() -> List[List[str]]:
    form = "--format=%i|%P|%T|%M|%l|%D|%R|%j"  # the name last: it may hold anything
    rows = [
        line.split("|", 7)
        for line in _answered("squeue", "--noheader", "--user={}".format(os.getuid()), form)
    ]
    return [
        [row[0], row[1], row[7], row[2].lower(), *row[3:6], row[6].replace("(None)", "")]
        for row in rows
        if len(row) == 8
    ]


def _lsf_jobs() -> List[List[str]]:
    fields = "jobid queue stat run_time runtimelimit nexec_host exec_host job_name delimiter='|'"
    rows = [line.split("|", 7) for line in _answered("bjobs", "-noheader", "-o", fields)]
    return [[row[0], row[1], row[7], row[2].lower(), *row[3:7]] for row in rows if len(row) == 8]


def _slurm_free() -> Dict[str, str]:
    """Idle nodes of all, by partition."""
    found = {}
    for line in _answered("sinfo", "--noheader", "--format=%R|%a|%F"):
        name, available, counts_of_nodes = [*line.split("|"), "", ""][:3]
        numbers = re.match(r"(\d+)/(\d+)/(\d+)/(\d+)", counts_of_nodes.strip())
        if numbers:
            text = f"{numbers.group(2)} of {numbers.group(4)} nodes"
            found[name.strip()] = text if available == "up" else available
    return found


def _lsf_free() -> Dict[str, str]:
    """Jobs that wait and run, by queue: LSF does not count free nodes."""
    found = {}
    for line in _answered("bqueues", "-w")[1:]:
        parts = line.split()
        if len(parts) >= 10:
            running = f"{parts[9]} run, {parts[8]} wait"
            found[parts[0]] = running if parts[2].startswith("Open") else parts[2].lower()
    return found


def _partitions(site: Site, free: Dict[str, str]) -> List[List[str]]:
    rows = []
    for one in site.queues:
        span = str(one.most) if one.least == one.most else f"{one.least} to {one.most}"
        limit = clocked(one.seconds) if one.seconds else "none"
        rows.append(
            [one.name, span, limit, free.get(one.queue, "not known") if one.kind == "partition" else ""]
        )
    return rows


def queue_help(site: Site) -> str:
    """How it is used."""
    return QUEUE_HELP.format(site.namespace)
