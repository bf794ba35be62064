"""What measuring programs leave, and the values of a scaling table; pure."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt, ValidationError

from stackgen.errors import WorkError
from stackgen.model.base import Strict

Job = Literal["gan", "resnet50", "alexnet"]
Mode = Literal["weak", "strong"]
SAMPLES: dict[Job, int] = {"gan": 200_000, "resnet50": 1_281_167, "alexnet": 1_281_167}
"""What an epoch is: of the 3DGAN the 200 000 images of its data set, of the others those of ImageNet."""


class Trained(Strict):
    """What a training program leaves; all that is of one rank is of rank 0."""

    job: Job
    distribution: Literal["horovod", "own"]
    ranks: PositiveInt
    hosts: PositiveInt
    batch: PositiveInt
    """Samples of one rank in one step."""
    warmup: int = Field(ge=0)
    small: bool
    threads: str
    """OMP_NUM_THREADS of a rank; empty where nobody sets it."""
    seconds: tuple[PositiveFloat, ...] = Field(min_length=1)
    """Of every timed step."""
    peak: int = Field(default=0, ge=0)
    """The most bytes of memory that rank 0 has had; 0 where nobody knows."""
    parameters: PositiveInt
    loss: float
    device: str
    versions: dict[str, str]
    python: str

    @property
    def step(self) -> float:
        """The median of the steps in seconds."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """How far apart the middle half of the steps is, as a share of the median."""
        if len(self.seconds) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return (high - low) / self.step


def read_trained(text: str, where: str) -> Trained:
    """The result in a file; WorkError where it is damaged."""
    try:
        return Trained.model_validate_json(text)
    except ValidationError as error:
        remedy = "remove it, and run the same command again"
        raise WorkError(f"{where} is no result of a training job", remedy, details=str(error)) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One job of a table: how many nodes, and ranks on each."""

    nodes: int
    ranks_per_node: int

    @property
    def ranks(self) -> int:
        """All of them."""
        return self.nodes * self.ranks_per_node


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a table; times in seconds."""

    nodes: int
    ranks: int
    """0 where a publication does not say."""
    epoch: float | None
    """None where the job has failed."""
    linear: float | None = None
    """What an epoch would take if it took the smallest job's node-seconds."""
    speedup: float | None = None
    """Over the smallest job."""
    efficiency: float | None = None
    """Of 1."""
    spread: float | None = None
    reason: str = ""
    """Why there are no times."""


def epoch_seconds(trained: Trained, samples: int) -> float:
    """An epoch of that many samples, all of which the ranks share."""
    return samples / (trained.batch * trained.ranks) * trained.step


def rows(found: Iterable[tuple[Size, Trained | str]], samples: int) -> tuple[Row, ...]:
    """The table: finished jobs, and failed ones with their reasons; the smallest finished is the measure."""
    ordered = sorted(found, key=lambda one: one[0].ranks)
    measure = next(((size, done) for size, done in ordered if isinstance(done, Trained)), None)
    return tuple(_row(size, done, samples, measure) for size, done in ordered)


def _row(size: Size, done: Trained | str, samples: int, measure: tuple[Size, Trained] | None) -> Row:
    if isinstance(done, str) or measure is None:
        return Row(nodes=size.nodes, ranks=size.ranks, epoch=None, reason=str(done))
    first, before = measure
    epoch, base = epoch_seconds(done, samples), epoch_seconds(before, samples)
    linear = base * first.ranks / size.ranks
    return Row(
        nodes=size.nodes,
        ranks=size.ranks,
        epoch=epoch,
        linear=linear,
        speedup=base / epoch,
        efficiency=linear / epoch,
        spread=done.spread,
    )


def rows_of_seconds(pairs: Sequence[tuple[int, float]], ranks_per_node: int) -> tuple[Row, ...]:
    """The table of nodes and seconds of an epoch, from the first of them on."""
    (first, base), *_ = pairs
    return tuple(
        Row(
            nodes=nodes,
            ranks=nodes * ranks_per_node,
            epoch=epoch,
            linear=base * first / nodes,
            speedup=base / epoch,
            efficiency=base * first / nodes / epoch,
        )
        for nodes, epoch in pairs
    )
