"""The builder that has nodes of Slurm do the work, several at once, and shows it as one."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock as Mutex

from stackgen import files
from stackgen.build import clear_left_overs
from stackgen.builders.ended import Ended, refuse_failed
from stackgen.builders.here import Means
from stackgen.builders.job import Came, Jobs
from stackgen.builders.part import Kind, Part
from stackgen.executor import Slurm, job_name
from stackgen.from_spack import Packages
from stackgen.from_wheels import require
from stackgen.lock import Lock
from stackgen.progress import Advance, Progress
from stackgen.project import Project, Tools
from stackgen.release import Report, installed, is_whole, request
from stackgen.store import Store, begin_together, common_locks, has_locks, is_installed, told_of, useful_nodes


class Shared:
    """A progress for many threads, one at a time."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._mutex = progress, Mutex()

    def say(self, line: str) -> None:
        """Tell the user one line."""
        with self._mutex:
            self._progress.say(line)

    def log(self, text: str) -> None:
        """Note a detail."""
        with self._mutex:
            self._progress.log(text)

    def now(self, text: str) -> None:
        """Show what is at work."""
        with self._mutex:
            self._progress.now(text)

    def task(self, title: str, total: int, *, unit: str = "files") -> AbstractContextManager[Advance]:
        """Show a task; only one thread has any."""
        return self._progress.task(title, total, unit=unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnNodes:
    """Nodes do it; what is shown is shown here."""

    project: Project
    lock: Lock
    means: Means
    jobs: Jobs

    @property
    def _progress(self) -> Progress:
        return self.jobs.progress

    def packages(self, store: Store) -> None:
        """Have the Spacks of several nodes install into one store, until nothing is left to be built."""
        if not is_installed(self.project.plan, self.lock):
            self.jobs.require()
        work = begin_together(self.project.plan, self.lock, self.means.mirror, store, self._progress)
        if work is None:
            return
        total = sum(not node.external for node in work.nodes.values())
        self._go_on(total - len(work.built), total, "packages")
        count = self._count(useful_nodes(work), store)
        parts = [self._part("packages", first=number == 0) for number in range(count)]
        told = told_of(work, self.lock, store, self._progress)
        ended = Ended(work=work, store=store, told=told, progress=self._progress)
        title = f"installing by Spack on {self._where(count)}"
        with self._progress.task(title, told.total, unit="packages") as advance, common_locks(store):
            for came in self._at_once(parts, count, ended.hearing(advance)):
                if ended.add(came):
                    self.jobs.cancel_waiting()
        ended.judge()

    def _count(self, useful: int, store: Store) -> int:
        """How many nodes are asked for: without locks, two Spacks would be in each other's way."""
        return (self.jobs.slurm.nodes or useful) if has_locks(store.root) else 1

    def frameworks(self, packages: Packages) -> None:
        """Have each framework built by a job of its own; `packages` are found by the nodes themselves."""
        plan, progress = self.project.plan, self._progress
        every = installed(plan, self.lock)
        missing = [one for one in every if not is_whole(one)]
        absent = [one.name for one in missing]
        if not absent:
            return
        self.jobs.require()
        locks = (one for one in self.lock.wheels if one.framework in absent)
        require(self.means.mirror, {file for one in locks for file in one.files})
        clear_left_overs(plan, progress)
        self._go_on(len(every) - len(absent), len(every), "frameworks")
        # What an image is packed from has to be there.
        for names in ([one.name for one in missing if bool(one.image) is packed] for packed in (False, True)):
            self._build(names)

    def _build(self, names: list[str]) -> None:
        """Have each of these frameworks built by a job of its own; WorkError names what failed."""
        if not names:
            return
        count = min(self.jobs.slurm.nodes or len(names), len(names))
        failed = []
        title = f"building on {self._where(count)}"
        with self._progress.task(title, len(names), unit="frameworks") as advance:
            for came in self._at_once([self._part("framework", name) for name in names], count):
                if came.error:
                    failed.append(came)
                else:
                    advance(1)
        refuse_failed(failed, len(names))

    def test(self, directory: Path) -> Report:
        """Have a node test a release: this machine's processor may not be one that it is for."""
        self.jobs.require()
        self._progress.say(f"testing on {self._where(1)}")
        came = self.jobs.do(self._part("test", str(directory)))
        if error := came.failure():
            raise error
        self.jobs.done()
        return Report.model_validate(came.result)

    def _part(self, kind: Kind, name: str = "", *, first: bool = True) -> Part:
        prefix, means = self.project.prefix, self.means
        return Part(
            kind=kind,
            name=name,
            first=first,
            file=str(self.project.file.absolute()),
            prefix=str(prefix),
            holder=files.holder(prefix),
            request=request(self.project.plan, self.lock),
            mirror="" if kind == "test" else str(means.mirror.root),
            sandbox=means.sandbox,
            cache=str(means.cache or ""),
            scratch=str(means.scratch or ""),
            jobs=means.jobs,
        )

    def _at_once(
        self, parts: Iterable[Part], count: int, spack: Callable[[str, str], None] = lambda _, __: None
    ) -> Iterator[Came]:
        """Have so many nodes at once do these parts, and give what each came to, the first first."""
        pool = ThreadPoolExecutor(max_workers=count)
        try:
            for begun in as_completed([pool.submit(self.jobs.do, part, spack) for part in parts]):
                yield begun.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _where(self, count: int) -> str:
        nodes = "a node" if count == 1 else f"{count} nodes"
        return f"{nodes} of {self.jobs.slurm} (jobs {self.jobs.name})"

    def _go_on(self, there: int, total: int, unit: str) -> None:
        if there:
            self._progress.say(f"going on: {there} of {total} {unit} are there")


def on_nodes(project: Project, lock: Lock, means: Means, slurm: Slurm, tools: Tools) -> OnNodes:
    """The builder for an environment whose prefix the caller holds; nothing is asked of Slurm yet."""
    jobs = jobs_of(project, tools, slurm)
    return OnNodes(project=project, lock=lock, means=means, jobs=jobs)


def jobs_of(project: Project, tools: Tools, slurm: Slurm) -> Jobs:
    """The jobs of an environment's builds."""
    return Jobs(
        slurm=slurm,
        name=job_name(project.plan.environment),
        prefix=project.prefix,
        run=tools.run,
        progress=Shared(tools.progress),
    )
