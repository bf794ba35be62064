"""LSF's commands: https://www.ibm.com/docs/en/spectrum-lsf/10.1.0?topic=reference-bsub, and jsrun's.

Of these nobody could try a real one; they are as documented.
"""

from typing import List, Sequence

from stackgen.inside.launcher.asking import Job, starting_words
from stackgen.inside.launcher.description import Site
from stackgen.inside.launcher.times import lsf_time
from stackgen.inside.launcher.words import shown


def lsf_wants(site: Site, job: Job) -> List[str]:
    """What a new job asks of LSF; where jsrun starts the ranks, whole nodes."""
    words = ["-q", job.queue.queue]
    if site.launch[0] == "jsrun":
        words += ["-nnodes", str(job.nodes)]
    else:
        words += ["-n", str(job.nodes * job.ranks), "-R", f"span[ptile={job.ranks}]"]
        words += ["-gpu", f"num={job.gpus}"] if job.gpus else []
    if job.seconds:
        words += ["-W", lsf_time(job.seconds)]
    if job.account:
        words += ["-P", job.account]
    if job.reservation:
        words += ["-U", job.reservation]
    return [*words, *job.queue.options, *job.options]


def lsf_start(site: Site, job: Job, command: Sequence[str]) -> List[str]:
    """What starts the ranks in a job."""
    if site.launch[0] != "jsrun":
        return [*starting_words(site, job), *command]
    ranks = str(job.nodes * job.ranks)
    words = [*site.launch, "--nrs", ranks, "--rs_per_host", str(job.ranks), "--tasks_per_rs", "1"]
    words += ["--cpu_per_rs", str(job.cores), "--bind", "packed:{}".format(job.cores)] if job.cores else []
    words += ["--gpu_per_rs", str(max(job.gpus // job.ranks, 1))] if job.gpus else []
    return [*words, *command]


def lsf_run(site: Site, job: Job, command: Sequence[str], *, terminal: bool) -> List[str]:
    """The command of a new job that is waited for. What LSF gets, it gives to a shell: so it is one word."""
    start = shown(lsf_start(site, job, command))
    return ["bsub", "-Is" if terminal else "-I", *lsf_wants(site, job), start]


def lsf_shell(site: Site, job: Job, shell: str) -> List[str]:
    """The command of a shell in a new job."""
    return ["bsub", "-Is", *lsf_wants(site, job), shell]


def lsf_batch(given: Sequence[str], script: Sequence[str]) -> List[str]:
    """The command that submits a script; one that comes by its input is read there."""
    return ["bsub", *given] + ([shown(script)] if script else [])
