"""The test of programs that are none of Python's: that they are found, start, and go when unloaded."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stackgen.effects import root_variable
from stackgen.release import Check, InstalledFramework
from stackgen.run import Outcome
from stackgen.smoke import checks
from stackgen.smoke.session import Caller, Entrance

LIMIT = 20.0
"""Seconds in which a program has to show that it starts; one that takes `--help` for work goes on."""

_FIND = 'for name; do command -v -- "$name" || echo "$name is not found"; done'
_UNLOAD = """
[ -z "$4" ] || PATH=${PATH//"$5"/"$4"}
eval "$("$LMOD_CMD" bash unload "$1")" || exit
eval "root=\\${$2-}"
[ -z "$root" ] || echo "$2 is still set"
case ":$PATH:" in *":$3:"*) echo "$3 is still in PATH";; esac
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """The programs of one framework, and the way to start them."""

    framework: InstalledFramework
    entrance: Entrance
    start: Callable[..., Outcome]
    """Takes a caller, words and a `limit` in seconds."""
    place: Path
    """The directory that its module has put before all others."""

    def checks(self, clean: Caller, hostile: Caller, names: tuple[str, ...]) -> Iterator[Check]:
        """All that can be looked at where there is no Python."""
        yield self._check("isolation from a hostile caller", self.strangers(hostile, names))
        yield from self.answers(clean, names)
        if self.entrance.lmod:
            yield self._check("unloading", self._left(clean))

    def answers(self, caller: Caller, names: tuple[str, ...]) -> Iterator[Check]:
        """Whether each starts; it may end as it likes, or not at all."""
        for name in names:
            outcome = self.start(caller, name, "--help", limit=LIMIT)
            fault = "" if outcome.status == checks.TIMED_OUT else checks.script_fault(outcome)
            yield self._check(f"program {name}", fault)

    def strangers(self, caller: Caller, names: tuple[str, ...]) -> str:
        """What somebody else's program would be started for."""
        found = self.start(caller, "sh", "-c", _FIND, "sh", *names)
        own = {f"{self.place}/{name}" for name in names}
        return ", ".join(line for line in found.stdout.splitlines() if line not in own) or checks.ending(
            found
        )

    def _left(self, caller: Caller) -> str:
        """What is still there after the module was unloaded."""
        variable = root_variable(self.entrance.plan.namespace, self.framework)
        published, here = self.entrance.moved
        place = str(self.place).replace(here, published) if here else str(self.place)
        words = (self.entrance.module, variable, place, published, here)
        outcome = self.start(caller, "bash", "-c", _UNLOAD, "bash", *words)
        return ", ".join(outcome.stdout.splitlines()) or checks.ending(outcome)

    def _check(self, name: str, fault: str) -> Check:
        return Check(framework=self.framework.name, name=name, passed=not fault, detail=fault)


def linked_programs(framework: InstalledFramework) -> tuple[str, ...]:
    """What of `bin` lies in Spack's store, and is therefore no script of the framework's Python."""
    directory = Path(framework.prefix) / "bin"
    return tuple(
        sorted(
            path.name
            for path in directory.iterdir()
            if path.is_symlink() and not path.resolve().is_relative_to(directory.parent.resolve())
        )
    )


def interpreter(script: Path) -> tuple[str, ...]:
    """The words that start a script, as its first line says; without such a line the shell."""
    first = script.read_text(encoding="utf-8").partition("\n")[0]
    return tuple(first[2:].split()) if first.startswith("#!") else ("sh",)
