"""`python -m benchmarks.locking [ENV.yaml...]`: lock by Spack, cold, against plain Spack.

Both sides plan for the same system with the same Spack through the same stand-in, in turn, environment
by environment; theirs is Spack's own solve, a process for each, with nothing left out. The last column
says whether both came to the same hashes.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from stackgen import files
from stackgen.concretize import concretize
from stackgen.environments import environment_tree, spack_environments
from stackgen.lock import SpackLock
from stackgen.plan import Plan
from stackgen.progress import Silent
from stackgen.project import open_project
from stackgen.run import Command, LoggedRunner, succeed
from stackgen.spack.asking import Host, Spack, ask
from stackgen.spack.graph import graph
from stackgen.spack.home import find_spack

Result = TypeVar("Result")
ENVIRONMENTS = Path(__file__).parent.parent / "environments"
RUN = LoggedRunner(Silent())
HEAD = f"{'environment':<16}{'specs':>6}{'nodes':>7}{'ours s':>9}{'theirs s':>10}{'ratio':>7}  same hashes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An environment: what it came to, and what that took."""

    name: str
    specs: int
    nodes: int
    ours: float
    theirs: float
    same: bool

    def __str__(self) -> str:
        ratio = self.ours / self.theirs
        counts = f"{self.name:<16}{self.specs:>6}{self.nodes:>7}"
        return f"{counts}{self.ours:>9.1f}{self.theirs:>10.1f}{ratio:>7.2f}  {'yes' if self.same else 'NO'}"


def main() -> None:
    """Measure each environment that needs Spack, then all of them with nothing changed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.locking", description=__doc__)
    parser.add_argument("environments", nargs="*", type=Path, default=sorted(ENVIRONMENTS.glob("*.yaml")))
    asked = parser.parse_args().environments
    plans = [project.plan for project in map(open_project, asked) if spack_environments(project.plan)]
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory(prefix="stackgen-benchmark-") as scratch:
        os.environ["XDG_CACHE_HOME"] = scratch
        rows = []
        for plan in plans:
            rows.append(measured(plan, Path(scratch)))
            print(rows[-1], flush=True)
        again = locked_again(asked, Path(scratch))
    total = Row(
        name="all",
        specs=sum(row.specs for row in rows),
        nodes=sum(row.nodes for row in rows),
        ours=sum(row.ours for row in rows),
        theirs=sum(row.theirs for row in rows),
        same=all(row.same for row in rows),
    )
    print(total)
    print(f"goal: at most 0.5 x: {'met' if total.ours <= 0.5 * total.theirs else 'MISSED'}")
    verdict("generate all", timed(lambda: [environment_tree(plan) for plan in plans])[0])
    verdict(f"lock {len(asked)} again, nothing changed", again)


def verdict(title: str, seconds: float) -> None:
    """A time with the goal of a second."""
    print(f"{title}: {seconds:.2f} s; goal: under 1 s: {'met' if seconds < 1 else 'MISSED'}")


def locked_again(asked: list[Path], scratch: Path) -> float:
    """How long the command takes for all at once where it has just locked them, in seconds."""
    for directory in {path.absolute().parent for path in asked}:
        shutil.copytree(directory, scratch / "again", ignore=shutil.ignore_patterns("*.lock"))
    copies = (str(scratch / "again" / path.name) for path in asked)
    words = (sys.executable, "-m", "stackgen", "lock", *copies)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "XDG_CACHE_HOME")}
    command = Command(argv=words, environment={**kept, "LANG": "C.UTF-8"}, directory=Path.cwd())
    succeed(RUN, command, "lock failed")
    return timed(lambda: succeed(RUN, command, "lock failed"))[0]


def measured(plan: Plan, scratch: Path) -> Row:
    """Ours and theirs, one after the other."""
    ours, locks = timed(lambda: concretize(plan, RUN, Silent()))
    theirs, plain = timed(lambda: plainly(plan, scratch / plan.environment))
    return Row(
        name=plan.environment,
        specs=sum(len(lock.roots) for lock in locks),
        nodes=sum(len(graph(lock.text).nodes) for lock in locks),
        ours=ours,
        theirs=theirs,
        same=[hashes(lock) for lock in locks] == [hashes(lock) for lock in plain],
    )


def plainly(plan: Plan, scratch: Path) -> list[SpackLock]:
    """What Spack itself comes to, a process for every environment."""
    files.write_tree(environment_tree(plan), scratch / "tree")
    host = Host.of(plan.system)
    locks = []
    for name in sorted(environment.name for environment in spack_environments(plan)):
        spack = Spack(home=find_spack(), run=RUN, scratch=scratch / name)
        question = {
            "ask": "solve",
            "directories": {name: str(scratch / "tree/spack" / name)},
            "plainly": True,
        }
        (answer,) = ask(question, host, spack)
        locks.append(SpackLock(name=name, text=answer["lock"]))
    return locks


def hashes(lock: SpackLock) -> frozenset[str]:
    """Every node of a lock, by the hash that all of it decides."""
    return frozenset(graph(lock.text).nodes)


def timed(action: Callable[[], Result]) -> tuple[float, Result]:
    """How long something takes, in seconds, and what it gives."""
    start = time.perf_counter()
    result = action()
    return time.perf_counter() - start, result


main()
