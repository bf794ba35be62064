"""Build, offline: a prefix for each framework, from a mirror alone, each complete or not there at all."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stackgen import files, interpreters
from stackgen.errors import WorkError
from stackgen.from_source import SourceBuilds
from stackgen.from_spack import Packages, SpackJob
from stackgen.from_wheels import WheelsJob, require, require_intact
from stackgen.images import ImageJob, Origins, loader_here
from stackgen.lock import Lock
from stackgen.mirror import Mirror
from stackgen.model import Feature
from stackgen.native import native
from stackgen.plan import Plan, SpackPlan, WheelsPlan
from stackgen.programs import patchelf_program, uv_program
from stackgen.progress import Progress
from stackgen.release import InstalledFramework, closure_of, installed, is_whole, spack_python
from stackgen.run import Runner
from stackgen.sandbox import Sandbox, choose
from stackgen.store.cache import open_cache
from stackgen.store.strength import strength
from stackgen.wheel_cache import WheelCache
from stackgen.workshop import LEFT_OVER, Workshop

_TOLD = 3
"""Lacking files of images that are named; a base has a hundred."""


class Job(Protocol):
    """A framework to be built."""

    @property
    def final(self) -> Path:
        """Where its prefix will lie."""
        ...

    @property
    def title(self) -> str:
        """What the user is told."""
        ...

    @property
    def readable(self) -> tuple[Path, ...]:
        """What it is made from."""
        ...

    def verify(self) -> None:
        """WorkError where that is not what the lock names."""
        ...

    def fill(self, workshop: Workshop) -> str:
        """Make the prefix in an open workshop, and give what the user is to be told, or nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Make:
    """How packages are built from source here."""

    jobs: int
    cache: WheelCache


def build(  # noqa: PLR0913, PLR0917 - the stages share the order of their arguments
    plan: Plan,
    lock: Lock,
    mirror: Mirror,
    run: Runner,
    progress: Progress,
    sandbox: Sandbox | None,
    packages: Packages | None = None,
    *,
    alone: bool = True,
    jobs: int = 0,
    cache: Path | None = None,
) -> tuple[InstalledFramework, ...]:
    """Build the frameworks that are not there, or not whole; the caller holds the environment's prefix.

    Where it is not `alone`, others build there at once, and what they have begun is left as it is.
    `packages` are what Spack has installed before; `jobs` are compilers at once, as many as the machine
    serves where 0; wheels that are built here are kept in the `cache`, or else below the prefix.
    WorkError where this machine, the mirror or the sandbox does not allow it, before anything is written.
    """
    absent = [framework for framework in installed(plan, lock) if not is_whole(framework)]
    if absent:
        interpreters.check_machine(plan.system)
        make = _Make(jobs=jobs, cache=_wheel_cache(plan, cache, progress))
        found = packages or Packages()
        work = [
            _job(plan, lock, mirror, found, framework, make) for framework in absent if not framework.image
        ]
        require(mirror, {file for job in work if isinstance(job, WheelsJob) for file in job.lock.files})
        if any(framework.image for framework in absent):
            _require_images(mirror, lock)
        kind = choose(sandbox, run)
        if alone:
            clear_left_overs(plan, progress)
        below = (Path(plan.extends.prefix),) if plan.extends else ()
        for job in work:
            _make(job, kind, run, progress, below)
        # What is packed has to be there.
        for image in _images(plan, lock, mirror, found, [one for one in absent if one.image], run):
            image.make(kind, run, progress)
    return installed(plan, lock)


def refuse_damaged_base(plan: Plan, lock: Lock) -> None:
    """WorkError where something is not there that the release below has: that is not ours to make."""
    if plan.extends is None:
        return
    held = [one for one in installed(plan, lock) if plan.extends.holds(one.place)]
    if gone := [one.place for one in held if not is_whole(one)]:
        what = (
            f"release {plan.extends.release} of {plan.extends.prefix} is not whole: {', '.join(gone)} is gone"
        )
        raise WorkError(what, "ask its admin to build it again")


def _require_images(mirror: Mirror, lock: Lock) -> None:
    """WorkError where a mirror has not what images are made from: now, and not after all else is built."""
    missing = mirror.lacks(Lock(environment=lock.environment, inputs={}, images=lock.images))
    if missing:
        names = [f"{want.name} of {want.package} ({want.known_by})" for want in missing]
        more = f", and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
        raise WorkError(f"the mirror {mirror.root} lacks {', '.join(names[:_TOLD])}{more}", mirror.remedy)


def _images(  # noqa: PLR0913, PLR0917 - the stages share the order of their arguments
    plan: Plan,
    lock: Lock,
    mirror: Mirror,
    packages: Packages,
    absent: Sequence[InstalledFramework],
    run: Runner,
) -> Iterator[ImageJob]:
    if not absent:
        return
    origins = Origins(
        plan=plan, lock=lock, mirror=mirror, prefixes=packages.prefixes, loader=loader_here(run), run=run
    )
    for framework in absent:
        planned = next(one for one in plan.containers if one.name == framework.name)
        yield ImageJob(framework=framework, planned=planned, origins=origins)


