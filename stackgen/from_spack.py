"""A framework that Spack has built: the packages that it consists of, and how its prefix is filled."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from stackgen import files, interpreters, prefix
from stackgen.closure import PIP, Closure
from stackgen.errors import WorkError
from stackgen.from_wheels import tidy
from stackgen.hierarchy import Described
from stackgen.install import install_wheels
from stackgen.lock import LockedSource, SpackLock
from stackgen.mirror import Mirror
from stackgen.run_environment import path_file, run_variables
from stackgen.view import View, view, write
from stackgen.workshop import Workshop

_VARIABLES = "framework-variables.pth"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """What Spack has installed; by default nothing."""

    prefixes: Mapping[str, Path] = field(default_factory=dict)
    """By hash, whether they are there or not."""
    described: Callable[[SpackLock], Iterable[Described]] = lambda _: ()
    """Asks Spack what the packages of an environment do to the environments of users."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpackJob:
    """A framework whose packages lie in Spack's store."""

    name: str
    closure: Closure
    imports: str
    final: Path
    mirror: Mirror
    packages: Packages
    solution: SpackLock
    ranks: bool = False
    """Whether its Python tells ranks where they meet."""

    def __str__(self) -> str:
        return f"{self.name} {self.closure.version}"

    @property
    def title(self) -> str:
        """What the user is told."""
        python = f" with Python {self.closure.python_version}" if self.closure.python else ""
        return f"putting {self} together{python} from {len(self.closure.packages)} packages"

    @property
    def readable(self) -> tuple[Path, ...]:
        """What it is made from."""
        python = (self.python.resolve().parents[1],) if self.python else ()
        return (self.mirror.root, self.final.parents[1] / "store", *python)

    @property
    def python(self) -> Path | None:
        """The program of the interpreter that it gets a copy of."""
        node = self.closure.python
        return (
            self.packages.prefixes[node.hash] / "bin" / f"python{self.closure.python_version}"
            if node
            else None
        )

    def verify(self) -> None:
        """WorkError where something that it is made from is not there, or not what the lock names."""
        if self.python and not self.python.exists():
            raise WorkError(
                f"{self.python} is not there", f"install Python {self.closure.python_version} again"
            )
        if self.pip and not self._wheel.is_file():
            words = f"{self.pip.name} (sha256 {self.pip.sha256})"
            raise WorkError(f"the mirror {self.mirror.root} lacks {words}", self.mirror.remedy)
        if self.pip and files.sha256(self._wheel) != self.pip.sha256:
            what = (
                f"the mirror {self.mirror.root} does not hold what the lock names: {self.pip.name} (damaged)"
            )
            raise WorkError(what, self.mirror.remedy)

    def fill(self, workshop: Workshop) -> str:
        """Make the prefix in an open workshop; tell what two packages both would have put there."""
        made = view(self.closure, self.packages.prefixes, self.imports)
        if not made.pieces:
            what = f"{self} has neither programs nor packages of Python's"
            raise WorkError(what, f"name {self.closure.roots[0].name} under `packages:` instead")
        if self.python:
            self._fill_python(self.python, made, workshop)
        else:
            write(made, workshop.prefix)
        files.flush(workshop.root)
        return f"{self}: {made.warning}" if made.warning else ""

    def _fill_python(self, python: Path, made: View, workshop: Workshop) -> None:
        layout = interpreters.examine(python, workshop)
        prefix.lay(layout, workshop)
        pip = self._linked_pip(workshop)
        with ThreadPoolExecutor(max_workers=1) as meanwhile:
            copied = meanwhile.submit(interpreters.copy, layout, workshop)
            write(made, workshop.prefix)
            # Packages do not need it when they are used, but people do: `pip list`, `pip check`.
            if pip and all(node.name != PIP for node in self.closure.nodes):
                install_wheels(self.name, {"pip": pip.name.split("-")[1]}, workshop)
            copied.result()
        prefix.finish(layout, workshop, pip)
        if variables := run_variables(self.closure, self.packages.described(self.solution)):
            line = path_file(variables, self.closure, self.packages.prefixes, workshop.prefix, self.final)
            files.write(prefix.site_packages(workshop.prefix, layout) / _VARIABLES, line)
        if self.ranks:
            prefix.give_rendezvous(layout, workshop)
        tidy(workshop)
        prefix.compile_bytecode(layout, workshop)

    def _linked_pip(self, workshop: Workshop) -> Path | None:
        """The wheel of pip by its own name: Spack's mirrors have only its hash."""
        if self.pip is None:
            return None
        link = workshop.wheels / self.pip.name
        with files.reported(f"cannot link {self._wheel}"):
            link.symlink_to(self._wheel.resolve())
        return link

    @property
    def pip(self) -> LockedSource | None:
        """The wheel of pip that its Python packages were installed with."""
        sources = (one for one in self.solution.sources if one.package == PIP)
        return next((one for one in sources if one.name.endswith(".whl")), None)

    @property
    def _wheel(self) -> Path:
        assert self.pip
        return self.mirror.root / "sources" / self.pip.path
