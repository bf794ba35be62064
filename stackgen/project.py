"""An environment file, read and planned, with the lock beside it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from stackgen import files
from stackgen.concretize import concretize
from stackgen.config import Loaded, load
from stackgen.distribution import lock_base
from stackgen.environments import environment_tree
from stackgen.errors import InputError
from stackgen.extending import known_wheels, record_tree
from stackgen.hierarchy import modules
from stackgen.jobs import check_tree, job_tree, launcher_tree
from stackgen.lock import Images, Lock, changes, lock_tree, read_lock
from stackgen.lock_faults import lock_faults
from stackgen.modules import module_tree, unknown_instead
from stackgen.notebooks import kernel_tree
from stackgen.oci import changed_contexts, lock_images
from stackgen.ondemand import ondemand_tree
from stackgen.plan import Distribution, Plan, plan
from stackgen.profiles import profile_tree
from stackgen.progress import Progress
from stackgen.recorded import recorded_tree
from stackgen.release import installed, shared_locks
from stackgen.resolve import resolve
from stackgen.run import Runner
from stackgen.site import Site, load_site
from stackgen.smoke import site_scripts
from stackgen.store import found_below
from stackgen.tree import File, Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What every stage works with: the starter of processes and the place to report to."""

    run: Runner
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """An environment file, read and planned."""

    loaded: Loaded
    plan: Plan

    @property
    def file(self) -> Path:
        """The environment's file."""
        return self.loaded.path

    @property
    def prefix(self) -> Path:
        """The prefix as a path."""
        return Path(self.plan.prefix)

    @property
    def lock_directory(self) -> Path:
        """Where the lock of the environment lies: beside its file."""
        return self.file.parent / f"{self.plan.environment}.lock"

    @property
    def is_locked(self) -> bool:
        """Whether there is a lock, fitting or not."""
        return (self.lock_directory / "lock.json").exists()

    @contextmanager
    def placed(self) -> Iterator[None]:
        """Give the faults that are found inside the block their places in the environment's file."""
        try:
            yield
        except InputError as error:
            raise self.loaded.located(error) from None


def open_project(path: Path, prefix: str | None = None, *, renewed: bool = False) -> Project:
    """Read and plan an environment; InputError with every fault at its place.

    One that extends a site's stack stands on the release that its lock names, a `renewed` one on the current.
    """
    loaded = load(path, prefix=prefix, renewed=renewed)
    try:
        planned = plan(loaded.environment, loaded.system, loaded.underlying)
        return Project(loaded=loaded, plan=planned)
    except InputError as error:
        raise loaded.located(error) from None


def fitting_lock(project: Project) -> Lock | None:
    """The lock on disk where there is one that fits; one that does not, or is damaged, is to be made anew."""
    try:
        return read_fitting_lock(project)
    except InputError:
        return None


def lock_project(project: Project, tools: Tools) -> Lock:
    """Resolve an environment anew and put its lock beside it, all of it or nothing.

    What Spack has solved by then is remembered, also where the rest fails.
    """
    plan = project.plan
    _refuse_namesake(project)
    with project.placed():
        site = load_site()
        wheels = resolve(plan, site, tools.run, tools.progress, known_wheels(plan))
        images = _images(project, site, tools)
        lock = replace(wheels, spack=concretize(plan, tools.run, tools.progress), images=images)
        if faults := (*lock_faults(plan, lock), *unknown_instead(plan, installed(plan, lock))):
            raise InputError(*faults)
        _refuse_unloadable(plan, lock)
    files.replace_tree(lock_tree(lock), project.lock_directory)
    return lock


def _images(project: Project, site: Site, tools: Tools) -> Images:
    """What the images of an environment are made from; nothing where it has none."""
    plan = project.plan
    if not plan.containers:
        return Images()
    known = _known_images(project)
    images = lock_images(plan, project.file.parent, site, tools.run, tools.progress, known=known)
    if not isinstance(plan.base, Distribution):
        return images
    base = plan.base
    packages = lock_base(base, base.packages, plan.platform.architecture, site, tools.run)
    return replace(images, base=packages)


def _known_images(project: Project) -> Images:
    """The images of the lock on disk, fitting or not; none where it cannot be read."""
    try:
        return read_lock(project.lock_directory).images
    except InputError:
        return Images()


def _refuse_unloadable(plan: Plan, lock: Lock) -> None:
    """InputError where what Spack is to build cannot become modules: now, and not when it is built."""
    modules(plan, shared_locks(lock))


def _refuse_namesake(project: Project) -> None:
    """InputError where another file beside is the environment of this name: both would have one lock."""
    name, other = project.plan.environment, project.file.with_name(f"{project.plan.environment}.yaml")
    if other.exists() and not other.samefile(project.file) and _name_in(other) == name:
        what = f"{other.name} is the environment {name} already, and {name}.lock is its lock"
        error = InputError.of(what, "give this one another name", where="name")
        raise project.loaded.located(error)


def _name_in(path: Path) -> str:
    """The name of the environment in a file; empty where it is none that can be read."""
    try:
        return load(path).environment.name
    except InputError:
        return ""


def read_fitting_lock(project: Project) -> Lock:
    """The lock on disk; InputError where it does not fit what the environment asks for now."""
    lock = read_lock(project.lock_directory)
    if lock.environment != project.plan.environment:
        raise InputError.of(
            f"{project.lock_directory} is the lock of the environment {lock.environment}",
            f"run `stackgen lock {project.file}`",
        )
    beside = project.file.parent
    differences = changes(lock, project.plan) or changed_contexts(project.plan, lock.images, beside)
    if differences:
        raise InputError.of(
            f"{project.lock_directory} no longer fits {project.file.name}: {', '.join(differences)}",
            f"run `stackgen lock {project.file}` where there is a network",
        )
    return lock


def generate_unlocked(project: Project) -> Tree:
    """The files that need no lock: what Spack is given, or nothing where Spack is not needed."""
    with project.placed():
        return environment_tree(project.plan)


def generate(project: Project, lock: Lock) -> Tree:
    """All the files that a release of the locked environment has beside what depends on its packages."""
    with project.placed():
        _refuse_unloadable(project.plan, lock)
        scripts = site_scripts(project.plan, project.file.parent)
        frameworks = installed(project.plan, lock)
        for_users = module_tree(project.plan, frameworks) | launcher_tree(project.plan, frameworks)
        for_users |= profile_tree(project.plan)
        jobs = job_tree(project.plan, frameworks) | check_tree()
        notebooks = kernel_tree(project.plan, frameworks) | ondemand_tree(project.plan, frameworks)
        recorded = recorded_tree(project.loaded, project.plan, lock)
        recorded |= record_tree(project.plan, lock, found_below(project.plan, lock))
        return for_users | jobs | notebooks | recorded | scripts | _written(project)


def _written(project: Project) -> Tree:
    """What the site wrote, to be kept in the release below `environment/`."""
    read = [path.resolve() for path in project.loaded.files]
    common = Path(os.path.commonpath([path.parent for path in read]))
    with files.reported("cannot read the environment's files again"):
        texts = {str(path.relative_to(common)): path.read_text(encoding="utf-8-sig") for path in read}
    return Tree({path: File(text) for path, text in texts.items()}).below("environment")