def _wheel_cache(plan: Plan, directory: Path | None, progress: Progress) -> WheelCache:
    """In the build cache where one is named; below the prefix, another release need not build it again."""
    if directory is None:
        return WheelCache(directory=Path(plan.prefix) / "built", writable=True)
    opened = open_cache(directory, progress)
    return WheelCache(directory=opened.directory / "wheels", writable=opened.writable)


def require_wheels(plan: Plan, lock: Lock, mirror: Mirror, *, here: bool = True) -> None:
    """WorkError where this machine, if it is built here, or the mirror does not allow what is to be built.

    Before Spack starts, that is: otherwise it would be found out after hours.
    """
    absent = {framework.name for framework in installed(plan, lock) if not is_whole(framework)}
    wanted = {file for one in lock.wheels if one.framework in absent for file in one.files}
    if wanted:
        if here:
            interpreters.check_machine(plan.system)
        require_intact(mirror, wanted)


def _job(  # noqa: PLR0913, PLR0917 - the stages share the order of their arguments
    plan: Plan, lock: Lock, mirror: Mirror, packages: Packages, framework: InstalledFramework, make: _Make
) -> Job:
    planned = next(planned for planned in plan.frameworks if planned.name == framework.name)
    if isinstance(planned, SpackPlan):
        return SpackJob(
            name=framework.name,
            closure=closure_of(planned, lock),
            imports=planned.imports,
            final=Path(framework.prefix),
            mirror=mirror,
            packages=packages,
            solution=next(one for one in lock.spack if one.name == framework.name),
            ranks=Feature.DDP in planned.about.features,
        )
    assert isinstance(planned, WheelsPlan)
    return WheelsJob(
        lock=lock.wheel_lock(framework.name),
        version=framework.version,
        python=_python(plan, planned, lock, packages),
        final=Path(framework.prefix),
        mirror=mirror,
        built=_source_builds(plan, planned, lock, packages, make),
        ranks=Feature.DDP in planned.about.features,
    )


def _source_builds(
    plan: Plan, framework: WheelsPlan, lock: Lock, packages: Packages, make: _Make
) -> SourceBuilds | None:
    found = native(plan, framework, lock, packages.prefixes)
    if found is None:
        return None
    return SourceBuilds(
        native=found, lock=lock.wheel_lock(framework.name), jobs=strength(make.jobs).jobs, cache=make.cache
    )


def _python(plan: Plan, framework: WheelsPlan, lock: Lock, packages: Packages) -> Path:
    """The program of the interpreter that a framework from wheels gets a copy of."""
    if not framework.builds_python:
        return interpreters.find(framework.python, plan.system)
    program = packages.prefixes[spack_python(framework, lock)] / "bin" / f"python{framework.python}"
    if not program.exists():
        what = f"the Python {framework.python} that Spack builds is not in {program.parents[1]}"
        raise WorkError(what, "run `stackgen build` again, which installs it")
    return program


def clear_left_overs(plan: Plan, progress: Progress) -> None:
    """Remove what killed builds have left; one that still has an orphan at work there goes next time."""
    for area in ("pythons", "images"):
        for left_over in (Path(plan.prefix) / area).glob(LEFT_OVER):
            try:
                files.remove(left_over)
            except WorkError as error:
                progress.log(str(error))


def _make(job: Job, sandbox: Sandbox, run: Runner, progress: Progress, below: tuple[Path, ...] = ()) -> None:
    """Make a framework; `below` is what it may stand on and has not been made here."""
    began = time.monotonic()
    readable = (*job.readable, *below, uv_program().parent, patchelf_program().parent)
    workshop = Workshop.beside(job.final, run, sandbox, readable)
    with progress.task(job.title, 0):
        job.verify()
        told = _make_in(workshop, job)
    if told:
        progress.say(told)
    progress.say(f"built {job} in {time.monotonic() - began:.0f} s: {job.final}")


def _make_in(workshop: Workshop, job: Job) -> str:
    try:
        workshop.open()
        told = job.fill(workshop)
        _set_aside(job.final, workshop)
        files.settle(workshop.prefix, job.final)
    except WorkError:
        job.verify()  # the cause, where the mirror vanishes under a build
        raise
    else:
        return told
    finally:
        files.remove(workshop.root)


def _set_aside(damaged: Path, workshop: Workshop) -> None:
    """Make room where a prefix is not whole; it goes with the workshop."""
    if damaged.exists():
        with files.reported(f"cannot replace {damaged}"):
            damaged.chmod(0o755)
            damaged.rename(workshop.root / "damaged")
