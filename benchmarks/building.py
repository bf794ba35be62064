"""`python -m benchmarks.building SOURCES`: build environments/proof.yaml from a kit, against plain Spack.

SOURCES is a directory, or a mirror, with the sources of that environment. Both sides install the same locks
from the same kit by the same Spack, with as many compilers and packages at once, each time into a new prefix.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import yaml

from benchmarks.paired import Row, Side, medians, table
from stackgen import files
from stackgen.environments import environment_tree
from stackgen.mirror import Mirror
from stackgen.progress import Silent
from stackgen.project import Project, open_project, read_fitting_lock
from stackgen.run import Command, LoggedRunner, succeed
from stackgen.spack.home import find_spack
from stackgen.spack.start import spack_command
from stackgen.store import install as store_install
from stackgen.store import open_store
from stackgen.store.strength import strength

ENVIRONMENTS = Path(__file__).parent.parent / "environments"
RUN = LoggedRunner(Silent())


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where all of it happens, and the environment."""

    work: Path
    project: Project

    @property
    def kit(self) -> Path:
        """The kit that both sides build from."""
        return self.work / "kit"

    @property
    def prefix(self) -> Path:
        """Where ours goes."""
        return Path(self.project.plan.prefix)

    def build(self, *words: str) -> None:
        """Our side."""
        ours("build", str(self.project.loaded.path), "--mirror", str(self.kit), "--offline", *words)

    def install(self) -> None:
        """Of our side what Spack does, and no frameworks."""
        plan, lock = self.project.plan, read_fitting_lock(self.project)
        mirror = Mirror(root=self.kit)
        store = open_store(plan, mirror, find_spack(), RUN, None)
        store_install(plan, lock, mirror, store, Silent())

    def spack_install(self) -> None:
        """Their side: one command for each Spack environment."""
        power = strength()
        for lock in read_fitting_lock(self.project).spack:
            at_once = ("-j", str(power.jobs), "-p", str(power.packages))
            words = ("-e", str(self.plain / "spack" / lock.name), "install", *at_once)
            scratch = self.work / "plain-spack"
            command = spack_command(find_spack(), words, scopes=None, scratch=scratch, directory=self.plain)
            succeed(RUN, command, "spack install failed")

    @property
    def plain(self) -> Path:
        """Where theirs is configured."""
        return self.work / "plain"

    def forget(self) -> None:
        """Nothing is built on our side."""
        files.remove(self.prefix)

    def forget_theirs(self) -> None:
        """Nothing is built on their side, and all is written that Spack reads."""
        files.remove(self.plain)
        files.write_tree(environment_tree(self.project.plan), self.plain)
        for lock in read_fitting_lock(self.project).spack:
            files.write(self.plain / "spack" / lock.name / "spack.lock", lock.text)
        mirrors = {"mirrors:": {"kit": {"url": (self.kit / "sources").as_uri()}}}
        tree = {"install_tree": {"root": str(self.plain / "store"), "padded_length": 128}}
        stage = {"build_stage:": [str(self.plain / "stage")], "checksum": True}
        for name, content in (("mirrors", mirrors), ("config", {"config": {**tree, **stage}})):
            files.write(self.plain / f"spack/config/{name}.yaml", yaml.safe_dump(content))


def main() -> None:
    """Prepare, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.building", description=__doc__)
    parser.add_argument("sources", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stackgen-benchmark-") as scratch:
        bench = prepared(Path(scratch), asked.sources.absolute())
        for row in rows(bench, asked.rounds):
            print(table([row]), flush=True)


def prepared(work: Path, sources: Path) -> Bench:
    """The environment with a lock and a complete kit."""
    text = (ENVIRONMENTS / "proof.yaml").read_text(encoding="utf-8")
    files.write(work / "proof.yaml", text.replace("prefix: ~/hpai-proof", f"prefix: {work}/hpai"))
    shutil.copytree(ENVIRONMENTS / "systems", work / "systems")
    ours("lock", str(work / "proof.yaml"))
    bench = Bench(work=work, project=open_project(work / "proof.yaml"))
    ours("mirror", "create", str(work / "proof.yaml"), "-d", str(bench.kit), "--from", str(sources))
    return bench


def rows(bench: Bench, rounds: int) -> Iterator[Row]:
    """What was promised."""
    yield from install(bench, rounds)
    yield from no_op(bench, 5 * rounds)
    yield executor(bench, 5 * rounds)


def install(bench: Bench, rounds: int) -> Iterator[Row]:
    """All of it, from nothing: what Spack does, and with what we do to make frameworks and modules of it."""
    alone, whole, theirs = medians(
        (
            Side(name="install", before=bench.forget, action=bench.install),
            Side(name="build", before=bench.forget, action=lambda: bench.build("--until", "build")),
            Side(name="spack", before=bench.forget_theirs, action=bench.spack_install),
        ),
        rounds,
    )
    for title, ours in (("Spack's part of a build", alone), ("build --until build", whole)):
        met, goal = ours <= 1.05 * theirs, "at most 1.05 x"
        yield Row(title=f"{title} / spack install", ours=ours, theirs=theirs, goal=goal, met=met)


def no_op(bench: Bench, rounds: int) -> Iterator[Row]:
    """Nothing to do: for a release that is published, and for one that is new but needs nothing built."""
    bench.build()
    bench.spack_install()
    for title, words in (("build, published", ()), ("build --until build, all built", ("--until", "build"))):
        ours, theirs = medians(
            (
                Side(name="build", action=partial(bench.build, *words)),
                Side(name="spack", action=bench.spack_install),
            ),
            rounds,
        )
        met, goal = ours <= theirs and ours < 1, "at most 1 x, under 1 s"
        yield Row(title=f"{title} / spack install", ours=ours, theirs=theirs, goal=goal, met=met)


def executor(bench: Bench, rounds: int) -> Row:
    """What an executor costs where nothing is to be done: no job is started, and Slurm need not be there."""
    on_nodes, here = medians(
        (
            Side(name="executor", action=partial(bench.build, "--executor", "slurm")),
            Side(name="build", action=bench.build),
        ),
        rounds,
    )
    title = "build --executor slurm, published / build, published"
    return Row(title=title, ours=on_nodes, theirs=here, goal="under 1 s", met=on_nodes < 1)


def ours(*words: str) -> None:
    """Run stackgen to its successful end."""
    ran(sys.executable, "-m", "stackgen", *words)


def ran(*words: str, directory: Path = Path.cwd()) -> None:  # noqa: B008 - it stays the same
    """Run a program to its successful end."""
    succeed(RUN, Command(argv=words, environment=os.environ, directory=directory), f"{words[0]} failed")


main()
