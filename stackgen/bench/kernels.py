"""`stackgen bench kernels`: quick as pip's wheel, and as near to the machine's limit as that allows."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial

from stackgen.bench.alternating import Side, Values, measured, median, paired
from stackgen.bench.peers import Peer
from stackgen.bench.subject import Subject
from stackgen.bench.table import columns, percent
from stackgen.lock import Json

LIMIT = 1800.0
"""Seconds of one measuring program."""
OURS, PIP, MACHINE = "delivered", "pip", "machine"
BASE = "GEMM float32"
"""What the machine's limit is measured by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How quick one kernel is, in operations a second."""

    kernel: str
    delivered: float
    pip: float | None
    ratio: float | None
    """Delivered over pip, of the same rounds."""
    share: float | None
    """Of what a bare BLAS gets of the machine in float32; None where the precision is another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernels:
    """What was measured of one framework."""

    title: str
    rates: tuple[Rate, ...]
    peak: float | None
    """Operations a second of a bare BLAS in float32."""
    copy: float | None
    """Bytes a second, read and written."""
    notes: tuple[str, ...]
    raw: dict[str, list[Values]]

    @property
    def json(self) -> dict[str, Json]:
        """All of it for machines."""
        return asdict(self)


def kernels(subject: Subject, other: Peer | str, rounds: int, *, small: bool) -> Kernels:
    """Measure the framework as delivered, as pip installs it, and the machine itself, in turn."""
    program = subject.program(f"kernels_{subject.kind}.py")
    words = ("--seconds", "0.1", "--small") if small else ()
    sides: dict[str, Side] = {OURS: partial(subject.run, ("python", str(program), *words), QUIET, LIMIT)}
    if isinstance(other, Peer):
        limit = program.with_name("limit.py")
        sides[PIP] = partial(other.run, ("python", str(program), *words), QUIET, LIMIT)
        sides[MACHINE] = partial(other.run, ("python", str(limit), *words), {}, LIMIT)
    title = f"kernels of {subject.framework.name} {subject.framework.version}"
    found = measured(sides, rounds, "rates", title, subject.tools.progress)
    return Kernels(
        title=title,
        rates=rates(found),
        peak=_best(found.get(MACHINE, []), BASE),
        copy=_best(found.get(MACHINE, []), "copy"),
        notes=(other,) if isinstance(other, str) else (),
        raw=found,
    )


QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2"}
"""Messages are no setting."""


def rates(found: Mapping[str, Sequence[Values]]) -> tuple[Rate, ...]:
    """Medians of each side over all rounds, in the order of the program."""
    ours, pip = found[OURS], found.get(PIP, [])
    peak = _best(found.get(MACHINE, []), BASE)
    made = []
    for kernel in ours[0]:
        rate = median(ours, kernel)
        assert rate is not None
        share = rate / peak if peak and "bfloat" not in kernel else None
        theirs, ratio = median(pip, kernel), paired(ours, pip, kernel)
        made.append(Rate(kernel=kernel, delivered=rate, pip=theirs, ratio=ratio, share=share))
    return tuple(made)


def _best(found: Sequence[Values], what: str) -> float | None:
    """A limit is what was reached once."""
    return max((one[what] for one in found if what in one), default=None)


def kernels_table(made: Kernels) -> str:
    """The table, and what the machine itself can do."""
    heads = ("kernel", "delivered GFLOP/s", "pip GFLOP/s", "ratio", "of the peak")
    lines = [heads, *(_cells(rate) for rate in made.rates)]
    width = max(len(line[0]) for line in lines)
    text = columns([(line[0].ljust(width), *line[1:]) for line in lines])
    limits = []
    if made.peak and made.copy:
        limits = [f"the machine: {_giga(made.peak)} GFLOP/s by a bare BLAS, copies {_giga(made.copy)} GB/s"]
    return "\n".join([made.title, "", text, *limits, *made.notes])


def _cells(rate: Rate) -> tuple[str, ...]:
    ratio = "-" if rate.ratio is None else f"{rate.ratio:.3f}"
    return rate.kernel, _giga(rate.delivered), _giga(rate.pip), ratio, percent(rate.share)


def _giga(value: float | None) -> str:
    return "-" if value is None else f"{value / 1e9:.1f}"
