"""The same framework as anyone would install it: by pip, into a virtual environment, without any settings."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from stackgen.bench.subject import Subject
from stackgen.errors import WorkError
from stackgen.lock import WheelLock
from stackgen.mirror import Mirror
from stackgen.plan import SpackPlan, WheelsPlan
from stackgen.project import read_fitting_lock
from stackgen.run import Command, Outcome, succeed
from stackgen.smoke.session import Caller

_LIMIT = 3600.0
"""Seconds for pip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A virtual environment, used by a user who sets nothing."""

    root: Path
    """The user's home; the environment is `venv` in it."""
    subject: Subject

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.root / "venv" / "bin" / "python")

    def command(self, words: tuple[str, ...], variables: dict[str, str], limit: float) -> Command:
        """A program in its environment; `limit` in seconds."""
        environment = Caller(home=self.root).login | variables
        environment["PATH"] = f"{self.root}/venv/bin:{environment['PATH']}"
        return Command(argv=words, environment=environment, directory=self.root, timeout=limit)

    def run(self, words: tuple[str, ...], variables: dict[str, str], limit: float) -> Outcome:
        """Run it to its end."""
        return self.subject.tools.run(self.command(words, variables, limit))


@contextmanager
def peer(subject: Subject, mirror: Path | None = None) -> Iterator[Peer | str]:
    """The peer of a framework for as long as the block runs, with NumPy; or why there can be none.

    Wheels come from the mirror that the framework was built from where it has them all, else from where pip
    is configured to look.
    """
    with TemporaryDirectory(prefix="stackgen-peer-") as root:
        made = Peer(root=Path(root), subject=subject)
        reason = ""
        try:
            with subject.tools.progress.task(f"installing {subject.framework.name} by pip, to compare", 0):
                _make(made, ("numpy",), Mirror(root=mirror or subject.project.prefix / "mirror"))
        except WorkError as error:
            reason = f"not compared with pip's wheel: {error}"
        yield reason or made


def _make(made: Peer, more: tuple[str, ...], mirror: Mirror) -> None:
    planned = made.subject.planned
    if not isinstance(planned, WheelsPlan):
        origin = "from Spack" if isinstance(planned, SpackPlan) else "in an image"
        raise WorkError(f"{planned.name} comes {origin}, and no wheels are known to compare it with")
    python, run = _python(made.subject), made.subject.tools.run
    start = made.command((python, "-m", "venv", str(made.root / "venv")), {}, _LIMIT)
    succeed(run, start, f"{python} cannot make a virtual environment", "see `stackgen doctor`")
    locked = read_fitting_lock(made.subject.project).wheel_lock(planned.name)
    alone = (f"{planned.package}=={made.subject.framework.version}",)
    for words in (_from_mirror(locked, mirror, made.root) or alone, more):
        if words:
            _pip(made, words)


def _pip(made: Peer, words: tuple[str, ...]) -> None:
    """Where pip looks is this user's configuration, and needs this user's home."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    command = Command(
        argv=(made.python, "-m", "pip", "install", "--quiet", *words),
        environment=environment,
        directory=made.root,
        timeout=_LIMIT,
    )
    succeed(made.subject.tools.run, command, f"pip cannot install {words[-1]} to compare with")


def _from_mirror(locked: WheelLock, mirror: Mirror, root: Path) -> tuple[str, ...]:
    """What pip is told to take the very wheels that were delivered; nothing where some are missing."""
    wheels = [package.file for package in locked.packages if package.file.name.endswith(".whl")]
    if not all(mirror.holds(file) for file in wheels):
        return ()
    links = root / "wheels"
    links.mkdir()
    for file in wheels:
        (links / file.name).symlink_to(mirror.path(file))
    return ("--no-deps", *(str(path) for path in sorted(links.iterdir())))


def _python(subject: Subject) -> str:
    """The system's Python of the framework's version; else the one below the framework itself."""
    for found in subject.project.plan.system.pythons:
        program = Path(found.prefix) / "bin" / f"python{found.version}"
        if found.version == subject.framework.python and program.exists():
            return str(program)
    what = f"no Python {subject.framework.python} of the system's is there to compare with"
    raise WorkError(what, "name one below `pythons:` in the system's file")
