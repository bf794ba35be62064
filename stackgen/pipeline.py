"""The stages in their order; each can also be run alone, from what the one before left on disk."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import assert_never

from stackgen import files
from stackgen import publish as releases
from stackgen.build import refuse_damaged_base, require_wheels
from stackgen.builders import Builder, Here, Means, jobs_of, on_nodes, open_the_store, packages_of
from stackgen.charliecloud import refuse_unready
from stackgen.containers import container_tree
from stackgen.delivered import contents_tree
from stackgen.describe import hierarchy
from stackgen.errors import InputError, WorkError
from stackgen.executor import Executor, Local, Slurm
from stackgen.footing import guarded
from stackgen.from_spack import Packages
from stackgen.inventory import Makers
from stackgen.kit import make_kit
from stackgen.lock import Lock
from stackgen.mirror import Demand, Mirror, check_signature, flaws, mirror, prune, refuse_unsigned, sign, take
from stackgen.mirror.layout import ENVIRONMENTS
from stackgen.mirror.manifest import NAME as MANIFEST
from stackgen.mirror.manifest import SIGNATURE
from stackgen.oci import Origins
from stackgen.ondemand import ondemand_notes
from stackgen.progress import Progress
from stackgen.project import Project, Tools, generate, lock_project, read_fitting_lock
from stackgen.recipe_licenses import spack_licenses
from stackgen.release import Release, Report, installed, read_release, request
from stackgen.sandbox import Sandbox
from stackgen.site import load_site
from stackgen.standing import tell_site
from stackgen.store import is_installed, mirrors_below, remainder, unfit
from stackgen.tree import Tree


class Stage(StrEnum):
    """The stages of `stackgen build`, by the names that `--until` takes."""

    LOCK = "lock"
    MIRROR = "mirror"
    BUILD = "build"
    TEST = "test"
    PUBLISH = "publish"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """How `stackgen build` is to go about it; the defaults go the whole way."""

    mirror: Path | None = None
    """Where not named, PREFIX/mirror; offline, the kit that the environment's file lies in."""
    offline: bool = False
    signature: Demand = field(default_factory=Demand)
    """What is asked of the mirror's signature."""
    sandbox: Sandbox | None = None
    """The best that this machine allows where not named."""
    until: Stage = Stage.PUBLISH
    cache: Path | None = None
    """The build cache of packages built from source; none where not named."""
    scratch: Path | None = None
    """Where Spack compiles; below the prefix where not named."""
    jobs: int = 0
    """Compilers at once; as many as the machine serves where 0."""
    executor: Executor = field(default_factory=Local)
    """Where it is built and tested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How far a build went: the stage it ended with, and the release once there is one."""

    reached: Stage
    release: Release | None = None
    switched: bool = False
    """Whether `current` has moved."""


def collect(  # noqa: PLR0913 - the options of a command
    projects: tuple[Project, ...],
    directory: Path,
    tools: Tools,
    key: str | None = None,
    given: tuple[Path, ...] = (),
    *,
    pruned: bool = False,
) -> Mirror:
    """Bring every file of the environments' locks into a mirror, and all that the far side needs beside.

    Files are taken from the `given` directories where they lie there; what no environment of the mirror
    needs is removed where it is to be `pruned`. `key` is that of the user's keys to sign it with. A
    signature of what it was before is removed.
    """
    locked: dict[str, tuple[Project, Lock]] = {}
    for project in projects:
        if project.plan.environment in locked:
            raise InputError.of(
                f"two of these files are the environment {project.plan.environment}",
                "give one another `name:`",
            )
        locked[project.plan.environment] = project, read_fitting_lock(project)
    signed = (directory / SIGNATURE).exists()
    try:
        made = make_kit(locked, directory, load_site(), tools, given)
        if pruned:
            prune(directory, (), tools.progress)
        if key:
            sign(made.root, key, tools.run, tools.progress)
    finally:
        if signed and not (directory / SIGNATURE).exists():
            tools.progress.say(
                f"note: {directory} has changed, and is signed no longer; `--sign KEY` signs it"
            )
    return made


def build_project(project: Project, options: BuildOptions, tools: Tools) -> Result:
    """Go the whole way, or as far as `options.until`; what is done already is not done again."""
    with project.placed():
        if faults := unfit(project.plan):
            raise InputError(*faults)
    lock = _lock(project, options, tools)
    if options.until == Stage.LOCK:
        return Result(reached=Stage.LOCK)
    tree = generate(project, lock)
    if done := _published(project, lock, options):
        tell_site(project.plan)  # its register may have been opened since
        return done
    for note in ondemand_notes(project.plan, installed(project.plan, lock)):
        tools.progress.say(f"note: {note}")
    with files.exclusive(project.prefix, tools.progress):
        # Whoever held the prefix until now may have done all of it.
        return _published(project, lock, options) or _build(project, lock, tree, options, tools)


