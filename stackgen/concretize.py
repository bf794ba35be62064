"""Spack's share of a lock: every Spack environment solved for the system, each question only once."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from stackgen import files
from stackgen.environments import (
    FOR_WHEELS,
    SpackEnvironment,
    environment_tree,
    is_shared,
    python_environment,
    spack_environments,
)
from stackgen.errors import Fault, InputError, WorkError
from stackgen.extending import known_solution, reused
from stackgen.host import spoken
from stackgen.lock import (
    Json,
    LockedSource,
    SpackLock,
    digest,
    parse_sources,
    sources_text,
    spack_inputs,
)
from stackgen.model.specs import package_name
from stackgen.plan import Plan
from stackgen.plan.requests import capabilities
from stackgen.progress import Progress
from stackgen.run import Runner
from stackgen.spack.asking import Host, Spack, driver_digest
from stackgen.spack.driver import Refused, Solved, Source, check_specs, solve
from stackgen.spack.graph import problems
from stackgen.spack.home import find_spack
from stackgen.tree import File, Tree

_TOLD = 2
"""How many of Spack's reasons a user is shown: the further ones follow from the first."""

_Answer = Solved | Refused


def concretize(plan: Plan, run: Runner, progress: Progress) -> tuple[SpackLock, ...]:
    """The lock of every Spack environment that a plan needs, sorted by name.

    What was solved before is not solved again; what was solved when another has no solution is kept.
    InputError says which of the site's own lines collide, WorkError that Spack is not there.
    """
    environments = spack_environments(plan)
    locks = {one.name: known for one in environments if (known := known_solution(plan, one))}
    asked = [one for one in environments if one.name not in locks]
    locks |= {one.name: known for one in asked if (known := _recall(plan, one))}
    unsolved = [environment for environment in environments if environment.name not in locks]
    if unsolved:
        locks |= _solved(plan, unsolved, run, progress)
    return tuple(locks[name] for name in sorted(locks))


def _solved(
    plan: Plan, environments: list[SpackEnvironment], run: Runner, progress: Progress
) -> dict[str, SpackLock]:
    home, by_name = find_spack(), {environment.name: environment for environment in environments}
    locks: dict[str, SpackLock] = {}

    def heard(answer: _Answer) -> None:
        if isinstance(answer, Solved) and not _problems(plan, answer.lock_text):
            locks[answer.name] = _lock(answer)
            _remember(plan, by_name[answer.name], locks[answer.name])
        progress.say(_line(answer))
        advance(1)

    machine = spoken(plan.system.name)
    title = f"solving {', '.join(by_name)} for {machine}"
    with (
        tempfile.TemporaryDirectory(prefix="stackgen-solve-") as scratch,
        progress.task(title, len(by_name), unit="environments") as advance,
    ):
        files.write_tree(environment_tree(plan), Path(scratch) / "tree")
        directories = {name: Path(scratch) / "tree/spack" / name for name in by_name}
        spack = Spack(home=home, run=run, scratch=Path(scratch))
        if faults := check_specs(
            _written(plan), directories[environments[0].name], Host.of(plan.system), spack
        ):
            raise InputError(*faults)
        reused = _given(plan, Path(scratch) / "underlying")
        answers = solve(directories, Host.of(plan.system), spack, heard, reused=reused)
    _refuse(plan, answers)
    return locks


def _given(plan: Plan, directory: Path) -> tuple[Path, ...]:
    """The solutions that are taken wherever they do, as environments of Spack's."""
    locks = {one.name: one.text for one in reused(plan)}
    files.write_tree(
        Tree(
            {f"{name}/spack.lock": File(text) for name, text in locks.items()}
            | {f"{name}/spack.yaml": File("spack: {view: false}\n") for name in locks}
        ),
        directory,
    )
    return tuple(directory / name for name in locks)


def _lock(solved: Solved) -> SpackLock:
    sources = {locked_source(source) for source in solved.sources}
    return SpackLock(name=solved.name, text=solved.lock_text, sources=tuple(sorted(sources)))


