"""On a node: do a part of a build, and tell of it in lines of JSON."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock as Mutex

from stackgen import files
from stackgen.build import build
from stackgen.builders.here import Means, open_the_store, packages_of
from stackgen.builders.part import Part
from stackgen.errors import WorkError
from stackgen.from_spack import Packages
from stackgen.lock import Json, Lock
from stackgen.mirror import Mirror
from stackgen.plan import Plan
from stackgen.progress import Advance
from stackgen.project import Project, Tools, open_project, read_fitting_lock
from stackgen.release import request
from stackgen.smoke import smoke
from stackgen.store import has_common_locks, install_beside_others

_PATIENCE = 60.0
"""Seconds until a file system that is shared has to show what was written just before."""


class Lines:
    """A progress that tells whoever has started this process, a line of JSON each."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write, self._mutex = write, Mutex()

    def tell(self, **what: Json) -> None:
        """Tell one thing."""
        with self._mutex:
            self._write(json.dumps(what, separators=(",", ":")))

    def say(self, line: str) -> None:
        """Tell a line for the user."""
        self.tell(say=line)

    def log(self, text: str) -> None:
        """Tell a detail for the log."""
        self.tell(log=text)

    def now(self, text: str) -> None:
        """Tell what is at work."""
        self.tell(now=text)

    @contextmanager
    def task(self, title: str, total: int, *, unit: str = "files") -> Iterator[Advance]:
        """Tell the title alone: how far it is can be seen where all nodes are."""
        self.say(title)
        yield lambda _: None


def do(part: Part, lines: Lines, tools: Tools, environ: Mapping[str, str]) -> None:
    """Do a part, and tell what came of it; WorkError where it cannot be done on this node."""
    node = environ.get("SLURMD_NODENAME") or os.uname().nodename
    lines.tell(node=node, job=environ.get("SLURM_JOB_ID", ""))
    _refuse_another_prefix(Path(part.prefix), part.holder)
    project, lock = _opened(part)
    worker = _Worker(plan=project.plan, lock=lock, part=part, node=node, lines=lines, tools=tools)
    match part.kind:
        case "packages":
            lines.tell(done=worker.packages())
        case "framework":
            lines.tell(done=worker.framework())
        case "test":
            report = smoke(Path(part.name), project.plan, tools.run, lines)
            lines.tell(done=report.model_dump(mode="json"))


def _refuse_another_prefix(prefix: Path, holder: str) -> None:
    """WorkError where the prefix is another directory here: each machine may have one of this name.

    A network's file system may show for a while what was there before.
    """
    until = time.monotonic() + _PATIENCE
    while (seen := files.holder(prefix)) != holder:
        if not seen or time.monotonic() > until:
            what = f"the prefix {prefix} is not the one that the build was started for"
            raise WorkError(what, "name one on a file system that all nodes share, by --prefix")
        time.sleep(1)


def _opened(part: Part) -> tuple[Project, Lock]:
    for path, what in ((part.file, "the environment's file"), (part.mirror, "the mirror")):
        if path and not Path(path).exists():
            raise WorkError(f"{what} {path} is not there", "put it on a file system that all nodes share")
    project = open_project(Path(part.file), part.prefix)
    lock = read_fitting_lock(project)
    if request(project.plan, lock) != part.request:
        what = f"{project.lock_directory} is not what the build was started for"
        raise WorkError(what, "run the same command again when the file system shows all nodes the same")
    return project, lock


@dataclass(frozen=True, slots=True, kw_only=True)
class _Worker:
    """This node, with all that its part needs."""

    plan: Plan
    lock: Lock
    part: Part
    node: str
    lines: Lines
    tools: Tools

    @property
    def means(self) -> Means:
        part = self.part
        return Means(
            mirror=Mirror(root=Path(part.mirror)),
            sandbox=part.sandbox,
            cache=Path(part.cache) if part.cache else None,
            scratch=Path(part.scratch) if part.scratch else None,
            jobs=part.jobs,
        )

    def packages(self) -> Json:
        """Install with all others at once; what Spack ended with."""
        store = replace(open_the_store(self.plan, self.means, self.tools), node=self.node)
        if not self.part.first and not has_common_locks(store):
            return {"alone": True}
        outcome = install_beside_others(
            self.plan, self.lock, store, lambda line: self.lines.tell(spack=line), self.part.jobs
        )
        return {"status": outcome.status, "stderr": outcome.stderr[-10_000:]}

    def framework(self) -> Json:
        """Build one framework."""
        wanted = tuple(one for one in self.plan.frameworks if one.name == self.part.name)
        plan, mirror = replace(self.plan, frameworks=wanted), self.means.mirror
        run, packages = self.tools.run, self._packages()
        jobs, sandbox, cache = self.part.jobs, self.means.sandbox, self.means.cache
        build(
            plan, self.lock, mirror, run, self.lines, sandbox, packages, alone=False, jobs=jobs, cache=cache
        )
        return {}

    def _packages(self) -> Packages:
        if not self.lock.spack:
            return Packages()
        means = replace(self.means, scratch=None)  # nothing is compiled
        return packages_of(self.lock, open_the_store(self.plan, means, self.tools), self.tools)