def _published(project: Project, lock: Lock, options: BuildOptions) -> Result | None:
    """The result where nothing is to be done; InputError where the release's name is taken."""
    releases.refuse_other_content(project.plan, lock)
    if options.until != Stage.PUBLISH or not is_installed(project.plan, lock):
        return None
    done = releases.published(project.prefix, project.plan.release, request(project.plan, lock))
    return Result(reached=Stage.PUBLISH, release=done) if done else None


def _build(project: Project, lock: Lock, tree: Tree, options: BuildOptions, tools: Tools) -> Result:
    tell_site(project.plan)  # that what it is built upon stays meanwhile
    refuse_damaged_base(project.plan, lock)
    source = _mirror(project, lock, options, tools)
    _check_signature(project, source, options, tools)
    if options.until == Stage.MIRROR:
        return Result(reached=Stage.MIRROR)
    if isinstance(options.executor, Local):
        refuse_unready(project.plan, lock, tools.run, to_start=options.until != Stage.BUILD)
    means = _means(source, options)
    builder = _builder(project, lock, means, options.executor, tools)
    packages = Packages()
    if lock.spack:
        here = isinstance(options.executor, Local)
        require_wheels(project.plan, lock, source, here=here)
        # Where nodes compile is a place of theirs.
        store = open_the_store(project.plan, means if here else replace(means, scratch=None), tools)
        builder.packages(store)
        packages = packages_of(lock, store, tools)
        tree |= hierarchy(project.plan, lock, store, tools.progress)
    builder.frameworks(packages)
    tree |= container_tree(project.plan, lock, packages.prefixes)
    licenses = spack_licenses(lock.spack, packages.prefixes)
    tree |= contents_tree(installed(project.plan, lock), licenses)
    directory = releases.stage(project.plan, lock, guarded(project.plan, tree))
    if options.until == Stage.BUILD:
        return Result(reached=Stage.BUILD)
    refuse_failures(project, _test_staged(builder, directory), tools.progress)
    if options.until == Stage.TEST:
        return Result(reached=Stage.TEST)
    release = releases.publish(project.prefix, project.plan.release, _spider(tools))
    _tell_site(project, tools)
    return Result(reached=Stage.PUBLISH, release=release, switched=True)


def _tell_site(project: Project, tools: Tools) -> None:
    """Say to whom a stack of one's own stands on that it does, so that it is kept."""
    below = project.plan.extends
    if below and not tell_site(project.plan):
        tools.progress.say(
            f"note: {below.prefix} has no register for you: ask its admin to keep release {below.release}, by"
            f" `stackgen gc {below.prefix} --pin {below.release}`"
        )


def _means(source: Mirror, options: BuildOptions) -> Means:
    return Means(
        mirror=source,
        sandbox=options.sandbox,
        cache=options.cache,
        scratch=options.scratch,
        jobs=options.jobs,
    )


def _builder(project: Project, lock: Lock, means: Means, executor: Executor, tools: Tools) -> Builder:
    match executor:
        case Local():
            jobs_of(project, tools, Slurm()).leave()
            return Here(plan=project.plan, lock=lock, means=means, tools=tools)
        case Slurm():
            return on_nodes(project, lock, means, executor, tools)
        case _:
            assert_never(executor)


def _check_signature(project: Project, source: Mirror, options: BuildOptions, tools: Tools) -> None:
    """WorkError where the mirror is not signed as demanded, or the environment is not what was signed."""
    if check_signature(source.root, options.signature, tools.run, tools.progress):
        scripts = (framework.about.site_verify for framework in project.plan.frameworks)
        written = (
            *project.loaded.files,
            *(project.file.parent / script for script in scripts if script),
            *(path for path in project.lock_directory.rglob("*") if path.is_file()),
        )
        refuse_unsigned(source.root, written)


def _lock(project: Project, options: BuildOptions, tools: Tools) -> Lock:
    if project.is_locked:
        newer = "`stackgen lock --upgrade` looks for newer versions"
        lock = read_fitting_lock(project)
        tools.progress.say(f"using {project.lock_directory}; {newer}")
        return lock
    if options.offline:
        raise InputError.of(
            f"{project.lock_directory} is not there, and --offline forbids to make it",
            f"run `stackgen lock {project.file}` where there is a network and carry it over",
        )
    return lock_project(project, tools)


