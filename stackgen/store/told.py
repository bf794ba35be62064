"""What Spack tells while it installs, on its way to the user."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stackgen import files
from stackgen.errors import WorkError
from stackgen.graph import Node
from stackgen.progress import Advance, Progress
from stackgen.run import Outcome

_WORDS = {"built": "built in {:.0f} s", "cached": "taken from the build cache"}
_PHASES = {"start": "its start", "unpack": "unpacking and patching"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A package that could not be built, the phase it was in, and where its log is kept, if it has one."""

    package: Node
    phase: str
    log: Path | None


@dataclass(slots=True, kw_only=True)
class Told:
    """What has been heard so far of these packages."""

    nodes: Mapping[str, Node]
    total: int
    progress: Progress
    root: Path
    """Where Spack writes."""
    done: int = 0
    began: dict[str, float] = field(default_factory=dict)
    phases: dict[tuple[str, str], str] = field(default_factory=dict)
    """By node and hash: what is at work, and how far."""
    failures: list[Failure] = field(default_factory=list)
    skipped: set[str] = field(default_factory=set)
    full_disk: str = ""
    """What the operating system calls a disk without space, once it has been heard."""

    def listener(self, advance: Advance, node: str = "") -> Callable[[str], None]:
        """What hears each line that Spack tells, on a node where there are several."""

        def heard(line: str) -> None:
            if line.startswith("{"):
                self._hear(json.loads(line), advance, node)
            else:  # what Spack says before it is told to be quiet
                self.progress.log(line)

        return heard

    @property
    def settled(self) -> bool:
        """Whether every package is built, or has failed, or needs one that has."""
        return self.done + len(self.skipped | self._failed) >= self.total

    @property
    def _failed(self) -> set[str]:
        return {failure.package.hash for failure in self.failures}

    def leave(self, node: str) -> None:
        """Forget what a node is at: it is there no more."""
        self.phases = {key: phase for key, phase in self.phases.items() if key[0] != node}

    def _hear(self, event: Mapping[str, Any], advance: Advance, node: str) -> None:
        key = event["hash"]
        match event:
            case {"phase": phase}:
                if (node, key) not in self.phases:
                    self.began[key] = time.monotonic()
                self.phases[node, key] = phase
            case {"done": how}:
                self._end(key, how, advance, node)
            case {"failed": what, "lines": lines, "log": log}:
                self._fail(key, what, lines, log, node)
            case {"skipped": _}:
                self.skipped.add(key)
            case {"note": text}:
                self.progress.say(f"{self.nodes[key]}: {text}")
        self.progress.now(self._at_work())

    def _at_work(self) -> str:
        working = (
            f"{self.nodes[key].name}{_on(node)}: {phase}"
            for (node, key), phase in self.phases.items()
            if phase != "start"
        )
        return ", ".join(sorted(working))

    def _end(self, key: str, how: str, advance: Advance, node: str) -> None:
        self.phases.pop((node, key), None)
        if how in _WORDS:
            self.done += 1
            words = _WORDS[how].format(time.monotonic() - self.began[key])
            self.progress.say(f"{self.done} of {self.total}: {self.nodes[key]} {words}{_on(node)}")
            advance(1)

    def _fail(self, key: str, what: str, lines: list[str], log: str, node: str) -> None:
        package, phase = self.nodes[key], self.phases.pop((node, key), "start")
        self.full_disk = self.full_disk or files.full_disk("\n".join((what, *lines)))
        if package.hash in self._failed:  # a node may see late what another one has found
            self.progress.log(f"failed: {package}{_on(node)}, too: {what}")
            return
        kept = Path(log) if log else None
        self.failures.append(Failure(package=package, phase=phase, log=kept))
        where = _PHASES.get(phase, f"its phase {phase}")
        self.progress.say(f"failed: {package} in {where}{_on(node)}: {what}")
        for line in lines:
            self.progress.say(f"    {line}")
        if kept:
            self.progress.say(f"    the whole log is {kept}")

    def error(self, outcome: Outcome) -> WorkError:
        """Why not everything is installed."""
        full = self.full_disk or files.full_disk(outcome.stderr)
        if full:
            what = f"cannot write to {self.root.parent}: {full}"
            return WorkError(what, files.MORE_SPACE, details=outcome.stderr)
        if self.failures:
            return WorkError(self._summary(), self._remedy(), details=outcome.stderr)
        words = [line for line in outcome.stderr.splitlines() if line.strip()]
        errors = [line.removeprefix("==> Error: ") for line in words if line.startswith("==> Error: ")]
        last = errors[-1:] or words[-1:] or [f"exit status {outcome.status}"]
        return WorkError(f"Spack failed: {last[0]}", "the log has all that it said", details=outcome.stderr)

    def _summary(self) -> str:
        names = ", ".join(sorted(f"{failure.package} ({failure.phase})" for failure in self.failures))
        skipped = self.skipped - self._failed  # other nodes have skipped these, too
        left = sorted(str(self.nodes[key]) for key in skipped)
        out = f", and so not what depends on it: {', '.join(left)}" if left else ""
        return f"{len(self.failures)} of {self.total} packages could not be built: {names}{out}"

    def _remedy(self) -> str:
        logs = ", ".join(str(failure.log) for failure in self.failures if failure.log)
        see = f"see {logs}; " if logs else ""
        return f"{see}all others are kept, so run the same command again when the cause is gone"


def _on(node: str) -> str:
    return f" on {node}" if node else ""
