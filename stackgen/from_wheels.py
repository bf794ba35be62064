"""A framework from wheels: what it is built from, and how its prefix is filled."""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from stackgen import files, interpreters, prefix
from stackgen.errors import WorkError
from stackgen.from_source import SourceBuilds
from stackgen.install import install
from stackgen.lock import LockedFile, WheelLock
from stackgen.mirror import Mirror, flaws
from stackgen.progress import Silent
from stackgen.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelsJob:
    """A framework to be built from wheels."""

    lock: WheelLock
    version: str
    python: Path
    """The program of the interpreter that it gets a copy of."""
    final: Path
    mirror: Mirror
    built: SourceBuilds | None = None
    """What is built from source after all the rest is there."""
    ranks: bool = False
    """Whether its Python tells ranks where they meet."""

    def __str__(self) -> str:
        return f"{self.lock.framework} {self.version}"

    @property
    def title(self) -> str:
        """What the user is told."""
        whole = f"building {self} with Python {self.lock.python} and {len(self.lock.packages)} packages"
        sources = [source.project for source in self.built.native.sources] if self.built else []
        return f"{whole}, from source {' and '.join(sources)}" if sources else whole

    @property
    def readable(self) -> tuple[Path, ...]:
        """What it is made from."""
        store = self.final.parents[1] / "store"
        built = (*self.built.readable, *((store,) if store.is_dir() else ())) if self.built else ()
        return (self.mirror.root, self.python.resolve().parents[1], *built)

    def verify(self) -> None:
        """WorkError where the mirror is not, or no longer, what the lock names.

        uv could check too, but would then unpack each wheel as one stream: half as long again for TensorFlow.
        """
        require_intact(self.mirror, self.lock.files)

    def fill(self, workshop: Workshop) -> str:
        """Make the prefix in an open workshop; nothing needs to be told."""
        layout = interpreters.examine(self.python, workshop)
        prefix.lay(layout, workshop)
        with files.reported(f"cannot link {self.mirror.root}"):
            for file in self.lock.files:
                (workshop.wheels / file.name).symlink_to(self.mirror.path(file).resolve())
        with ThreadPoolExecutor(max_workers=1) as meanwhile:  # one large wheel keeps a single processor busy
            copied = meanwhile.submit(interpreters.copy, layout, workshop)
            install(self.lock, workshop, self.built.projects if self.built else ())
            if self.built:
                self.built.build(layout, workshop)
            copied.result()
            if self.ranks:
                prefix.give_rendezvous(layout, workshop)
            prefix.finish(layout, workshop, self._pip)
            tidied = meanwhile.submit(tidy, workshop)
            prefix.compile_bytecode(layout, workshop)
            tidied.result()
        files.flush(workshop.root)
        return ""

    @property
    def _pip(self) -> Path | None:
        packages = self.lock.packages
        return next((self.mirror.path(package.file) for package in packages if package.name == "pip"), None)


def require(mirror: Mirror, wanted: Collection[LockedFile]) -> None:
    """WorkError where a mirror has not all of these files, in their sizes."""
    if not mirror.root.is_dir():
        raise WorkError(f"the mirror {mirror.root} is not there", mirror.remedy)
    missing = sorted(file for file in wanted if not mirror.holds(file))
    if missing:
        names = ", ".join(f"{file.name} (sha256 {file.sha256})" for file in missing)
        raise WorkError(f"the mirror {mirror.root} lacks {names}", mirror.remedy)


def require_intact(mirror: Mirror, wanted: Collection[LockedFile]) -> None:
    """WorkError where a mirror has not all of these files, byte by byte."""
    require(mirror, wanted)
    if found := flaws(mirror, wanted, Silent()):
        names = ", ".join(f"{file.name} ({flaw.detail or flaw.kind})" for file, flaw in found.items())
        what = f"the mirror {mirror.root} does not hold what the lock names: {names}"
        raise WorkError(what, mirror.remedy)


def tidy(workshop: Workshop) -> None:
    """Take away the cache, whose files are the installed ones under a second name, and flush what stays."""
    files.remove(workshop.cache)
    files.flush(workshop.root)
