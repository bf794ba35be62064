"""The private place where one framework's prefix is made: beside its final place, and gone afterwards."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stackgen import files
from stackgen.errors import WorkError
from stackgen.run import Command, Outcome, Runner
from stackgen.sandbox import Sandbox, confined

LEFT_OVER = ".making-*"
"""Matches the workshops that killed processes have left."""

_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Directories of its own, and an environment that holds nothing of the caller's."""

    root: Path
    final: Path
    """Where the prefix will lie, and what its files shall say about where they are."""
    run: Runner
    sandbox: Sandbox
    readable: tuple[Path, ...]
    """What the sandbox must not hide: the mirror, the tools, the interpreter to be copied."""

    @classmethod
    def beside(cls, final: Path, run: Runner, sandbox: Sandbox, readable: tuple[Path, ...]) -> "Workshop":
        """The workshop for a prefix; not made yet."""
        return cls(
            root=final.parent.resolve() / f".making-{final.name}-{os.getpid()}",
            final=final,
            run=run,
            sandbox=sandbox,
            readable=readable,
        )

    @property
    def prefix(self) -> Path:
        """The prefix in the making."""
        return self.root / "prefix"

    @property
    def base(self) -> Path:
        """The copied interpreter, inside the prefix."""
        return self.prefix / "base"

    @property
    def python(self) -> Path:
        """The program that the prefix's users start."""
        return self.prefix / "bin" / "python"

    @property
    def wheels(self) -> Path:
        """A flat directory of what is to be installed, as links into the mirror."""
        return self.root / "wheels"

    @property
    def home(self) -> Path:
        """The home of everything that runs here."""
        return self.root / "home"

    @property
    def cache(self) -> Path:
        """The installer's cache, cold at first: nothing that others have written gets in."""
        return self.root / "cache"

    def open(self) -> None:
        """Make the directories."""
        with files.reported(f"cannot work in {self.final.parent}"):
            if not self.root.parent.exists():
                self.root.parent.mkdir(parents=True, exist_ok=True)  # another node may be first
                self.root.parent.chmod(0o755)
            for directory in (self.prefix, self.wheels, self.cache, self.home, self.root / "tmp"):
                directory.mkdir(parents=True)

    def start(
        self,
        *words: str | Path,
        failure: str,
        stdin: str = "",
        variables: Mapping[str, str] | None = None,
        telling: Callable[[str], str] = lambda _: "",
        nests: bool = False,
    ) -> str:
        """Run a program to its end and give what it printed; WorkError `failure` where it fails.

        `variables` are added to its environment; `telling` finds the cause in what it printed, or gives
        nothing, and then it is the last line. What `nests` makes user namespaces.
        """
        command = Command(
            argv=tuple(str(word) for word in words),
            environment={**self._environment(), **(variables or {})},
            directory=self.root,
            stdin=stdin,
        )
        outcome = self.run(confined(command, self.sandbox, (self.root,), self.readable, nests=nests))
        if outcome.status:
            details = f"$ {command}\n{outcome.stdout}{outcome.stderr}"
            raise self._error(outcome, failure, details, telling(f"{outcome.stdout}\n{outcome.stderr}"))
        return outcome.stdout

    def _error(self, outcome: Outcome, failure: str, details: str, cause: str) -> WorkError:
        if full := files.full_disk(details):
            return WorkError(
                f"cannot write to {self.final.parent}: {full}", files.MORE_SPACE, details=details
            )
        lines = (outcome.stderr.strip() or outcome.stdout.strip()).splitlines()
        last = cause or (lines[-1].strip() if lines else f"exit status {outcome.status}")
        return WorkError(f"{failure}: {last}", "the log has the details", details=details)

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": _PATH,
            "HOME": str(self.home),
            "TMPDIR": str(self.root / "tmp"),
            "LC_ALL": "C.UTF-8",
            "SOURCE_DATE_EPOCH": "315532800",  # 1980, where the clock of zip files begins
        }
