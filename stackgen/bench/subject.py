"""What is measured: a framework of a published release, started through its module."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from stackgen import files
from stackgen.errors import InputError
from stackgen.lmod import lmod_start
from stackgen.model.base import near
from stackgen.plan import ContainerPlan, FrameworkPlan
from stackgen.prefix import rendezvous_module
from stackgen.project import Project, Tools
from stackgen.publish import place_of
from stackgen.release import InstalledFramework, Release, read_release
from stackgen.run import Outcome
from stackgen.smoke.session import Caller, Entrance, scratch

_PROGRAMS = Path(__file__).parents[1] / "inside" / "bench"
_KINDS = {"pytorch": "pytorch", "tensorflow": "tensorflow", "keras": "tensorflow"}
"""Whose operations the measuring programs use, by the framework's verify script."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A framework to be measured, and the directory of its results."""

    project: Project
    release: Release
    framework: InstalledFramework
    planned: FrameworkPlan
    kind: str
    """`pytorch` or `tensorflow`; empty where no program measures it."""
    directory: Path
    tools: Tools

    @property
    def imports(self) -> str:
        """What a program imports to have it; empty where that is nothing."""
        return getattr(self.planned, "imports", "")

    @property
    def by_horovod(self) -> bool:
        """Whether its ranks come together by Horovod, and not by the framework's own means."""
        return bool({"horovod", "py-horovod"} & self.framework.packages.keys())

    def program(self, name: str) -> Path:
        """A measuring program for this framework, put below the results, where every node can read it."""
        place = self.directory / "programs"
        for file, text in programs().items():
            if not (place / file).exists() or (place / file).read_text(encoding="utf-8") != text:
                files.write(place / file, text)
        return place / name

    def run(self, words: tuple[str, ...], variables: dict[str, str], limit: float) -> Outcome:
        """A program in the environment of the module, of a user without a profile; `limit` in seconds."""
        with scratch("bench", self.framework) as home:
            caller = Caller(home=Path(home), variables=variables)
            files.write(Path(home) / ".bash_profile", caller.profile)
            return self.tools.run(self.entrance.command(words, caller, limit))

    @property
    def entrance(self) -> Entrance:
        """The way to the framework."""
        core = place_of(self.project.prefix, self.release.name) / "modules" / "Core"
        return Entrance(plan=self.project.plan, framework=self.framework, core=core, lmod=lmod_start())


def programs() -> dict[str, str]:
    """The texts of all measuring programs, by file."""
    own = (*_PROGRAMS.glob("*.py"), *_PROGRAMS.glob("*.c"))
    texts = {path.name: path.read_text(encoding="utf-8") for path in own}
    return texts | {"rendezvous.py": rendezvous_module()}


def subjects(
    project: Project, named: str | None, output: Path | None, tools: Tools, *, importing: bool = False
) -> Iterator[Subject]:
    """The frameworks to be measured: the named one, or each that there are programs for.

    To be imported are all that can be.
    """
    found = every_subject(project, output, tools)
    fitting = [one for one in found if (one.imports if importing else one.kind)]
    if named is not None:
        fitting = [_named(named, found, fitting)]
        _require_seen(fitting[0])
    else:  # an image is measured against what it was packed from, by `bench container`
        fitting = [one for one in fitting if not isinstance(one.planned, ContainerPlan)]
    if not fitting:
        known = ", ".join(sorted({*_KINDS.values()}))
        what = f"release {project.plan.release} has nothing that can be measured"
        raise InputError.of(what, f"that is {known}")
    yield from fitting


def every_subject(project: Project, output: Path | None, tools: Tools) -> list[Subject]:
    """All frameworks of the published release, whether a program measures them or not."""
    place = place_of(project.prefix, project.plan.release)
    if not place.is_dir():
        raise InputError.of(
            f"release {project.plan.release} is not published in {project.prefix}",
            f"run `stackgen build {project.file}`",
        )
    release = read_release(place)
    directory = output or project.prefix / "bench" / release.name
    return [_subject(project, release, one, directory, tools) for one in release.frameworks]


def _named(name: str, found: list[Subject], fitting: list[Subject]) -> Subject:
    for one in fitting:
        if one.framework.name == name:
            return one
    names = [one.framework.name for one in fitting]
    remedy = near(name, names, f"name one of {', '.join(names)}" if names else "there is none here")
    if any(one.framework.name == name for one in found):
        raise InputError.of(f"there is no program to measure {name} with", remedy)
    raise InputError.of(f"release {found[0].release.name} has no framework {name}", remedy)


def _require_seen(subject: Subject) -> None:
    """InputError where a container does not see the directory that programs and results lie in."""
    seen = ("/tmp", *subject.project.plan.system.containers.binds)  # noqa: S108 - ch-run shows it
    if isinstance(subject.planned, ContainerPlan) and not any(
        subject.directory.is_relative_to(directory) for directory in seen
    ):
        what = f"{subject.directory} is not seen in the container of {subject.framework.name}"
        raise InputError.of(what, f"give -o a directory below {', '.join(seen)}")


def _subject(
    project: Project, release: Release, framework: InstalledFramework, directory: Path, tools: Tools
) -> Subject:
    planned = next(one for one in project.plan.frameworks if one.name == framework.name)
    return Subject(
        project=project,
        release=release,
        framework=framework,
        planned=planned,
        kind=_KINDS.get(planned.about.verify, ""),
        directory=directory,
        tools=tools,
    )


@contextmanager
def writable(directory: Path) -> Iterator[None]:
    """Refuse a directory of results that cannot be written to before anything is measured."""
    with files.reported(f"cannot write to {directory}"):
        directory.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=directory):
            pass
    yield
