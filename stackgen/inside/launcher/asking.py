"""What a user asks of a partition, checked against what it has before the scheduler is bothered."""

import re
from typing import Dict, List, Mapping, NamedTuple, Optional

from stackgen.inside.launcher.description import Site, loaded_framework, queue_named
from stackgen.inside.launcher.offer import Offer, cores_beside, ranks_on_node
from stackgen.inside.launcher.times import clocked, duration
from stackgen.inside.launcher.words import LauncherError, Option, nearest

ASKED = (
    Option("p", "partition", "NAME", "the partition"),
    Option("N", "nodes", "COUNT", "whole nodes, with one rank a GPU, else one a socket"),
    Option("n", "ranks", "COUNT", "ranks on each node"),
    Option("g", "gpus", "COUNT", "GPUs of each node"),
    Option("c", "cores", "COUNT", "cores for each rank; where they come with GPUs, for each GPU"),
    Option("t", "time", "TIME", "hours, or HH:MM:SS"),
    Option("A", "account", "NAME", "who pays"),
    Option("r", "reservation", "NAME", "a reservation of yours"),
    Option("o", "option", "WORD", "for the scheduler, word for word; may be repeated"),
    Option("", "dry-run", "", "only print the command"),
)
_PARTITIONS = {"slurm": "SLURM_PARTITION", "lsf": "LSB_DEFAULTQUEUE"}
_ACCOUNTS = {"slurm": ("SLURM_ACCOUNT", "SBATCH_ACCOUNT"), "lsf": ("LSB_DEFAULTPROJECT",)}


class Asked(NamedTuple):
    """What a user has asked for; None where nothing was said."""

    partition: Optional[str]
    nodes: Optional[int]
    ranks: Optional[int]
    gpus: Optional[int]
    cores: Optional[int]
    seconds: Optional[int]
    account: Optional[str]
    reservation: Optional[str]
    options: List[str]


class Job(NamedTuple):
    """What the scheduler is asked for; 0 and the empty text where it is left to it."""

    queue: Offer
    nodes: int
    ranks: int
    """On each node."""
    gpus: int
    """Of each node."""
    cores: int
    """Of each rank."""
    seconds: int
    account: str
    reservation: str
    options: List[str]


def asked_for(found: Mapping[str, str]) -> Asked:
    """The options of a command line as numbers and names."""
    return Asked(
        found.get("partition"),
        _whole(found, "nodes", 1),
        _whole(found, "ranks", 1),
        _whole(found, "gpus", 0),
        _whole(found, "cores", 1),
        duration(found["time"]) if "time" in found else None,
        found.get("account"),
        found.get("reservation"),
        found.get("option", "").split("\n") if found.get("option") else [],
    )


def _whole(found: Mapping[str, str], name: str, least: int) -> Optional[int]:
    if name not in found:
        return None
    if not re.match(r"[0-9]{1,7}\Z", found[name]) or int(found[name]) < least:
        text = "--{} wants a whole number from {} on, and {} is none"
        raise LauncherError(text.format(name, least, found[name] or "nothing"))
    return int(found[name])


def job_of(site: Site, asked: Asked, environ: Mapping[str, str]) -> Job:
    """What is asked for, with all that was left open filled in; LauncherError where a partition lacks it."""
    queue = queue_named(site, asked.partition or environ.get(_PARTITIONS.get(site.scheduler, "")))
    nodes = asked.nodes or queue.least
    check_nodes(site, queue, nodes)
    whole = asked.nodes is not None or nodes > 1 or queue.name != queue.queue
    gpus = (
        asked.gpus if asked.gpus is not None else queue.gpus if whole else min(queue.gpus, asked.ranks or 1)
    )
    check_gpus(queue, gpus)
    ranks = asked.ranks or (
        usual_ranks(site, environ, queue, gpus) if asked.nodes is not None or nodes > 1 else 1
    )
    cores = cores_of(queue, asked, gpus, ranks)
    check_time(queue, asked.seconds)
    account = asked.account or ""
    if site.account and not account and not any(environ.get(name) for name in _ACCOUNTS[site.scheduler]):
        raise LauncherError(f"{site.system} wants to know who pays; name your project by -A")
    return Job(
        queue,
        nodes,
        ranks,
        gpus,
        cores,
        asked.seconds or queue.usual_seconds,
        account,
        asked.reservation or "",
        asked.options,
    )


def starting_words(site: Site, job: Job) -> List[str]:
    """What starts the ranks of a job, their number filled in."""
    return [word.replace("{ranks}", str(job.nodes * job.ranks)) for word in site.launch]


def usual_ranks(site: Site, environ: Mapping[str, str], queue: Offer, gpus: int) -> int:
    """One rank a GPU, else one a socket; one where the framework that is loaded cannot do with several."""
    loaded = loaded_framework(site, environ)
    if loaded and not loaded.distributed:
        return 1
    return ranks_on_node(queue, gpus)


def cores_of(queue: Offer, asked: Asked, gpus: int, ranks: int) -> int:
    """The cores of each rank; where they come with GPUs, they are divided among the ranks."""
    usual, most = queue.cores_per_gpu
    if usual and gpus:
        for_each = asked.cores or usual
        if not usual <= for_each <= most:
            text = "{} gives {} to {} cores with each GPU, and {} were asked for"
            raise LauncherError(text.format(queue.name, usual, most, for_each))
        return max(for_each * gpus // ranks, 1)
    share = cores_beside(queue, gpus)
    cores = asked.cores or (max(share // ranks, 1) if share else 0)
    if queue.cores and cores * ranks > queue.cores:
        text = "a node of {} has {} cores, and {} were asked for{}"
        each = f" ({cores} for each of {ranks} ranks)" if ranks > 1 else ""
        raise LauncherError(text.format(queue.name, queue.cores, cores * ranks, each))
    return cores


def check_nodes(site: Site, queue: Offer, nodes: int) -> None:
    """LauncherError where a partition takes no job of as many nodes; it names one that does."""
    if queue.least <= nodes <= queue.most:
        return
    span = f"{queue.least} to {queue.most} nodes"
    if queue.least == queue.most:
        span = "one node" if queue.most == 1 else f"{queue.most} nodes"
    others = [one.name for one in site.queues if one.least <= nodes <= one.most]
    remedy = f"; {others[0]} takes that" if others else ""
    text = "{} takes jobs of {}, and {} {} asked for{}"
    raise LauncherError(text.format(queue.name, span, nodes, "was" if nodes == 1 else "were", remedy))


def check_gpus(queue: Offer, gpus: int) -> None:
    """LauncherError where a node has not as many."""
    if gpus > queue.gpus:
        has = "{} GPU{}".format(queue.gpus, "" if queue.gpus == 1 else "s") if queue.gpus else "no GPUs"
        text = "a node of {} has {}, and {} {} asked for"
        raise LauncherError(text.format(queue.name, has, gpus, "was" if gpus == 1 else "were"))


def check_time(queue: Offer, seconds: Optional[int]) -> None:
    """LauncherError where it is beyond the limit."""
    if queue.seconds and seconds and seconds > queue.seconds:
        text = "{} ends jobs after {}, and {} was asked for"
        raise LauncherError(text.format(queue.name, clocked(queue.seconds), clocked(seconds)))


def unknown_command(word: str, known: Dict[str, str]) -> LauncherError:
    """What to say of a word that is no command."""
    return LauncherError("there is no command {}; {}".format(word, nearest(word, known, "there are {}")))
