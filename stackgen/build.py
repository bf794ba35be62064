"""Build, offline: a prefix for each framework, from a mirror alone, each complete or not there at all."""

import time
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from stackgen import files, interpreters, prefix
from stackgen.errors import Fault, InputError, WorkError
from stackgen.install import install
from stackgen.lock import Lock, LockedFile, WheelLock
from stackgen.mirror import Mirror, flaws
from stackgen.model import Feature
from stackgen.plan import ContainerPlan, FrameworkPlan, Plan, WheelsPlan
from stackgen.programs import patchelf_program, uv_program
from stackgen.progress import Progress, Silent
from stackgen.release import InstalledFramework, installed, is_whole, prefix_of
from stackgen.run import Runner
from stackgen.sandbox import Sandbox, choose
from stackgen.workshop import LEFT_OVER, Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A framework to be built."""

    lock: WheelLock
    version: str
    python: Path
    final: Path

    def __str__(self) -> str:
        return f"{self.lock.framework} {self.version}"


def build(  # noqa: PLR0913, PLR0917 - the stages share the order of their arguments
    plan: Plan, lock: Lock, mirror: Mirror, run: Runner, progress: Progress, sandbox: Sandbox | None
) -> tuple[InstalledFramework, ...]:
    """Build the frameworks that are not there, or not whole; the caller holds the environment's prefix.

    InputError where stackgen cannot build what is asked for, WorkError where this machine, the mirror or
    the sandbox does not allow it; both before anything is written.
    """
    faults = unbuildable(plan)
    if faults:
        raise InputError(*faults)
    places = {framework.name: framework for framework in installed(plan, lock)}
    absent = [framework for framework in plan.wheels if not is_whole(places[framework.name])]
    if absent:
        jobs = _jobs(plan, lock, absent)
        _require(mirror, {file for job in jobs for file in job.lock.files})
        kind = choose(sandbox, run)
        _clear(Path(plan.prefix) / "pythons", progress)
        for job in jobs:
            _make(job, mirror, kind, run, progress)
    return installed(plan, lock)


def unbuildable(plan: Plan) -> tuple[Fault, ...]:
    """What a plan asks for that stackgen can lock and describe, but not build yet."""
    return tuple(fault for framework in plan.frameworks for fault in _faults_of(framework))


def _faults_of(framework: FrameworkPlan) -> Iterator[Fault]:
    where = f"frameworks.{framework.name}"
    if isinstance(framework, ContainerPlan):
        what = f"{framework.name} is to come from a container, which stackgen cannot build yet"
        yield Fault(
            where=f"{where}.from", what=what, remedy="leave it out, or take it from wheels where it has any"
        )
    if not isinstance(framework, WheelsPlan):
        return
    for feature in framework.about.features:
        if feature in _REMEDIES:
            what = f"{framework.name} is to have the feature {feature}, which stackgen cannot build yet"
            yield Fault(where=f"{where}.features", what=what, remedy=_REMEDIES[feature])


_REMEDIES = {
    Feature.HOROVOD: "leave it out, and use what the framework itself has for several nodes",
    Feature.MPI4PY: "leave it out; users can build it on the system's MPI in a virtual environment on top",
    Feature.DDP: "leave it out; torch.distributed is in PyTorch itself",
}


def _jobs(plan: Plan, lock: Lock, frameworks: Iterable[WheelsPlan]) -> tuple[Job, ...]:
    interpreters.check_machine(plan.system)
    return tuple(
        Job(
            lock=locked,
            version=locked.version(framework.package),
            python=interpreters.find(framework.python, plan.system),
            final=prefix_of(plan, framework, locked),
        )
        for framework in frameworks
        for locked in (lock.wheel_lock(framework.name),)
    )


def _require(mirror: Mirror, wanted: Collection[LockedFile]) -> None:
    if not mirror.root.is_dir():
        raise WorkError(f"the mirror {mirror.root} is not there", _remedy(mirror))
    missing = sorted(file for file in wanted if not mirror.holds(file))
    if missing:
        names = ", ".join(f"{file.name} (sha256 {file.sha256})" for file in missing)
        raise WorkError(f"the mirror {mirror.root} lacks {names}", _remedy(mirror))


def _remedy(mirror: Mirror) -> str:
    command = f"stackgen mirror create ENV.yaml -d {mirror.root}"
    return f"make it whole with `{command}` where there is a network, or name another with --mirror"


def _clear(pythons: Path, progress: Progress) -> None:
    """Remove what killed builds have left; one that still has an orphan at work there goes next time."""
    for left_over in pythons.glob(LEFT_OVER):
        try:
            files.remove(left_over)
        except WorkError as error:
            progress.log(str(error))


def _make(job: Job, mirror: Mirror, sandbox: Sandbox, run: Runner, progress: Progress) -> None:
    began = time.monotonic()
    readable = (mirror.root, *_tools(), job.python.resolve().parents[1])
    workshop = Workshop.beside(job.final, run, sandbox, readable)
    title = f"building {job} with Python {job.lock.python} and {len(job.lock.packages)} packages"
    with progress.task(title, 0):
        _verify(mirror, job.lock)
        _make_in(workshop, job, mirror)
    progress.say(f"built {job} in {time.monotonic() - began:.0f} s: {job.final}")


def _make_in(workshop: Workshop, job: Job, mirror: Mirror) -> None:
    try:
        workshop.open()
        _fill(job, mirror, workshop)
        _set_aside(job.final, workshop)
        files.settle(workshop.prefix, job.final)
    except WorkError:
        _verify(mirror, job.lock)  # the cause, where the mirror vanishes under a build
        raise
    finally:
        files.remove(workshop.root)


def _set_aside(damaged: Path, workshop: Workshop) -> None:
    """Make room where a prefix is not whole; it goes with the workshop."""
    if damaged.exists():
        with files.reported(f"cannot replace {damaged}"):
            damaged.chmod(0o755)
            damaged.rename(workshop.root / "damaged")


def _tools() -> tuple[Path, ...]:
    return (uv_program().parent, patchelf_program().parent)


def _fill(job: Job, mirror: Mirror, workshop: Workshop) -> None:
    layout = interpreters.examine(job.python, workshop)
    prefix.lay(layout, workshop)
    with files.reported(f"cannot link {mirror.root}"):
        for file in job.lock.files:
            (workshop.wheels / file.name).symlink_to(mirror.path(file).resolve())
    with ThreadPoolExecutor(max_workers=1) as meanwhile:  # one large wheel keeps a single processor busy
        copied = meanwhile.submit(interpreters.copy, layout, workshop)
        install(job.lock, workshop)
        copied.result()
        prefix.finish(layout, workshop, _pip(job.lock, mirror))
        tidied = meanwhile.submit(_tidy, workshop)
        prefix.compile_bytecode(layout, workshop)
        tidied.result()
    workshop.flush()


def _tidy(workshop: Workshop) -> None:
    """Take away the cache, whose files are the installed ones under a second name, and flush what stays."""
    files.remove(workshop.cache)
    workshop.flush()


def _pip(lock: WheelLock, mirror: Mirror) -> Path | None:
    return next((mirror.path(package.file) for package in lock.packages if package.name == "pip"), None)


def _verify(mirror: Mirror, lock: WheelLock) -> None:
    """WorkError where the mirror is not, or no longer, what the lock names.

    uv could check too, but would then unpack each wheel as one stream: half as long again for TensorFlow.
    """
    _require(mirror, lock.files)
    found = flaws(mirror, lock.files, Silent())
    if found:
        names = ", ".join(f"{file.name} ({flaw.detail or flaw.kind})" for file, flaw in found.items())
        raise WorkError(
            f"the mirror {mirror.root} does not hold what the lock names: {names}", _remedy(mirror)
        )
