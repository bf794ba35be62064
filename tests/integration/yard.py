"""An environment of small frameworks and packages, locked without a network, and who builds it on nodes.

What is held is held up in its build until it is let go.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from cluster import Cluster
from desk import Desk
from quarry import BROKEN, SYSTEM, recipe, solved
from wheelhouse import PYTHON, Wheelhouse

from stackgen import files
from stackgen.environments.recipes import NAMESPACE
from stackgen.lock import Lock, SpackLock, WheelLock, inputs, lock_tree
from stackgen.progress import Silent
from stackgen.project import open_project
from stackgen.run import Command, LoggedRunner, Outcome, TimeLimitError
from stackgen.spack import SpackHome
from stackgen.tree import File, Tree

_FRAMEWORK = """\
import pathlib, time
while pathlib.Path({held!r}).exists():
    time.sleep(0.05)
RESULT = {name!r}
"""
_WAIT = """\
        import time
        while os.path.exists({held!r}):
            time.sleep(0.05)
"""
_PACKAGE = """\
        self.write("{name}.c", "int main(void) {{ return 0; }}\\n")
        Executable("cc")("-o", join_path(prefix.bin, "{name}"), "{name}.c")
"""


@dataclass(frozen=True)
class Yard:
    """A directory with an environment's file, its lock, its mirror and its prefix, and the cluster."""

    desk: Desk
    cluster: Cluster
    more: Mapping[str, str] = field(default_factory=dict)
    """What is in the environment of whoever builds besides."""

    @property
    def house(self) -> Wheelhouse:
        return Wheelhouse(self.desk.directory)

    @property
    def pythons(self) -> list[str]:
        """The frameworks that are there, without their digests."""
        found = (self.house.prefix / "pythons").glob("[!.]*")
        return sorted(path.name.rpartition("-")[0] for path in found)

    def hold(self, *names: str) -> None:
        """Hold these up when they are built."""
        for name in names:
            files.write(self._held(name), "")

    def let_go(self, *names: str) -> None:
        """Hold them up no longer."""
        for name in names:
            self._held(name).unlink()

    def ask(self, *frameworks: str) -> None:
        """Ask for frameworks."""
        self._write({"system": "this"}, frameworks, ())

    def ask_spack(self, spack: SpackHome, packages: dict[str, tuple[str, ...]], framework: str) -> None:
        """Ask for packages, each with those that it needs, and for a framework; `rubble` is broken."""
        self.desk.write("systems/here.yaml", yaml.safe_dump(SYSTEM))
        made: dict[str, File] = {}
        for name, needs in packages.items():
            work = BROKEN if name == "rubble" else _PACKAGE.format(name=name)
            made |= recipe(name, _WAIT.format(held=str(self._held(name))) + work, *needs)
        lock = solved(Tree(made), tuple(packages), spack, self.desk.directory / "solving").lock
        ours = Tree(made).below(f"spack/environments/repos/spack_repo/{NAMESPACE}/packages")
        files.write_tree(ours, self.house.prefix)
        asked = {"system": "here", "toolchain": {"compiler": "gcc@12.2.0"}, "packages": list(packages)}
        self._write(asked, (framework,), lock.spack)

    def _write(
        self, asked: dict[str, object], frameworks: tuple[str, ...], spack: tuple[SpackLock, ...]
    ) -> None:
        entries = {
            name: {"from": "wheels", "version": "newest", "python": PYTHON, "package": name}
            for name in frameworks
        }
        values = {"name": "yard", "release": "1", "prefix": str(self.house.prefix), "frameworks": entries}
        project = open_project(self.desk.write("yard.yaml", yaml.safe_dump(values | asked)))
        wheels = tuple(map(self._wheel_lock, sorted(frameworks)))
        lock = Lock(environment="yard", inputs=inputs(project.plan), wheels=wheels, spack=spack)
        files.write_tree(lock_tree(lock), project.lock_directory)

    def _wheel_lock(self, name: str) -> WheelLock:
        held = self.house.probe(_FRAMEWORK.format(name=name, held=str(self._held(name))))
        return self.house.lock(self.house.module(name, "1.0"), held)

    def _held(self, name: str) -> Path:
        return self.house.mirror.root / f"held-{name}"

    def at_work(self, package: str) -> str:
        """Wait until a node has a package in hand, and say which."""
        stages = self.house.prefix / "spack/stages"
        until = time.monotonic() + 300
        while time.monotonic() < until:
            for stage in stages.glob(f"*/**/spack-stage-{package}-*"):
                return stage.relative_to(stages).parts[0]
            time.sleep(0.05)
        raise AssertionError(f"nobody builds {package}")

    @property
    def environment(self) -> dict[str, str]:
        return {**self.desk.environment(), **self.cluster.environment, **self.more}

    def words(self, *more: str) -> tuple[str, ...]:
        """The command that builds it on nodes."""
        given = ("--mirror", str(self.house.mirror.root), "--offline", "--executor", "slurm:batch")
        return ("build", "yard.yaml", *given, *more)

    def stackgen(self, *words: str) -> Outcome:
        """Run `stackgen` on the login node; what it said, and what Slurm does, where it does not end."""
        told: list[str] = []
        command = Command(
            argv=(*_STACKGEN, *words),
            environment=self.environment,
            directory=self.desk.directory,
            timeout=300,
            heard=told.append,
            noticed=told.append,
        )
        try:
            return LoggedRunner(Silent())(command)
        except TimeLimitError as error:
            slurm = (self.cluster.run((program,)).stdout for program in ("squeue", "sinfo"))
            said = "\n".join((str(error), *told, *slurm))
            self._give_back()
            raise AssertionError(said) from None

    def build(self, *more: str) -> Outcome:
        """Build it on nodes."""
        return self.stackgen(*self.words(*more))

    @contextmanager
    def building(self, *more: str) -> Iterator["Building"]:
        """Build it on nodes, and look on."""
        with subprocess.Popen(
            (*_STACKGEN, *self.words(*more)),
            env=self.environment,
            cwd=self.desk.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            patience = threading.Timer(600, process.kill)
            patience.start()
            try:
                yield Building(process)
            except BaseException:
                self._give_back()
                raise
            finally:
                patience.cancel()
                process.kill()

    def _give_back(self) -> None:
        """End its jobs, which would keep the nodes from the tests that follow."""
        self.cluster.run(("scancel", "--name=stackgen-yard"))

    def jobs(self) -> dict[str, str]:
        """The numbers of the jobs of its builds, by the nodes that they run on."""
        words = ("squeue", "--noheader", "--name=stackgen-yard", "--format=%N %A")
        lines = self.cluster.run(words).stdout.splitlines()
        return dict(line.rsplit(" ", 1) for line in lines)

    def job_on(self, node: str) -> str:
        """The number of the job of a build that has told of a node; a busy controller lists it later."""
        for _ in range(300):
            if found := self.jobs().get(node):
                return found
            time.sleep(0.2)
        raise AssertionError(f"no job of a build runs on {node}")


class Building:
    """A build that is at work."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.lines: list[str] = []

    def until(self, *patterns: str) -> list[str]:
        """Wait until lines like these have been told, in whatever order; the first group of each."""
        found: dict[str, str] = {}
        assert self._process.stderr
        for line in self._process.stderr:
            self.lines.append(line.rstrip())
            found |= {
                pattern: said[1]
                for pattern in patterns
                if (said := re.search(pattern, line)) and pattern not in found
            }
            if len(found) == len(patterns):
                return [found[pattern] for pattern in patterns]
        raise AssertionError(self.lines)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self._process.pid, number)

    def end(self) -> int:
        """Wait until it has ended, and give its exit status."""
        assert self._process.stderr
        self.lines += [line.rstrip() for line in self._process.stderr]
        return self._process.wait()


_STACKGEN = (sys.executable, "-m", "stackgen")
