"""What a training job is asked for, where it runs, and the files that it leaves."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from stackgen import files
from stackgen.bench.results import Job, Mode, Size, Trained, read_trained
from stackgen.bench.subject import Subject
from stackgen.jobs import Offer
from stackgen.model.base import Strict


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What every job of a table does."""

    job: Job
    mode: Mode
    batch: int
    """Of one rank of the smallest job."""
    steps: int
    warmup: int
    small: bool

    @property
    def name(self) -> str:
        """A table's name, and that of its directory below the framework's."""
        return f"{self.job}-{self.mode}{'-small' if self.small else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """The ranks are started on this machine, by `launcher` where there is one, else by the program itself."""

    launcher: tuple[str, ...]
    threads: int
    """Of each rank: the same in every job, or what is compared is not the ranks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The ranks are jobs of a partition."""

    kind: str
    offer: Offer
    account: str
    time: str


Place = Here | Queue

Setting = str | int | bool


class Ordered(Strict):
    """What lies beside a result: what was asked for, and the job's number."""

    settings: dict[str, Setting]
    number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One job of a table, and its files."""

    subject: Subject
    ask: Ask
    size: Size
    directory: Path

    @property
    def stem(self) -> str:
        """The name of its files, but for their endings."""
        return f"{self.size.nodes}x{self.size.ranks_per_node}"

    def file(self, ending: str) -> Path:
        """One of its files."""
        return self.directory / f"{self.stem}.{ending}"

    @property
    def settings(self) -> dict[str, Setting]:
        """What decides its result, beside the machine's mood."""
        return {
            "request": self.subject.release.request,
            "prefix": self.subject.framework.prefix,
            "job": self.ask.job,
            "batch": self.ask.batch,
            "steps": self.ask.steps,
            "warmup": self.ask.warmup,
            "small": self.ask.small,
            "horovod": self.subject.by_horovod,
        }

    @property
    def words(self) -> tuple[str, ...]:
        """The program and its arguments."""
        return (
            str(self.subject.program(f"train_{self.subject.kind}.py")),
            *("--job", self.ask.job, "--batch", str(self.ask.batch)),
            *("--steps", str(self.ask.steps), "--warmup", str(self.ask.warmup)),
            *("--distribution", "horovod" if self.subject.by_horovod else "own"),
            *("--out", str(self.file("json")), *(("--small",) if self.ask.small else ())),
        )

    @property
    def last(self) -> Ordered | None:
        """What was asked for before."""
        try:
            return Ordered.model_validate_json(self.file("order.json").read_bytes())
        except (OSError, ValidationError):
            return None

    @property
    def earlier(self) -> Ordered | None:
        """What was asked for before with the same settings."""
        return found if (found := self.last) and found.settings == self.settings else None

    def note(self, number: str = "") -> None:
        """Keep what it was asked for, and its number in the queue."""
        text = Ordered(settings=self.settings, number=number).model_dump_json(indent=1)
        files.write(self.file("order.json"), f"{text}\n")

    def result(self) -> Trained | None:
        """What it has left; WorkError where that is damaged."""
        path = self.file("json")
        return read_trained(path.read_text(encoding="utf-8"), str(path)) if path.exists() else None

    def forget(self) -> None:
        """Remove what an earlier one has left."""
        for ending in ("json", "order.json", "log"):
            self.file(ending).unlink(missing_ok=True)
