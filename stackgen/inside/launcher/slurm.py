"""Slurm's commands: https://slurm.schedmd.com/srun.html, sbatch.html, salloc.html."""

from typing import List, Mapping, Sequence

from stackgen.inside.launcher.asking import Job, starting_words
from stackgen.inside.launcher.description import Site
from stackgen.inside.launcher.times import clocked


def slurm_wants(site: Site, job: Job) -> List[str]:
    """What a new job asks of Slurm, but for its ranks."""
    words = [f"--{job.queue.kind}={job.queue.queue}", f"--nodes={job.nodes}"]
    if job.gpus:
        words.append(f"--gres={site.gpus}:{job.gpus}")
    if job.seconds:
        words.append(f"--time={clocked(job.seconds)}")
    if job.account:
        words.append(f"--account={job.account}")
    if job.reservation:
        words.append(f"--reservation={job.reservation}")
    return [*words, *job.queue.options, *job.options]


def slurm_ranks(ranks: int, cores: int) -> List[str]:
    """The ranks on each node, and the cores of each."""
    return [f"--ntasks-per-node={ranks}"] + ([f"--cpus-per-task={cores}"] if cores else [])


def slurm_run(site: Site, job: Job, command: Sequence[str]) -> List[str]:
    """The command of a new job that is waited for."""
    wanted = [*slurm_wants(site, job), *slurm_ranks(job.ranks, job.cores)]
    if site.launch[0] == "srun":
        return [*site.launch, *wanted, "--kill-on-bad-exit=1", *command]
    return ["salloc", *wanted, *starting_words(site, job), *command]


def slurm_shell(site: Site, job: Job, shell: str) -> List[str]:
    """The command of a shell on the first node of a new job; that is one rank with all that the job has."""
    wanted = [*slurm_wants(site, job), *slurm_ranks(1, job.cores * job.ranks)]
    if job.nodes == 1:
        return ["srun", *wanted, "--pty", shell]
    # Slurm's own interactive step takes nothing away from what is started in it.
    return ["salloc", *wanted, "srun", "--interactive", "--nodes=1", "--ntasks=1", "--pty", shell]


def slurm_step(site: Site, environ: Mapping[str, str], job: Job, command: Sequence[str]) -> List[str]:
    """The command of a step in the job that we are in."""
    if site.launch[0] != "srun":
        return [*starting_words(site, job), *command]
    ranks = slurm_ranks(job.ranks, job.cores)
    # All of them in number too, for otherwise that of the job is in the environment.
    nodes = ["--nodes={}".format(job.nodes), "--ntasks={}".format(job.nodes * job.ranks)]
    words = [*site.launch, *nodes, *ranks, "--kill-on-bad-exit=1", "--export=ALL"]
    if "SLURM_STEP_ID" in environ:  # a shell that is itself a step, and holds all of the job
        words.append("--overlap")
    return [*words, *command]


def slurm_batch(given: Sequence[str], script: Sequence[str]) -> List[str]:
    """The command that submits a script; it prints the number of the job and no more."""
    return ["sbatch", "--parsable", *given, *script]
