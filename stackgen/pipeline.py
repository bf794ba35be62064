"""The stages in their order; each can also be run alone, from what the one before left on disk."""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from stackgen import files
from stackgen import publish as publication
from stackgen.build import build, unbuildable
from stackgen.config import Loaded, load
from stackgen.errors import InputError, WorkError
from stackgen.lock import Lock, changes, lock_tree, read_lock
from stackgen.mirror import Mirror, mirror, missing
from stackgen.modules import module_tree
from stackgen.plan import Plan, plan
from stackgen.progress import Progress
from stackgen.publish import keep_report, place_of, published, refuse_other_content, stage, staged
from stackgen.release import Release, Report, installed, request
from stackgen.resolve import resolve
from stackgen.run import Runner
from stackgen.sandbox import Sandbox
from stackgen.site import load_site
from stackgen.smoke import site_scripts, smoke
from stackgen.tree import File, Tree


class Stage(StrEnum):
    """The stages of `stackgen build`, by the names that `--until` takes."""

    LOCK = "lock"
    MIRROR = "mirror"
    BUILD = "build"
    TEST = "test"
    PUBLISH = "publish"


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
    def lock_directory(self) -> Path:
        """Where the lock of the environment lies: beside its file."""
        return self.loaded.path.parent / f"{self.plan.environment}.lock"

    @property
    def prefix(self) -> Path:
        """The prefix as a path."""
        return Path(self.plan.prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """How `stackgen build` is to go about it; the defaults go the whole way."""

    mirror: Path | None = None
    """PREFIX/mirror where not named."""
    offline: bool = False
    sandbox: Sandbox | None = None
    """The best that this machine allows where not named."""
    until: Stage = Stage.PUBLISH


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How far a build went: the stage it ended with, and the release once there is one."""

    reached: Stage
    changed: bool
    release: Release | None = None


def open_project(path: Path, prefix: str | None = None) -> Project:
    """Read and plan an environment; InputError with every fault at its place."""
    loaded = load(path, prefix=prefix)
    try:
        return Project(loaded=loaded, plan=plan(loaded.environment, loaded.system))
    except InputError as error:
        raise loaded.located(error) from None


def lock_project(project: Project, tools: Tools) -> Lock:
    """Resolve an environment anew and put its lock beside it."""
    try:
        lock = resolve(project.plan, load_site(), tools.run, tools.progress)
    except InputError as error:
        raise project.loaded.located(error) from None
    files.replace_tree(lock_tree(lock), project.lock_directory, "pylock.*.toml")
    return lock


def read_fitting_lock(project: Project) -> Lock:
    """The lock on disk; InputError where it does not fit what the environment asks for now."""
    lock = read_lock(project.lock_directory)
    differences = changes(lock, project.plan)
    if differences:
        name = project.loaded.path.name
        raise InputError.of(
            f"{project.lock_directory} no longer fits {name}: {', '.join(differences)}",
            f"run `stackgen lock {project.loaded.path}`",
        )
    return lock


def collect(projects: tuple[Project, ...], directory: Path, tools: Tools) -> Mirror:
    """Bring every file of the environments' locks into a mirror."""
    locks = {project.plan.environment: read_fitting_lock(project) for project in projects}
    return mirror(locks, directory, load_site(), tools.run, tools.progress)


def build_project(project: Project, options: BuildOptions, tools: Tools) -> Result:
    """Go the whole way, or as far as `options.until`; what is done already is not done again."""
    faults = unbuildable(project.plan)
    if faults:
        raise project.loaded.located(InputError(*faults))
    lock = _lock_for_build(project, options, tools)
    if options.until == Stage.LOCK:
        return Result(reached=Stage.LOCK, changed=False)
    done = published(project.prefix, project.plan.release, request(project.plan, lock))
    if done and options.until == Stage.PUBLISH:
        return Result(reached=Stage.PUBLISH, changed=False, release=done)
    refuse_other_content(project.plan, lock)
    with files.exclusive(project.prefix, tools.progress):
        return _build_and_publish(project, lock, options, tools)


def _build_and_publish(project: Project, lock: Lock, options: BuildOptions, tools: Tools) -> Result:
    source = _mirror_for_build(project, lock, options, tools)
    if options.until == Stage.MIRROR:
        return Result(reached=Stage.MIRROR, changed=True)
    frameworks = build(project.plan, lock, source, tools.run, tools.progress, options.sandbox)
    tree = module_tree(project.plan, frameworks) | _inputs(project)
    stage(project.plan, lock, tree)
    if options.until == Stage.BUILD:
        return Result(reached=Stage.BUILD, changed=True)
    test_staged(project, tools)
    if options.until == Stage.TEST:
        return Result(reached=Stage.TEST, changed=True)
    return Result(
        reached=Stage.PUBLISH, changed=True, release=publication.publish(project.prefix, project.plan.release)
    )


def test_staged(project: Project, tools: Tools) -> Report:
    """Test the release that waits for publication; WorkError where a check fails."""
    directory = staged(project.prefix, project.plan.release)
    report = smoke(directory, project.plan, tools.run, tools.progress)
    keep_report(directory, report)
    _refuse_failures(report, f"it is not published; see {directory / 'report.json'}", tools)
    return report


def _refuse_failures(report: Report, remedy: str, tools: Tools) -> None:
    failed = [check for check in report.checks if not check.passed]
    for check in failed:
        tools.progress.say(f"failed: {check.framework}: {check.name}: {check.detail}")
    if failed:
        of = f"{len(failed)} of {len(report.checks)}"
        raise WorkError(f"{of} checks of release {report.release} failed", remedy)


def retest(project: Project, tools: Tools) -> Report:
    """Test again: the release that waits for publication, or else the published one of that name."""
    with files.exclusive(project.prefix, tools.progress):
        if staged(project.prefix, project.plan.release).is_dir():
            return test_staged(project, tools)
        release = place_of(project.prefix, project.plan.release)
        if not release.is_dir():
            raise InputError.of(
                f"there is no release {release.name} to test in {project.prefix}",
                f"run `stackgen build {project.loaded.path}`",
            )
        report = smoke(release, project.plan, tools.run, tools.progress)
        _refuse_failures(report, "`stackgen rollback` goes back to another release", tools)
        return report


def publish_staged(project: Project, tools: Tools) -> Result:
    """Publish what was built and has passed its tests."""
    with files.exclusive(project.prefix, tools.progress):
        release = publication.publish(project.prefix, project.plan.release)
    return Result(reached=Stage.PUBLISH, changed=True, release=release)


def roll_back(prefix: Path, release: str | None, tools: Tools) -> Release:
    """Make the release before the current one, or a named one, the current one."""
    with files.exclusive(prefix, tools.progress):
        return publication.rollback(prefix, release)


def generate(project: Project) -> Tree:
    """All the files that a build of the locked environment would generate."""
    return module_tree(project.plan, installed(project.plan, read_fitting_lock(project)))


def _inputs(project: Project) -> Tree:
    """What the site wrote, to be kept in the release: `environment/` and the scripts that test it."""
    read = project.loaded.files
    common = Path(os.path.commonpath([path.parent for path in read]))
    texts = {str(path.relative_to(common)): File(path.read_text(encoding="utf-8-sig")) for path in read}
    return Tree(texts).below("environment") | site_scripts(project.plan, project.loaded.path.parent)


def _lock_for_build(project: Project, options: BuildOptions, tools: Tools) -> Lock:
    if project.lock_directory.exists():
        return read_fitting_lock(project)
    if options.offline:
        raise InputError.of(
            f"{project.lock_directory} is not there, and --offline forbids to make it",
            f"run `stackgen lock {project.loaded.path}` where there is a network and carry it over",
        )
    return lock_project(project, tools)


def _mirror_for_build(project: Project, lock: Lock, options: BuildOptions, tools: Tools) -> Mirror:
    source = Mirror(root=options.mirror or project.prefix / "mirror")
    if missing(source, lock) and not options.offline:
        return mirror({project.plan.environment: lock}, source.root, load_site(), tools.run, tools.progress)
    return source
