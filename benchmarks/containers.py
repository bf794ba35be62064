"""`python -m benchmarks.containers ENV.yaml FRAMEWORK`: what a container costs, of a release on this machine.

ENV.yaml is published and has the framework with `image: true`. Its container and its prefix, which are of one
lock, run in turn. Cold is the first import on a machine: nothing of it in the kernel's caches, and no image
mounted; only root can measure that. Memory is what the kernel has seen resident at most (VmHWM) of the
training's process, and of a container also that of every process which keeps its image mounted, the one that
serves FUSE included. Files are those that a start asks for below the prefix, as strace sees them: what lies
on the file system of all nodes.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.paired import Side, medians
from stackgen.bench.contained import Contained, contained, desk
from stackgen.bench.overhead import Training, overheads, overheads_table
from stackgen.bench.starts import starts, starts_table
from stackgen.progress import Silent
from stackgen.project import Project, Tools, open_project
from stackgen.run import Command, LoggedRunner, succeed

RUN = LoggedRunner(Silent())


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A number, and the goal that it has."""

    title: str
    value: float | None
    """None where this machine does not let it be measured."""
    goal: str
    met: bool

    def __str__(self) -> str:
        told = "-" if self.value is None else f"{self.value:.4g}"
        verdict = "not measured" if self.value is None else "met" if self.met else "MISSED"
        return f"{self.title:<62}{told:>10}  {self.goal}: {verdict}"


def main() -> None:
    """Measure, print."""
    asked = arguments()
    project = open_project(asked.environment, asked.prefix)
    both = contained(project, asked.framework, None, Tools(run=RUN, progress=Silent()))
    for verdict in costs(both, asked):
        print(verdict, flush=True)
    print(unchanged(project, asked.rounds), flush=True)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.containers", description=__doc__)
    parser.add_argument("environment", type=Path)
    parser.add_argument("framework")
    parser.add_argument("--prefix")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--job", choices=("resnet50", "alexnet", "gan"), action="append", dest="jobs")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--small", action="store_true", help="small pictures, only for trying it out")
    return parser.parse_args()


def costs(both: Contained, asked: argparse.Namespace) -> Iterator[Verdict]:
    """Trainings, then starts; nothing of the former where no program trains with the framework."""
    trainings = [
        Training(job=job, batch=asked.batch, steps=asked.steps, warmup=3, small=asked.small)
        for job in (asked.jobs or ("resnet50", "alexnet"))
    ]
    with desk(both.image) as home:
        if both.outside.kind:
            made = overheads(both, trainings, asked.rounds, home)
            print(overheads_table(made) + "\n", flush=True)
            for one in made.trainings:
                yield at_least(f"{one.title}: samples/s, container / prefix", one.ratio, 0.99)
                yield at_most(f"{one.title}: peak memory, container / prefix", one.peak_ratio, 1.01)
        begun = starts(both, asked.rounds, home)
    print(starts_table(begun) + "\n", flush=True)
    yield at_most("first import, cold: image / prefix", begun.cold, 1.25)
    yield at_most("files looked up by a start: image / prefix", begun.looked_up, 0.01)


def unchanged(project: Project, rounds: int) -> Verdict:
    """All of it again, with nothing to be done: the whole command."""
    words = (sys.executable, "-m", "stackgen", "build", str(project.file), "--prefix", project.plan.prefix)
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(Path.home()), "LANG": "C.UTF-8"}
    command = Command(argv=words, environment=environment, directory=Path.cwd())

    def again() -> None:
        succeed(RUN, command, "a build of what is there failed")

    (seconds,) = medians((Side(name="again", action=again),), rounds)
    return Verdict(
        title="seconds, the image of an unchanged lock again", value=seconds, goal="under 1", met=seconds < 1
    )


def at_least(title: str, value: float | None, least: float) -> Verdict:
    """A number that must not fall below a goal."""
    met = value is not None and value >= least
    return Verdict(title=title, value=value, goal=f"at least {least:g}", met=met)


def at_most(title: str, value: float | None, most: float) -> Verdict:
    """A number that must not rise above a goal."""
    met = value is not None and value <= most
    return Verdict(title=title, value=value, goal=f"at most {most:g}", met=met)


main()
