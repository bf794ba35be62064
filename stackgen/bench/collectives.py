"""All-reduce of a framework by message size, against bare MPI and pip's wheel on the same ranks."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from stackgen.bench.alternating import Side, Values, measured, median, paired
from stackgen.bench.kernels import LIMIT, QUIET
from stackgen.bench.peers import Peer
from stackgen.bench.subject import Subject
from stackgen.bench.table import columns, seconds
from stackgen.errors import WorkError
from stackgen.lock import Json
from stackgen.run import Command

SIZES = (1 << 10, 1 << 14, 1 << 17, 1 << 20, 1 << 22, 1 << 24, 1 << 26)
"""Bytes of a message."""
HOROVOD, OWN, BARE, PIP = "Horovod", "own", "bare MPI", "pip, own"
REFERENCES = {HOROVOD: BARE, OWN: PIP}
"""What each is measured against."""
ONE_THREAD = {**QUIET, "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The seconds of one all-reduce."""

    way: str
    size: int
    seconds: float
    reference: float | None
    ratio: float | None
    """Over the reference, of the same rounds; below 1 is quicker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collectives:
    """What was measured of one framework on so many ranks."""

    title: str
    ranks: int
    messages: tuple[Message, ...]
    notes: tuple[str, ...]
    raw: dict[str, list[Values]]

    @property
    def json(self) -> dict[str, Json]:
        """All of it for machines."""
        return asdict(self)


def turns(size: int, most: int) -> int:
    """How often a message of this size is sent: large ones take long."""
    return max(7, min(most, (1 << 26) // size))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """How ranks are started on this machine, and what compiles for them."""

    count: int
    launcher: tuple[str, ...]
    """The MPI's, which Horovod alone needs; nothing where there is none."""
    wrapper: Path | None


def collectives(
    subject: Subject, other: Peer | str, ranks: Ranks, rounds: int, *, small: bool
) -> Collectives:
    """Measure every way that the framework's ranks have, and what each is measured against, in turn."""
    sizes = SIZES[:3] if small else SIZES
    words = tuple(word for size in sizes for word in (str(size), str(turns(size, 20 if small else 300))))
    notes = [other] if isinstance(other, str) else []
    sides = _sides(subject, ranks, words, notes)
    if isinstance(other, Peer):
        sides[PIP] = partial(other.run, _own(subject, ranks.count, words), ONE_THREAD, LIMIT)
    title = f"all-reduce of {subject.framework.name} on {ranks.count} ranks of this machine"
    found = measured(sides, rounds, "seconds", title, subject.tools.progress)
    return Collectives(
        title=title, ranks=ranks.count, messages=messages(found, sizes), notes=tuple(notes), raw=found
    )


def _own(subject: Subject, ranks: int, words: tuple[str, ...]) -> tuple[str, ...]:
    program = str(subject.program(f"allreduce_{subject.kind}.py"))
    return ("python", program, "--distribution", "own", "--fork", str(ranks), *words)


def _sides(subject: Subject, ranks: Ranks, words: tuple[str, ...], notes: list[str]) -> dict[str, Side]:
    own = _own(subject, ranks.count, words)
    sides: dict[str, Side] = {OWN: partial(subject.run, own, ONE_THREAD, LIMIT)}
    if not (subject.by_horovod and ranks.launcher):
        return sides
    start = (*ranks.launcher, "-np", str(ranks.count))
    by_horovod = (*start, "python", own[1], "--distribution", "horovod", *words)
    sides[HOROVOD] = partial(subject.run, by_horovod, ONE_THREAD, LIMIT)
    try:
        bare = _compiled(subject, ranks.wrapper)
        sides[BARE] = partial(subject.run, (*start, str(bare), *words), ONE_THREAD, LIMIT)
    except WorkError as error:
        notes.append(f"Horovod is not compared with bare MPI: {error}")
    return sides


def _compiled(subject: Subject, wrapper: Path | None) -> Path:
    """The bare test, made by the toolchain's MPI."""
    if wrapper is None or not wrapper.exists():
        raise WorkError("the toolchain's MPI has no compiler here")
    source = subject.program("allreduce.c")
    target = source.with_suffix("")
    words = (str(wrapper), "-O2", "-o", str(target), str(source))
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    outcome = subject.tools.run(Command(argv=words, environment=environment, directory=target.parent))
    if outcome.status:
        raise WorkError(f"{wrapper} cannot compile", details=outcome.stderr)
    return target


def messages(found: Mapping[str, Sequence[Values]], sizes: Sequence[int]) -> tuple[Message, ...]:
    """Medians over all rounds, of what the framework has, by way and size."""
    made = []
    for way, reference in REFERENCES.items():
        for size in sizes:
            ours = median(found.get(way, []), str(size))
            if ours is None:
                continue
            theirs = found.get(reference, [])
            ratio = paired(found[way], theirs, str(size))
            made.append(
                Message(way=way, size=size, seconds=ours, reference=median(theirs, str(size)), ratio=ratio)
            )
    return tuple(made)


def collectives_table(made: Collectives) -> str:
    """Latency and bandwidth of each way by message size."""
    heads = ("by", "bytes", "µs", "MB/s", "against", "µs", "MB/s", "time ratio")
    lines = [heads, *(_cells(one) for one in made.messages)]
    return "\n".join([made.title, "", columns(lines), *made.notes])


def _cells(one: Message) -> tuple[str, ...]:
    reference = REFERENCES[one.way] if one.reference else "-"
    return (
        *(one.way, str(one.size), _micro(one.seconds), _rate(one.size, one.seconds)),
        *(reference, _micro(one.reference), _rate(one.size, one.reference)),
        "-" if one.ratio is None else f"{one.ratio:.3f}",
    )


def _micro(value: float | None) -> str:
    return "-" if value is None else seconds(value * 1e6)


def _rate(size: int, value: float | None) -> str:
    return "-" if not value else f"{size / value / 1e6:.1f}"
