"""`python -m benchmarks.training ENV.yaml`: the speed promised of training, of a release on this machine.

ENV.yaml is published and has PyTorch with `features: [horovod, ddp]` on an MPI of this machine, and
PREFIX/mirror has its wheels. The peer is a virtual environment of the same wheels, made by pip and started by
hand, without the module. Its Horovod is that of `--by-hand VENV`, built there by hand on the same MPI;
without one, ours is lent to it, so that only the module, its settings and its Python are compared.
"""

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from stackgen.bench.alternating import median
from stackgen.bench.collectives import Ranks, collectives, collectives_table
from stackgen.bench.kernels import PIP, kernels, kernels_table
from stackgen.bench.mpirun import ranks_here
from stackgen.bench.peers import Peer, peer
from stackgen.bench.results import read_trained
from stackgen.bench.subject import Subject, subjects
from stackgen.progress import Silent
from stackgen.project import Tools, open_project
from stackgen.run import LoggedRunner, Outcome

NOISE = 0.02
"""What equal programs differ by on a quiet machine."""
LIMIT = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A comparison, its ratio, and the goal that the ratio has; below 1 we are quicker."""

    title: str
    ratio: float
    most: float

    def __str__(self) -> str:
        met = "met" if self.ratio <= self.most else "MISSED"
        return f"{self.title:<66}{self.ratio:>8.3f}  at most {self.most:g}: {met}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Both sides, and how often each runs."""

    subject: Subject
    other: Peer
    ranks: Ranks
    rounds: int
    by_hand: Path | None

    def train(self, side: str, distribution: str) -> float:
        """The median seconds of a step of a few on two ranks, of one side."""
        with tempfile.TemporaryDirectory() as place:
            out = Path(place) / "result.json"
            program = self.subject.program(f"train_{self.subject.kind}.py")
            words = (str(program), "--job", "gan", "--batch", "2", "--steps", "8", "--warmup", "3")
            words = (*words, "--distribution", distribution, "--out", str(out))
            outcome = self._start(side, distribution, words)
            if outcome.status:
                raise SystemExit(f"{side}: {outcome.stdout}{outcome.stderr}")
            return read_trained(out.read_text(encoding="utf-8"), str(out)).step

    def _start(self, side: str, distribution: str, words: tuple[str, ...]) -> Outcome:
        """By hand, with as many threads as a rank has cores, as the module says by itself."""
        count, variables = str(self.ranks.count), {"OMP_NUM_THREADS": "1"}
        if distribution == "own":
            before, after = (), ("--fork", count)
        else:
            before, after = (*self.ranks.launcher, "-np", count), ()
        if side == "ours":
            return self.subject.run((*before, "python", *words, *after), variables, LIMIT)
        python = "python"
        if distribution == "horovod" and self.by_hand:
            python = str(self.by_hand / "bin" / "python")
        return self.other.run((*before, python, *words, *after), variables, LIMIT)


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument("environment", type=Path)
    parser.add_argument("--prefix")
    parser.add_argument("--by-hand", type=Path, metavar="VENV")
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    project = open_project(asked.environment, asked.prefix)
    tools = Tools(run=LoggedRunner(Silent()), progress=Silent())
    (subject,) = subjects(project, "pytorch", None, tools)
    ranks = ranks_here(subject, 2)
    with peer(subject) as other:
        if isinstance(other, str):
            raise SystemExit(other)
        if subject.by_horovod and not asked.by_hand:
            lend_horovod(subject, other)
        bench = Bench(subject=subject, other=other, ranks=ranks, rounds=asked.rounds, by_hand=asked.by_hand)
        for verdict in chain(all_reduces(bench), trainings(bench), rates(bench)):
            print(verdict, flush=True)


def lend_horovod(subject: Subject, other: Peer) -> None:
    """Let the peer import our Horovod, and nothing else of ours, beside its own packages."""
    places = f"lib/python{subject.framework.python}/site-packages"
    target = other.root / "venv" / places
    for path in (Path(subject.framework.prefix) / places).glob("*"):
        needed = path.name.split("-")[0].lower() in {"horovod", "psutil", "cloudpickle", "yaml", "_yaml"}
        if needed and not (target / path.name).exists():
            (target / path.name).symlink_to(path)


def all_reduces(bench: Bench) -> Iterator[Verdict]:
    """Our Horovod against bare MPI, our DDP against pip's Gloo, by message size."""
    made = collectives(bench.subject, bench.other, bench.ranks, bench.rounds, small=False)
    print(collectives_table(made) + "\n", flush=True)
    for one in made.messages:
        if one.ratio is not None:
            yield Verdict(title=f"all-reduce, {one.way}, {one.size} bytes", ratio=one.ratio, most=1.05)


def trainings(bench: Bench) -> Iterator[Verdict]:
    """Steps of two ranks as delivered, against the same script by hand."""
    for way in ("own", *(("horovod",) if bench.subject.by_horovod else ())):
        ratios = []
        for number in range(bench.rounds):
            sides = ("ours", "theirs") if number % 2 == 0 else ("theirs", "ours")
            taken = {side: bench.train(side, way) for side in sides}
            ratios.append(taken["ours"] / taken["theirs"])
        title = f"two-rank training, {way} / by hand"
        yield Verdict(title=title, ratio=statistics.median(ratios), most=1 + NOISE)


def rates(bench: Bench) -> Iterator[Verdict]:
    """Kernels as delivered against pip's wheel: times, so that less is better here too."""
    made = kernels(bench.subject, bench.other, bench.rounds, small=False)
    print(kernels_table(made) + "\n", flush=True)
    for one in made.rates:
        if one.ratio is not None and median(made.raw[PIP], one.kernel):
            yield Verdict(title=f"{one.kernel} / pip's wheel", ratio=1 / one.ratio, most=1 + NOISE)


main()