def locked_source(source: Source) -> LockedSource:
    """What a lock says of a source: all but its addresses."""
    return LockedSource(
        package=source.package,
        version=source.version,
        kind=source.kind,
        name=source.file or source.name,
        sha256=source.sha256,
        commit=source.commit,
        path=source.path,
        manual=source.manual,
    )


def _written(plan: Plan) -> dict[str, str]:
    """The specs that the site wrote, by the key paths of its file."""
    return {
        **{f"toolchain.{part}": spec for part, spec in plan.toolchain},
        **{f"toolchain.other-mpis[{number}]": spec for number, spec in enumerate(plan.other_mpis)},
        **{f"packages[{number}]": spec for number, spec in enumerate(plan.packages)},
        **{f"frameworks.{framework.name}.spec": framework.spec for framework in plan.spack},
        **{
            f"frameworks.{framework.name}.requires.{package_name(spec)}": spec
            for framework in plan.spack
            for spec in framework.features
        },
    }


def _line(answer: _Answer) -> str:
    match answer:
        case Solved():
            return (
                f"solved {answer.name}: {answer.specs} specs, {answer.nodes} nodes in {answer.seconds:.0f} s"
            )
        case Refused():
            return f"{answer.name} has no solution"


def _problems(plan: Plan, lock_text: str) -> tuple[str, ...]:
    return problems(lock_text, Host.of(plan.system), capabilities(plan.system))


def _refuse(plan: Plan, answers: Iterable[_Answer]) -> None:
    """InputError with what is wrong in every environment that is not solved, or not as it was to be."""
    faults: list[Fault] = []
    details: list[str] = []
    for answer in answers:
        where = _where(plan, answer.name)
        match answer:
            case Solved():
                faults += [Fault(where=where, what=what) for what in _problems(plan, answer.lock_text)]
            case Refused():
                faults += _no_solution(where, answer)
                details.append(f"{answer.name}:\n{answer.details}")
    if faults:
        raise InputError(*faults, details="\n\n".join(details))


def _where(plan: Plan, environment: str) -> str:
    """The place in the site's file that a Spack environment is there for."""
    if is_shared(environment):
        return "packages"
    if environment == FOR_WHEELS:
        return "toolchain.mpi"
    pythons = {python_environment(one.python): one.name for one in plan.wheels if one.builds_python}
    return (
        f"frameworks.{pythons[environment]}.python" if environment in pythons else f"frameworks.{environment}"
    )


def _no_solution(where: str, refused: Refused) -> Iterator[Fault]:
    """What the site wrote and cannot have, and what Spack names first as the reasons."""
    asked, *reasons = refused.reasons
    said = f"Spack says: {'; '.join(reasons[:_TOLD])}" if reasons else ""
    remedy = f"loosen one of them; the log has all that Spack says{f'. {said}' if said else ''}"
    yield Fault(where=where, what=asked, remedy=remedy)


def _recall(plan: Plan, environment: SpackEnvironment) -> SpackLock | None:
    """The solution that was found before; none where it is cut off, or would not be taken today."""
    place = _place(plan, environment)
    try:
        text, sources = place.read_text("utf-8"), _beside(place).read_text("utf-8")
        known = SpackLock(name=environment.name, text=text, sources=parse_sources(sources))
        return None if _problems(plan, known.text) else known
    except (OSError, ValueError, KeyError, TypeError, RuntimeError):
        return None


def _remember(plan: Plan, environment: SpackEnvironment, lock: SpackLock) -> None:
    with suppress(WorkError, RuntimeError):  # without it, the next lock only takes longer
        place = _place(plan, environment)
        files.write(_beside(place), sources_text(lock.sources))
        files.write(place, lock.text)


def _beside(place: Path) -> Path:
    """Where the sources of a remembered solution are."""
    return place.with_suffix(".sources.json")


def _place(plan: Plan, environment: SpackEnvironment) -> Path:
    """Where a solution is kept: by all that decides it, so that it is never out of date."""
    asked: Json = {
        "driver": driver_digest(),
        "glibc": plan.system.glibc,
        "asked": spack_inputs(plan, (environment,)),
        **({"reused": [one.text for one in reused(plan)]} if plan.extends else {}),
    }
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "stackgen" / "solutions" / f"{digest(asked)}.lock"
