"""A framework in its image beside the same framework without: who they are, and how they are started."""

import os
import signal
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from stackgen import files
from stackgen.bench.memory import serving
from stackgen.bench.subject import Subject, every_subject, programs
from stackgen.errors import InputError, WorkError
from stackgen.model.base import near
from stackgen.plan import ContainerPlan, Packed
from stackgen.project import Project, Tools
from stackgen.run import Outcome
from stackgen.smoke.session import Caller

PREFIX, CONTAINER = "prefix", "container"
"""What the two sides are called."""
_JOB = "PBS_JOBID"
"""A variable of a scheduler, of which no framework and no MPI minds this one alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contained:
    """Both sides, which are of one lock."""

    outside: Subject
    inside: Subject

    @property
    def sides(self) -> dict[str, Subject]:
        """By name."""
        return {PREFIX: self.outside, CONTAINER: self.inside}

    @property
    def image(self) -> Path:
        """The file of the image."""
        return Path(self.inside.framework.image)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A user's home that both sides see at the same path, with the measuring programs in it."""

    home: Path

    @property
    def job(self) -> str:
        """What tells a container that a command belongs to a job, which shares its mounts with no other."""
        return self.home.name

    def program(self, name: str) -> str:
        """The path of a measuring program."""
        return str(self.home / "programs" / name)

    def run(
        self, subject: Subject, words: tuple[str, ...], variables: Mapping[str, str], limit: float
    ) -> Outcome:
        """A program in the environment of the module; `limit` in seconds."""
        caller = Caller(home=self.home, variables={**variables, _JOB: self.job})
        files.write(self.home / ".bash_profile", caller.profile)
        return subject.tools.run(subject.entrance.command(words, caller, limit))

    def mounting(self, image: Path) -> tuple[int, ...]:
        """The processes that keep an image mounted for us."""
        return serving(image, f"{_JOB}={self.job}")

    def unmount(self, image: Path) -> None:
        """End them; WorkError where they stay."""
        deadline = time.monotonic() + 10
        while (pids := self.mounting(image)) and time.monotonic() < deadline:
            for pid in pids:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        if pids:
            raise WorkError(f"{image} stays mounted", "end what uses it, and measure again")


@contextmanager
def desk(image: Path) -> Iterator[Desk]:
    """One below /tmp, which every container sees; gone after the block, and what mounts the image for it."""
    with TemporaryDirectory(prefix="stackgen-bench-", dir="/tmp") as home:
        for name, text in programs().items():
            files.write(Path(home) / "programs" / name, text)
        made = Desk(home=Path(home))
        try:
            yield made
        finally:
            made.unmount(image)
            for left in _left_by(made.job):
                files.remove(left)


def _left_by(job: str) -> Iterator[Path]:
    """What containers have left of a job; not below what others have given such a name."""
    for place in Path("/tmp").glob(f"*-containers-{os.getuid()}"):  # noqa: S108
        state = place.lstat()
        if stat.S_ISDIR(state.st_mode) and state.st_uid == os.getuid():
            yield from place.glob(f"*-{job}.*")


def contained(project: Project, named: str, output: Path | None, tools: Tools) -> Contained:
    """The framework of this name, or the one whose image has it; InputError where it is not packed."""
    found = {one.framework.name: one for one in every_subject(project, output, tools)}
    packed = {
        name: one.planned.origin.framework.name
        for name, one in found.items()
        if isinstance(one.planned, ContainerPlan) and isinstance(one.planned.origin, Packed)
    }
    for inside, outside in packed.items():
        if named in {inside, outside}:
            return Contained(outside=found[outside], inside=found[inside])
    if named in found:
        remedy = "write `image: true` below a framework from wheels or from Spack"
        raise InputError.of(f"{named} is not there both with and without a container", remedy)
    names = sorted(packed.values())
    remedy = near(named, names, f"name one of {', '.join(names)}" if names else "there is none in an image")
    raise InputError.of(f"release {project.plan.release} has no framework {named}", remedy)
