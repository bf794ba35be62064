"""The job that we are in, where we are in one."""

import re
from typing import Mapping, NamedTuple, Optional

from stackgen.inside.launcher.asking import Asked, Job, usual_ranks
from stackgen.inside.launcher.description import Site
from stackgen.inside.launcher.offer import Offer
from stackgen.inside.launcher.words import LauncherError
from stackgen.inside.ranks import lsf_slots


class Allocation(NamedTuple):
    """What a job has; 0 where it does not say."""

    job: str
    queue: str
    nodes: int
    ranks: int
    """On each node."""
    cores: int
    """Of each node."""
    cores_of_rank: int
    gpus: int
    """Of each node."""


_FOR_NEW_JOBS = ("partition", "time", "account", "reservation", "gpus", "option")


def allocation_here(site: Site, environ: Mapping[str, str]) -> Optional[Allocation]:
    """The job that we are in, or nothing."""
    if site.scheduler == "slurm" and environ.get("SLURM_JOB_ID"):
        return Allocation(
            environ["SLURM_JOB_ID"],
            environ.get("SLURM_JOB_PARTITION", ""),
            _first(environ, "SLURM_JOB_NUM_NODES", "SLURM_NNODES") or 1,
            _first(environ, "SLURM_NTASKS_PER_NODE"),
            _first(environ, "SLURM_CPUS_ON_NODE", "SLURM_JOB_CPUS_PER_NODE"),
            _first(environ, "SLURM_CPUS_PER_TASK"),
            _first(environ, "SLURM_GPUS_ON_NODE"),
        )
    if site.scheduler == "lsf" and environ.get("LSB_JOBID"):
        slots = lsf_slots(environ)
        # Where jsrun is, the first host runs the script alone.
        apart = 1 if site.launch[0] == "jsrun" and len(slots) > 1 else 0
        nodes = max(len(slots) - apart, 1)
        return Allocation(environ["LSB_JOBID"], environ.get("LSB_QUEUE", ""), nodes, 0, 0, 0, 0)
    return None


def _first(environ: Mapping[str, str], *names: str) -> int:
    """The number with which the first of some variables begins, such as `4(x2)`."""
    for name in names:
        found = re.match("[0-9]{1,7}", environ.get(name, ""))
        if found:
            return int(found.group())
    return 0


def step_of(
    site: Site, here: Allocation, asked: Asked, found: Mapping[str, str], environ: Mapping[str, str]
) -> Job:
    """A step of the job that we are in: on all of its nodes, with the ranks that it was submitted with."""
    for name in _FOR_NEW_JOBS:
        if name in found:
            text = "--{} is for a new job, and this is the job {} already; leave it out"
            raise LauncherError(text.format(name, here.job))
    nodes = asked.nodes or here.nodes
    if nodes > here.nodes:
        text = "the job {} has {} node{}, and {} were asked for"
        raise LauncherError(text.format(here.job, here.nodes, "" if here.nodes == 1 else "s", nodes))
    queue = _queue_of(site, here)
    gpus = here.gpus or (queue.gpus if queue.queue and site.scheduler == "lsf" else 0)
    ranks = (
        asked.ranks or here.ranks or (usual_ranks(site, environ, queue, gpus) if nodes > 1 or gpus > 1 else 1)
    )
    total = here.cores or queue.cores
    cores = (
        asked.cores or (0 if asked.ranks else here.cores_of_rank) or (max(total // ranks, 1) if total else 0)
    )
    if total and cores * ranks > total:
        text = "the job {} has {} cores on a node, and {} were asked for ({} for each of {} ranks)"
        raise LauncherError(text.format(here.job, total, cores * ranks, cores, ranks))
    return Job(queue, nodes, ranks, gpus, cores, 0, "", "", [])


def _queue_of(site: Site, here: Allocation) -> Offer:
    """The partition of the job, by the scheduler's own name; where it is new, nothing is known of it."""
    known = (queue for queue in site.queues if queue.queue == queue.name == here.queue)
    unknown = Offer(
        here.queue, here.queue, "partition", 1, 1, 0, 0, 1, here.cores, here.gpus, (0, 0), (), default=False
    )
    return next(known, unknown)
