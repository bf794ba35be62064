"""From a plan to its lock: exactly one file for each package that a framework needs on its system."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from packaging.tags import Tag, create_compatible_tags_selector
from packaging.utils import parse_wheel_filename

from stackgen.errors import Fault, InputError
from stackgen.lock import Lock, LockedFile, LockedPackage, WheelLock, inputs
from stackgen.plan import ContainerPlan, Plan, WheelsPlan
from stackgen.platforms import Target, taken_for_granted, wheel_tags
from stackgen.progress import Progress
from stackgen.run import Runner
from stackgen.site import Site
from stackgen.wheels import Offer, OfferedFile, Question, no_wheel, offers

_Choice = tuple[Offer, OfferedFile]


def resolve(
    plan: Plan, site: Site, run: Runner, progress: Progress, known: Mapping[str, WheelLock] | None = None
) -> Lock:
    """The lock of an environment for its system, which need not be this machine.

    Frameworks whose locks are `known` are not asked for. InputError names what cannot be had there, in all
    frameworks at once; WorkError is the network's.
    """
    progress.log(f"files come from {site.origin}")
    for note in site.notes:
        progress.log(note)
    locked = [*(known or {}).values()]
    faults: list[Fault] = []
    details: list[str] = []
    wanted: list[WheelsPlan | ContainerPlan] = [
        *plan.wheels,
        *(container for container in plan.containers if container.requirements),
    ]
    names = {lock.framework for lock in locked}
    wanted = [framework for framework in wanted if framework.name not in names]
    if not wanted:
        return _lock(plan, locked)
    with progress.task("resolving", len(wanted), unit="frameworks") as advance:
        for framework in sorted(wanted, key=lambda one: one.name):
            try:
                locked.append(_wheel_lock(plan, framework, site, run))
            except InputError as error:
                faults.extend(error.faults)
                details.append(error.details)
            advance(1)
    if faults:
        raise InputError(*faults, details="\n".join(filter(None, details)))
    return _lock(plan, locked)


def _lock(plan: Plan, locked: list[WheelLock]) -> Lock:
    wheels = tuple(sorted(locked, key=lambda lock: lock.framework))
    return Lock(environment=plan.environment, inputs=inputs(plan), wheels=wheels)


def _wheel_lock(plan: Plan, framework: WheelsPlan | ContainerPlan, site: Site, run: Runner) -> WheelLock:
    built = framework.sdists if isinstance(framework, WheelsPlan) else ()
    target = Target(platform=plan.platform, python=framework.python)
    where = f"frameworks.{framework.name}"
    question = Question(
        where=where,
        target=target,
        requirements=framework.requirements,
        sdists=frozenset(source.name for source in built),
    )
    tools = tuple(sorted({line for source in built for line in source.build_requires}))
    packages, build_packages = resolve_question(question, tools, site, run)
    return WheelLock(
        framework=framework.name, python=framework.python, packages=packages, build_packages=build_packages
    )


def resolve_question(
    question: Question, build_requires: tuple[str, ...], site: Site, run: Runner
) -> tuple[tuple[LockedPackage, ...], tuple[LockedPackage, ...]]:
    """The packages that meet requirements on a target, and what building their source distributions takes.

    Errors as those of `resolve`.
    """
    chosen = _chosen(question, site, run)
    if unused := question.sdists - {offer.package for offer, _ in chosen}:
        what = f"nothing needs {', '.join(sorted(unused))}"
        raise InputError.of(what, "take it out", where=f"{question.where}.sdists")
    build = Question(where=f"{question.where}.sdists", target=question.target, requirements=build_requires)
    return _measured(chosen, site), _measured(_chosen(build, site, run), site) if build_requires else ()


def _chosen(question: Question, site: Site, run: Runner) -> tuple[_Choice, ...]:
    """One file of each package: the best wheel for the target, or the source distribution where asked for."""
    select = create_compatible_tags_selector(wheel_tags(question.target))
    choices = []
    for offer in offers(question, site, run):
        wheels, sources = _sorted_files(offer.files)
        files = sources if offer.package in question.sdists else select(wheels)
        file = next(iter(files), None)
        if file is None:
            raise no_wheel(offer.package, question, _coarseness(question.target))
        choices.append((offer, file))
    return tuple(choices)


def _sorted_files(
    offered: tuple[OfferedFile, ...],
) -> tuple[list[tuple[OfferedFile, frozenset[Tag]]], list[OfferedFile]]:
    """The wheels with their tags, the latest builds first, and the source distributions."""
    sources = [file for file in offered if not file.name.endswith(".whl")]
    wheels = [(file, *parse_wheel_filename(file.name)[2:]) for file in offered if file not in sources]
    wheels.sort(key=lambda wheel: wheel[1], reverse=True)
    return [(file, tags) for file, _, tags in wheels], sources


def _coarseness(target: Target) -> str:
    glibc = taken_for_granted(target.platform)
    return f" (uv takes glibc {glibc} for granted there)" if glibc else ""


def _measured(choices: tuple[_Choice, ...], site: Site) -> tuple[LockedPackage, ...]:
    """The chosen files with their sizes, which uv does not tell."""
    from stackgen.download import AT_ONCE, Client  # noqa: PLC0415 - slow, and mostly not needed

    client = Client(site)

    def measure(file: OfferedFile) -> LockedFile:
        return client.measured(file.name, file.address, file.sha256)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        files = pool.map(measure, (file for _, file in choices))
        return tuple(
            LockedPackage(name=offer.package, version=offer.version, file=file)
            for (offer, _), file in zip(choices, files, strict=True)
        )
