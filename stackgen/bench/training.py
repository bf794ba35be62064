"""Training jobs of all sizes: submitted by the system's job scripts or started here, waited for, kept."""

import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import assert_never

from stackgen import files
from stackgen.bench.results import Size, Trained
from stackgen.bench.runs import Ask, Here, Place, Queue, Run
from stackgen.bench.schedulers import SCHEDULERS, Order, Scheduler
from stackgen.bench.subject import Subject
from stackgen.errors import InputError, WorkError
from stackgen.jobs import Shape, job_script
from stackgen.run import Command, Outcome

_LIMIT = 6 * 3600.0
"""Seconds for a job on this machine."""
_SHORTEST, _LONGEST = 0.5, 15.0
"""Seconds between two looks at a queue."""
_LAG = 20.0
"""Seconds in which a file written on another node has to be seen here."""

Finished = tuple[Size, Trained | str]


def train(  # noqa: PLR0913 - what decides the jobs, and where they go
    subject: Subject, ask: Ask, sizes: Sequence[Size], place: Place, directory: Path, *, again: bool
) -> Iterator[Finished]:
    """Each job's result, or why there is none; what is done already is not done again unless asked for."""
    asks = _asks(ask, sizes)
    runs = [
        Run(subject=subject, ask=one, size=size, directory=directory)
        for one, size in zip(asks, sizes, strict=True)
    ]
    waiting: list[Run] = []
    for run in runs:
        done = run.result() if run.earlier and not again else None
        if done and (isinstance(place, Queue) or done.threads == str(place.threads)):
            subject.tools.progress.say(f"{_titled(run)}: measured already; --again measures it anew")
            yield run.size, done
        else:
            waiting.append(run)
    match place:
        case Here():
            yield from ((run.size, _run_here(run, place)) for run in waiting)
        case Queue():
            yield from _run_queued(waiting, place, again=again)
        case _:
            assert_never(place)