def _usual_mirror(project: Project, options: BuildOptions) -> Path:
    around = project.file.absolute().parent.parent
    is_kit = (around / MANIFEST).is_file() and project.file.absolute().parent.name == ENVIRONMENTS
    return around if options.offline and is_kit else project.prefix / "mirror"


def _mirror(project: Project, lock: Lock, options: BuildOptions, tools: Tools) -> Mirror:
    source = Mirror(root=options.mirror or _usual_mirror(project, options))
    lock, given = remainder(project.plan, lock), mirrors_below(project.plan)
    if options.offline and not given:
        return source
    locks = {project.plan.environment: lock}
    if source.lacks(lock) or flaws(source, lock.files, tools.progress):
        site, directory = load_site(), project.file.parent
        if options.offline:
            return take(locks, source.root, site, tools.run, tools.progress, given)
        makers = Makers(locked=((project.plan, lock),), run=tools.run)
        origins = Origins(
            locked=((project.plan, lock, directory),), site=site, run=tools.run, progress=tools.progress
        )
        return mirror(
            locks, source.root, site, tools.run, tools.progress, upstream=makers, images=origins, given=given
        )
    return source


def test_release(project: Project, tools: Tools, executor: Executor) -> Report:
    """Test the release that waits for publication, or else the published one of that name."""
    waiting = releases.staged(project.prefix, project.plan.release)
    directory = _release_directory(project, "test")
    with files.exclusive(project.prefix, tools.progress):
        means = Means(mirror=Mirror(root=project.prefix / "mirror"))
        builder = _builder(project, read_fitting_lock(project), means, executor, tools)
        return _test_staged(builder, directory) if directory == waiting else builder.test(directory)


def _test_staged(builder: Builder, directory: Path) -> Report:
    report = builder.test(directory)
    releases.keep_report(directory, report)
    return report


def refuse_failures(project: Project, report: Report, progress: Progress) -> None:
    """WorkError where a check failed, each of them told."""
    failed = [check for check in report.checks if not check.passed]
    for check in failed:
        progress.say(f"failed: {check.framework}: {check.name}: {check.detail}")
    if failed:
        of = f"{len(failed)} of {len(report.checks)}"
        raise WorkError(f"{of} checks of release {report.release} failed", _remedy(project))


def _remedy(project: Project) -> str:
    waiting = releases.staged(project.prefix, project.plan.release)
    if waiting.is_dir():
        return f"it is not published; see {waiting / 'report.json'}"
    return (
        "`stackgen rollback` goes to another release; where files were changed, remove their directory below "
        f"{project.prefix / 'pythons'} and run `stackgen build`"
    )


def publish_release(project: Project, tools: Tools) -> Result:
    """Publish what was built and has passed its tests."""
    _release_directory(project, "publish")
    with files.exclusive(project.prefix, tools.progress):
        before = releases.current_release(project.prefix)
        release = releases.publish(project.prefix, project.plan.release, _spider(tools))
        _tell_site(project, tools)
    return Result(reached=Stage.PUBLISH, release=release, switched=release != before)


def _release_directory(project: Project, verb: str) -> Path:
    """Where the release of an environment lies; InputError unless it is what the environment asks for now."""
    name, lock = project.plan.release, read_fitting_lock(project)
    for directory in (releases.staged(project.prefix, name), releases.place_of(project.prefix, name)):
        if directory.is_dir():
            if read_release(directory).request == request(project.plan, lock):
                return directory
            what = (
                f"release {name} was built from something else than {project.file.name} and its lock say now"
            )
            raise InputError.of(what, f"run `stackgen build {project.file}`")
    what = f"there is no release {name} to {verb} in {project.prefix}"
    raise InputError.of(what, f"run `stackgen build {project.file}`")


def roll_back(prefix: Path, release: str | None, tools: Tools) -> Release:
    """Make the release before the current one, or a named one, the current one."""
    if not (prefix / "releases").is_dir():
        raise InputError.of(f"nothing is published in {prefix}", "run `stackgen build` on an environment")
    with files.exclusive(prefix, tools.progress):
        return releases.rollback(prefix, release, _spider(tools))


def _spider(tools: Tools) -> releases.Spider | None:
    return releases.find_spider(tools.run, tools.progress)
