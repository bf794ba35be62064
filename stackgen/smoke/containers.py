"""What is tested of a framework's image: that its commands are as if there were no container."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from stackgen import files
from stackgen.charliecloud import lacking
from stackgen.errors import StackgenError
from stackgen.images import INTERNAL, read_description
from stackgen.release import Check, InstalledFramework
from stackgen.run import Outcome, Runner, TimeLimitError
from stackgen.smoke import checks
from stackgen.smoke.session import Caller, Entrance

COMMANDS = 40
"""How many commands of an image are started, where the site has named none."""
LIMIT = 120.0
"""Seconds for a program that does nothing; the first one mounts the image."""

_TELLING = """\
import json, os, sys
told = {"arguments": sys.argv[1:], "directory": os.getcwd(), "input": sys.stdin.read()}
told["variable"] = os.environ.get("STACKGEN_TOLD", "")
sys.stdout.write(json.dumps(told))
sys.stderr.write("aside")
sys.exit(7)
"""
_ARGUMENTS = ("two words", "", "*", 'it\'s "quoted" $HOME \\', "--help")
_INPUT = "one line\nand half of one"
_WAITING = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"
# The program is there once it has written its number, and gone once it is waited for.
_SIGNAL = f"""
python -c "{_WAITING}" "$1" &
for turn in $(seq 600); do [ -s "$1" ] || sleep 0.1; done
kill -TERM $!
wait $!
status=$?
kill -0 "$(cat "$1")" 2>/dev/null && {{ kill -KILL "$(cat "$1")"; exit 96; }}
exit $status
"""
_LEFT, _TERMINATED = 96, 143
_UNTOLD = "its container cannot be started"
"""What a wrapper says where it knows no more than what ch-run has said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Containment:
    """A container of a staged release: where its commands lie, and how they are started."""

    framework: InstalledFramework
    entrance: Entrance
    named: tuple[str, ...]
    """The commands that the site has named."""
    start: Callable[..., Outcome]
    """Takes a caller, words and a `limit` in seconds."""
    run: Runner

    @property
    def place(self) -> Path:
        """The directory of its commands."""
        return self.entrance.core.parents[1] / "containers" / self.framework.name / "bin"

    @property
    def names(self) -> tuple[str, ...]:
        """The commands to be started: those that the site has named, else the first of all the image's."""
        found = sorted(path.name for path in self.place.iterdir()) if self.place.is_dir() else []
        try:  # one of them starts whatever it is told, and that is no program of the image
            known = read_description(Path(self.framework.image)).commands
        except StackgenError:
            known = {}
        return self.named or tuple([name for name in found if name in known][:COMMANDS])

    @property
    def shown(self) -> list[str]:
        """The directories inside where code of this machine is seen on purpose."""
        try:
            described = read_description(Path(self.framework.image))
        except StackgenError:
            return [INTERNAL]
        return [INTERNAL, *(bind.target for bind in described.host)]

    def fault(self, caller: Caller) -> str:
        """Why nothing starts in it here: what the machine lacks, else its command's words; or empty."""
        words = ("python", "-c", "") if self.framework.python else (*self.names[:1], "--help")
        if len(words) < 2:
            return f"{self.place} has no commands: build the release again"
        outcome = self.start(caller, *words, limit=LIMIT)
        # Other programs may refuse the option; the wrapper's refusals begin with the module's name.
        refused = outcome.stderr.startswith(f"{self.entrance.module.rpartition('/')[0]}: ")
        if outcome.status == 0 or (not self.framework.python and 0 < outcome.status < 126 and not refused):
            return ""
        if refused and _UNTOLD not in outcome.stderr:
            return checks.ending(outcome)  # with what to do about it
        machine = next(iter(lacking(self.run)), None)
        return str(machine or checks.ending(outcome))

    def manners(self, caller: Caller) -> Iterator[Check]:
        """Whether a program has all that its caller gives, and the caller all that it leaves."""
        yield self._check("arguments, streams, directory and status", self._kept(caller))
        yield self._check("signals", self._signalled(caller))

    def _kept(self, caller: Caller) -> str:
        program, directory = caller.home / "telling.py", caller.home / "two words"
        files.write(program, _TELLING)
        directory.mkdir(exist_ok=True)
        words = ("env", "STACKGEN_TOLD=as it is", "python", str(program), *_ARGUMENTS)
        command = self.entrance.command(words, caller, LIMIT)
        moved = ("sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(directory), *command.argv)
        try:
            outcome = self.run(replace(command, argv=moved, stdin=_INPUT))
        except TimeLimitError as error:
            return str(error)
        return manners_fault(outcome, str(directory))

    def _signalled(self, caller: Caller) -> str:
        ready = caller.home / "waiting"
        ready.unlink(missing_ok=True)
        outcome = self.start(caller, "sh", "-c", _SIGNAL, "sh", str(ready), limit=LIMIT)
        if outcome.status == _TERMINATED:
            return ""
        if outcome.status == _LEFT:
            return "a program that was told to end went on: its command has ended without it"
        return f"a program that was ended by SIGTERM left {outcome.status} instead of {_TERMINATED}"

    def _check(self, name: str, fault: str) -> Check:
        return Check(framework=self.framework.name, name=name, passed=not fault, detail=fault)


def manners_fault(outcome: Outcome, directory: str) -> str:
    """What a program was not given, or did not give back, of what it would have outside."""
    if outcome.status != 7:
        return f"a program that ended with 7 left {outcome.status}: {checks.last_line(outcome)}"
    if "aside" not in outcome.stderr:
        return "standard error is lost"
    try:
        told = json.loads(outcome.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        return f"standard output is lost, or not alone: {outcome.stdout[-200:]!r}"
    meant = {
        "arguments": [*_ARGUMENTS],
        "directory": directory,
        "input": _INPUT,
        "variable": "as it is",
    }
    wrong = (f"its {name} is {told.get(name)!r} instead of {value!r}" for name, value in meant.items())
    return next((text for text, name in zip(wrong, meant, strict=True) if told.get(name) != meant[name]), "")