def _asks(ask: Ask, sizes: Sequence[Size]) -> list[Ask]:
    """Weakly scaled, each rank has its batch; strongly, all share what the smallest job has."""
    if ask.mode == "weak":
        return [ask] * len(sizes)
    whole = ask.batch * min(size.ranks for size in sizes)
    for size in sizes:
        if whole % size.ranks:
            what = f"{whole} samples a step cannot be shared among {size.ranks} ranks"
            raise InputError.of(what, "give a --batch that is a multiple", where="--strong")
    return [replace(ask, batch=whole // size.ranks) for size in sizes]


def _titled(run: Run) -> str:
    size = run.size
    return f"{run.subject.framework.name} {run.ask.name}, {size.nodes} x {size.ranks_per_node} ranks"


def _run_here(run: Run, place: Here) -> Trained | str:
    run.forget()
    run.note()
    ranks = run.size.ranks
    words = ("python", *run.words)
    words = (*place.launcher, "-np", str(ranks), *words) if place.launcher else (*words, "--fork", str(ranks))
    variables = {"OMP_NUM_THREADS": str(place.threads), "TF_CPP_MIN_LOG_LEVEL": "2"}
    with run.subject.tools.progress.task(_titled(run), 0):
        outcome = run.subject.run(words, variables, _LIMIT)
    files.write(run.file("log"), outcome.stdout + outcome.stderr)
    if outcome.status == 0 and (done := run.result()):
        return done
    return _reason(outcome, run.file("log"))


def _reason(outcome: Outcome, log: Path) -> str:
    return f"exit status {outcome.status}{_last_words(log)}; see {log}"


def _run_queued(waiting: list[Run], queue: Queue, *, again: bool) -> Iterator[Finished]:
    scheduler = SCHEDULERS[queue.kind]
    jobs: dict[str, Run] = {}
    for run in waiting:
        try:
            jobs[_number(run, queue, scheduler, again=again)] = run
        except WorkError as error:
            yield run.size, str(error)
    pause = _SHORTEST
    while jobs:
        living = _living(next(iter(jobs.values())), scheduler, tuple(jobs))
        for job in [job for job in jobs if job not in living]:
            run = jobs.pop(job)
            yield run.size, _ended(run, job, scheduler)
        if jobs:
            states = ", ".join(f"{_titled(run)} {living[job]}" for job, run in jobs.items())
            next(iter(jobs.values())).subject.tools.progress.now(f"waiting for {states}")
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST)


def _number(run: Run, queue: Queue, scheduler: Scheduler, *, again: bool) -> str:
    """The number of the job: one that was submitted before and has not ended, or a new one."""
    last, progress = run.last, run.subject.tools.progress
    if last and last.number and _living(run, scheduler, (last.number,)):
        if run.earlier and not again:
            progress.say(f"{_titled(run)}: job {last.number} is still there")
            return last.number
        progress.say(f"{_titled(run)}: cancelling job {last.number}, which would leave another result")
        _told(run, scheduler.cancel(last.number))
    run.forget()
    outcome = _told(run, scheduler.submit(_order(run, queue)))
    number = scheduler.number(outcome.stdout)
    if outcome.status or not number:
        said = outcome.stderr.strip() or outcome.stdout.strip() or "it said nothing"
        raise WorkError(f"not submitted: {said.splitlines()[-1]}")
    run.note(number)
    progress.say(f"{_titled(run)}: job {number}")
    return number


def _order(run: Run, queue: Queue) -> Order:
    shape = Shape.NODE if run.size.nodes == 1 else Shape.NODES
    plan, framework = run.subject.project.plan, run.subject.framework
    text = job_script(plan, framework, queue.offer, shape)
    if not text:
        raise WorkError(f"the partition {queue.offer.name} has no job script for {run.size.nodes} nodes")
    files.write(run.file("sh"), text, 0o755)
    return Order(
        name=f"bench-{run.subject.framework.name}",
        size=run.size,
        cores=queue.offer.cores // run.size.ranks_per_node,
        script=run.file("sh"),
        words=run.words,
        log=run.file("log"),
        account=queue.account,
        time=queue.time,
    )


def _living(run: Run, scheduler: Scheduler, jobs: tuple[str, ...]) -> dict[str, str]:
    outcome = _told(run, scheduler.watch(jobs))
    found = scheduler.living(outcome.stdout)
    if outcome.status and not found and "nvalid" not in outcome.stderr and "not found" not in outcome.stderr:
        said = outcome.stderr.strip().splitlines() or ["it said nothing"]
        raise WorkError(f"the queue cannot be read: {said[-1]}", "the same command goes on where it stopped")
    return {job: state for job, state in found.items() if job in jobs}


def _ended(run: Run, job: str, scheduler: Scheduler) -> Trained | str:
    told = scheduler.ending(_told(run, scheduler.ask(job)).stdout)
    patience = time.monotonic() + (_LAG if told in {"", "completed"} else 0)
    while not (done := run.result()) and time.monotonic() < patience:
        time.sleep(_SHORTEST)
    if done:
        return done
    said = _last_words(run.file("log"))
    return f"job {job}: {told or 'gone without a result'}{said}; see {run.file('log')}"


def _last_words(log: Path) -> str:
    """The last error that a program has written, which is not what the scheduler says of it."""
    if not log.is_file():
        return ""
    words = re.findall(
        r"^\s*(\w*Error\b.*)$", log.read_text(encoding="utf-8", errors="replace"), re.MULTILINE
    )
    return f": {words[-1][:200]}" if words else ""


def _told(run: Run, words: tuple[str, ...]) -> Outcome:
    """What a program of the scheduler says, without what the caller's shell would give to the job."""
    keep = ("HOME", "LOGNAME", "PATH", "USER", "LANG")
    kinds = ("SLURM_CONF", "SBATCH_", "LSF_", "LSB_")
    environment = {name: text for name, text in os.environ.items() if name in keep or name.startswith(kinds)}
    return run.subject.tools.run(Command(argv=words, environment=environment, directory=run.directory))
