"""What a container costs a training: samples a second and memory, with and without, in turn."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from stackgen.bench.alternating import Values, measured, median
from stackgen.bench.contained import CONTAINER, PREFIX, Contained, Desk
from stackgen.bench.kernels import QUIET
from stackgen.bench.memory import most_memory
from stackgen.bench.published import CONTAINER_MEMORY, CONTAINER_SOURCE
from stackgen.bench.results import Job, read_trained
from stackgen.bench.subject import Subject
from stackgen.bench.table import columns, percent, seconds
from stackgen.lock import Json
from stackgen.run import Outcome

LIMIT = 3600.0
"""Seconds of one training."""
NETWORKS: dict[Job, str] = {"resnet50": "ResNet-50", "alexnet": "AlexNet", "gan": "3DGAN-like"}
MEASURED = (
    "memory: the most that the kernel has seen resident of the training's process (VmHWM), and in the"
    " container of those that keep its image mounted as well, FUSE's included"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What both sides train, alone on this machine."""

    job: Job
    batch: int
    steps: int
    warmup: int
    small: bool

    @property
    def title(self) -> str:
        """The network, and the samples of a step."""
        return f"{NETWORKS[self.job]}{', small' if self.small else ''}, batch {self.batch}"

    def words(self, desk: Desk, kind: str, out: Path) -> tuple[str, ...]:
        """The program and its arguments."""
        return (
            *("python", desk.program(f"train_{kind}.py"), "--job", self.job, "--distribution", "own"),
            *("--batch", str(self.batch), "--steps", str(self.steps), "--warmup", str(self.warmup)),
            *("--out", str(out), *(("--small",) if self.small else ())),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """One training, in samples a second and bytes; medians over all rounds."""

    title: str
    outside: float
    inside: float
    ratio: float
    """Inside over outside, of the medians; above 1 the container is quicker."""
    spread: float | None
    """How far apart the middle half of the rounds' ratios is; None of a single round."""
    outside_peak: float
    inside_peak: float
    peak_ratio: float | None
    """None where the kernel tells nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overheads:
    """What was measured of one framework."""

    title: str
    trainings: tuple[Overhead, ...]
    notes: tuple[str, ...]
    raw: dict[str, dict[str, list[Values]]]

    @property
    def json(self) -> dict[str, Json]:
        """All of it for machines, what was published included."""
        published: list[Json] = [asdict(one) for one in CONTAINER_MEMORY]
        return {**asdict(self), "published": {"source": CONTAINER_SOURCE, "memory": published}}


def overheads(both: Contained, trainings: Sequence[Training], rounds: int, desk: Desk) -> Overheads:
    """Train on both sides in turn; WorkError where one cannot."""
    framework, raw = both.outside.framework, {}
    for training in trainings:
        sides = {
            name: partial(_trained, subject, training, desk, both.image if name == CONTAINER else None)
            for name, subject in both.sides.items()
        }
        title = f"{training.title} of {framework.name}"
        raw[training.title] = measured(sides, rounds, "training", title, both.outside.tools.progress)
    return Overheads(
        title=f"training of {framework.name} {framework.version} with and without its container",
        trainings=tuple(overhead(title, found) for title, found in raw.items()),
        notes=(f"medians of {rounds} runs of each side, in turn", MEASURED),
        raw=raw,
    )


def _trained(subject: Subject, training: Training, desk: Desk, image: Path | None) -> Outcome:
    """One training, its outcome in the place of what it printed; with what keeps the image mounted."""
    out = desk.home / "trained.json"
    out.unlink(missing_ok=True)
    outcome = desk.run(subject, training.words(desk, subject.kind, out), QUIET, LIMIT)
    if outcome.status or not out.exists():
        return outcome
    done = read_trained(out.read_text(encoding="utf-8"), str(out))
    mounting = sum(map(most_memory, desk.mounting(image))) if image else 0
    values = {"rate": done.batch / done.step, "peak": float(done.peak + mounting), "mounting": mounting}
    return Outcome(status=0, stdout=json.dumps({"training": values}), stderr=outcome.stderr)


def overhead(title: str, found: Mapping[str, Sequence[Values]]) -> Overhead:
    """What is computed of the rounds of both sides."""
    rates = {name: median(found[name], "rate") or 0.0 for name in (PREFIX, CONTAINER)}
    peaks = {name: median(found[name], "peak") or 0.0 for name in (PREFIX, CONTAINER)}
    return Overhead(
        title=title,
        outside=rates[PREFIX],
        inside=rates[CONTAINER],
        ratio=rates[CONTAINER] / rates[PREFIX],
        spread=_spread(found),
        outside_peak=peaks[PREFIX],
        inside_peak=peaks[CONTAINER],
        peak_ratio=peaks[CONTAINER] / peaks[PREFIX] if peaks[PREFIX] else None,
    )


def _spread(found: Mapping[str, Sequence[Values]]) -> float | None:
    pairs = zip(found[CONTAINER], found[PREFIX], strict=True)
    ratios = [inside["rate"] / outside["rate"] for inside, outside in pairs]
    if len(ratios) < 2:
        return None
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return (high - low) / middle


def overheads_table(made: Overheads) -> str:
    """Both sides beside each other, and what was published below."""
    heads = ("", "samples/s", "in container", "ratio", "spread", "GB", "in container", "ratio")
    lines = [heads, *map(_cells, made.trainings)]
    width = max(len(line[0]) for line in lines)
    text = columns([(line[0].ljust(width), *line[1:]) for line in lines])
    published = [
        f"  {one.network}: {one.inside} GB in the container, {one.outside} GB without, ratio"
        f" {one.inside / one.outside:.4f}"
        for one in CONTAINER_MEMORY
    ]
    return "\n".join([made.title, "", text, *made.notes, f"published: {CONTAINER_SOURCE}", *published])


def _cells(one: Overhead) -> tuple[str, ...]:
    peaks = (f"{peak / 1e9:.3f}" if peak else "-" for peak in (one.outside_peak, one.inside_peak))
    return (
        *(one.title, seconds(one.outside), seconds(one.inside), f"{one.ratio:.3f}", percent(one.spread)),
        *(*peaks, "-" if one.peak_ratio is None else f"{one.peak_ratio:.3f}"),
    )
