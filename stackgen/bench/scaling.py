"""`stackgen bench scaling`: from what is asked for to the table, the plot and the file of one framework."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

from stackgen import files
from stackgen.bench.plot import Line, plot
from stackgen.bench.published import PUBLISHED
from stackgen.bench.results import SAMPLES, Row, Size, Trained, rows
from stackgen.bench.runs import Ask, Here, Place, Queue
from stackgen.bench.schedulers import SCHEDULERS
from stackgen.bench.subject import Subject, writable
from stackgen.bench.table import published_json, rows_json
from stackgen.bench.training import Finished, train
from stackgen.errors import InputError
from stackgen.jobs import Offer, Shape, layout, offers
from stackgen.lock import Json
from stackgen.model.base import near

FORMAT = 1
_JOBS = {"gan": "3DGAN-like network", "resnet50": "ResNet-50", "alexnet": "AlexNet"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """A finished table."""

    title: str
    rows: tuple[Row, ...]
    directory: Path
    json: dict[str, Json]

    @property
    def failed(self) -> bool:
        """Whether a job has no times."""
        return any(row.epoch is None for row in self.rows)


def scale(subject: Subject, ask: Ask, sizes: Sequence[Size], place: Place, *, again: bool) -> Scaled:
    """Train in every size, and keep the table, its plot and all raw times below the subject's directory."""
    directory = subject.directory / "scaling" / subject.framework.name / ask.name
    with writable(directory):
        finished = list(train(subject, ask, sizes, place, directory, again=again))
    made = _scaled(subject, ask, finished, directory, place)
    files.write(directory / "table.json", json.dumps(made.json, indent=1) + "\n")
    lines = [_line(made.title, made.rows, by_rank=isinstance(place, Here))]
    if ask.job == "gan" and isinstance(place, Queue):
        lines += [_line(one.title, one.rows, faint=True) for one in PUBLISHED]
    files.write(directory / "plot.svg", plot(made.title, [_ideal(lines), *lines], _axis(place)))
    return made


def _axis(place: Place) -> str:
    return "ranks" if isinstance(place, Here) else "nodes"


def _scaled(subject: Subject, ask: Ask, finished: list[Finished], directory: Path, place: Place) -> Scaled:
    samples = SAMPLES[ask.job]
    found = rows(finished, samples)
    framework = subject.framework
    by = "Horovod" if subject.by_horovod else "its own distribution"
    small = ", small: only for trying it out" if ask.small else ""
    title = f"{framework.name} {framework.version}, {_JOBS[ask.job]}, {ask.mode}, by {by}{small}"
    content: dict[str, Json] = {
        "format": FORMAT,
        "title": title,
        "release": subject.release.name,
        "request": subject.release.request,
        "environment": subject.release.environment,
        "system": subject.release.system,
        "framework": framework.name,
        "version": framework.version,
        "where": "here" if isinstance(place, Here) else place.offer.name,
        "samples": samples,
        "settings": cast("Json", asdict(ask)),
        "rows": rows_json(found),
        "runs": [_raw(size, done) for size, done in finished],
        "published": published_json() if ask.job == "gan" else [],
    }
    return Scaled(title=title, rows=found, directory=directory, json=content)


def _raw(size: Size, done: Trained | str) -> Json:
    told: Json = done.model_dump(mode="json") if isinstance(done, Trained) else None
    return {"nodes": size.nodes, "ranks": size.ranks, "result": told, "reason": "" if told else str(done)}


def _line(title: str, found: tuple[Row, ...], *, faint: bool = False, by_rank: bool = False) -> Line:
    points = [(row.ranks if by_rank else row.nodes, row.speedup) for row in found]
    return Line(title=title, points=tuple((float(x), y) for x, y in points if y), faint=faint)


def _ideal(lines: list[Line]) -> Line:
    """Linear scaling of the first line, as far as any line goes."""
    if not lines[0].points:
        return Line(title="linear", points=(), faint=True)
    first = lines[0].points[0][0]
    last = max(x for line in lines for x, _ in line.points)
    return Line(title="linear", points=((first, 1.0), (last, last / first)), faint=True)


def queue(subject: Subject, named: str | None, nodes: Sequence[int], account: str, time: str) -> Queue:
    """The partition named, or the usual one; InputError where it does not take jobs of these sizes."""
    scheduler = subject.project.plan.system.scheduler
    if scheduler.kind not in SCHEDULERS:
        what = f"there are no job scripts for the scheduler of {subject.project.plan.system.name}"
        raise InputError.of(f"{what}: {scheduler.kind}", "--ranks 1,2 measures on this machine alone")
    known = offers(subject.project.plan.system)
    offer = _offer(known, named)
    for count in nodes:
        if not offer.least <= count <= offer.most:
            what = f"{offer.name} takes jobs of {offer.least} to {offer.most} nodes, not of {count}"
            raise InputError.of(what, "give other --nodes, or another --partition")
    if scheduler.account == "required" and not account:
        raise InputError.of("jobs here have to name a project", "give --account")
    return Queue(kind=scheduler.kind, offer=offer, account=account, time=time)


def _offer(known: tuple[Offer, ...], named: str | None) -> Offer:
    if not known:
        raise InputError.of("the system's file names no partitions", "add them below `scheduler:`")
    if named is None:
        return next((offer for offer in known if offer.default), known[0])
    for offer in known:
        if offer.name == named:
            return offer
    names = [offer.name for offer in known]
    raise InputError.of(f"there is no partition {named}", near(named, names, f"there is {', '.join(names)}"))


def queued_sizes(place: Queue, nodes: Sequence[int], ranks_per_node: int | None) -> tuple[Size, ...]:
    """The jobs of a table in a partition: as many ranks a node as asked for, or as its job scripts have."""
    usual = layout(place.offer, Shape.NODES, distributed=True) or layout(
        place.offer, Shape.NODE, distributed=True
    )
    assert usual
    ranks = ranks_per_node or usual.ranks
    if place.offer.cores and ranks > place.offer.cores:
        what = f"{ranks} ranks do not fit on the {place.offer.cores} cores of a node of {place.offer.name}"
        raise InputError.of(what, "give fewer --ranks-per-node")
    if place.kind == "lsf" and ranks != usual.ranks:
        what = f"LSF's job scripts have {usual.ranks} ranks a node"
        raise InputError.of(what, "leave --ranks-per-node out")
    return tuple(Size(nodes=count, ranks_per_node=ranks) for count in sorted({*nodes}))


def here(subject: Subject, ranks: Sequence[int], launcher: tuple[str, ...]) -> tuple[Here, tuple[Size, ...]]:
    """The ranks of each job on this machine; `launcher` is the MPI's, which Horovod alone needs."""
    if subject.by_horovod and not launcher:
        what = f"no mpirun of the toolchain's MPI is found here, and {subject.framework.name} has Horovod"
        raise InputError.of(what, "install that MPI's programs, or measure by the scheduler")
    words = launcher if subject.by_horovod else ()
    sizes = tuple(Size(nodes=1, ranks_per_node=count) for count in sorted({*ranks}))
    threads = max(1, len(os.sched_getaffinity(0)) // max(ranks))
    return Here(launcher=words, threads=threads), sizes
