"""One part of a build as one job of Slurm: started, heard, and its ending told."""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stackgen import files
from stackgen.builders.part import Part
from stackgen.errors import WorkError
from stackgen.executor import (
    GOES_ON,
    Slurm,
    caller_variables,
    ending,
    jobs_named,
    on_node,
    refusal,
    waits,
    why_waiting,
)
from stackgen.progress import Progress
from stackgen.run import Command, Outcome, Runner, TimeLimitError

_PATIENCE = 120.0
"""Seconds that jobs have to end once they are cancelled."""
_COMPLETING = "CG"
_ROOT = Path("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What a part came to, and where: a result, or why there is none."""

    part: Part
    node: str
    result: Any = None
    error: WorkError | None = None
    said: bool = False
    """Whether it is the node's stackgen that has told the error."""

    def failure(self) -> WorkError | None:
        """The error, with its place."""
        if self.error and self.said:
            return WorkError(
                f"on {self.node}: {self.error.what}", self.error.remedy, details=self.error.details
            )
        return self.error


@dataclass(slots=True, kw_only=True)
class _Ear:
    """What hears a job."""

    progress: Progress
    spack: Callable[[str, str], None]
    node: str = ""
    job: str = ""
    done: Any = None
    error: WorkError | None = None

    def hear(self, line: str) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        match message:
            case {"node": str(node), "job": str(job)}:
                self.node, self.job = node, job
                self.progress.log(f"job {job} runs on {node}")
            case {"say": str(text)}:
                self.progress.say(f"{self.node}: {text}")
            case {"log": str(text)}:
                self.progress.log(f"{self.node}: {text}")
            case {"now": str(text)}:
                self.progress.now(f"{self.node}: {text}" if text else "")
            case {"spack": str(text)}:
                self.spack(self.node, text)
            case {"done": result}:
                self.done = result
            case {"error": str(what), "remedy": str(remedy), "details": str(details)}:
                self.error = WorkError(what, remedy, details=details)
            case _:  # what a site's prolog says
                self.progress.log(line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """The jobs of one build: all have one name, and the prefix as their comment."""

    slurm: Slurm
    name: str
    prefix: Path
    run: Runner
    progress: Progress
    variables: Mapping[str, str] = field(default_factory=lambda: caller_variables(os.environ))

    def do(self, part: Part, spack: Callable[[str, str], None] = lambda _, __: None) -> Came:
        """Have a node do a part; `spack` hears the node, and what Spack tells there."""
        ear = _Ear(progress=self.progress, spack=spack)
        words = (sys.executable, "-P", "-m", "stackgen", "part", part.model_dump_json(exclude_defaults=True))
        command = Command(
            argv=words,
            environment=self.variables,
            directory=_ROOT,
            heard=ear.hear,
            noticed=lambda line: self._tell_of_waiting(part, line),
        )
        outcome = self.run(on_node(command, self.slurm, self.name, str(self.prefix)))
        error = ear.error or (self._lost(part, ear, outcome) if ear.done is None else None)
        said = ear.error is not None
        return Came(part=part, node=ear.node, result=ear.done, error=error, said=said)

    def _tell_of_waiting(self, part: Part, line: str) -> None:
        """Slurm lets a job wait for what will never be, too: its reason says so."""
        if not (job := waits(line)):
            return
        reason = ""
        for _ in range(3):
            time.sleep(1)  # the reason is there once it was tried to start it
            with suppress(TimeLimitError):  # a busy Slurm is no reason to give the job back
                reason = self.run(why_waiting(job, _ROOT, self.variables)).stdout.strip()
            if reason not in {"None", ""}:
                break
        if reason:
            self.progress.say(f"{part}: job {job} waits for a node ({reason})")

    def _lost(self, part: Part, ear: _Ear, outcome: Outcome) -> WorkError:
        by_slurm = ending(outcome)
        if not ear.node and not by_slurm:
            return refusal(outcome, self.slurm)
        where = f"job {ear.job} on {ear.node}" if ear.node else "job that was to begin"
        what = by_slurm.what if by_slurm else f"ended with exit status {outcome.status}"
        remedy = by_slurm.remedy if by_slurm else f"the log has what it said; {GOES_ON}"
        return WorkError(f"{part}: the {where} {what}", remedy, details=outcome.stderr)

    @property
    def _marker(self) -> Path:
        """There while jobs may be at work in the prefix; holds who has begun them."""
        return self.prefix / ".jobs"

    def require(self) -> None:
        """Have Slurm, and nothing at work of a build that was killed; WorkError where that cannot be."""
        if not shutil.which("srun", path=self.variables["PATH"]):
            remedy = "load what brings it, such as `module load slurm`, or build here, without --executor"
            raise WorkError("Slurm's srun is not here", remedy)
        ours = files.holder(self.prefix)
        if not (self._marker.exists() and self._marker.read_text(encoding="utf-8") == ours):
            self._end_left_over()
            files.write(self._marker, ours)

    def leave(self) -> None:
        """Have no job at work in the prefix: the caller is about to work there himself."""
        if not self._marker.exists():
            return
        if not shutil.which("squeue", path=self.variables["PATH"]):
            what = f"jobs of Slurm may still be at work in {self.prefix}, and Slurm is not here to be asked"
            raise WorkError(what, f"end them, and remove {self._marker}")
        self._end_left_over()
        self.done()

    def done(self) -> None:
        """Note that no job is at work any more."""
        self._marker.unlink(missing_ok=True)

    def _end_left_over(self) -> None:
        alive = tuple(number for number, state in self._known().items() if state != _COMPLETING)
        if alive:
            self._cancel(alive, "left by a build that was killed")
        until = time.monotonic() + _PATIENCE
        while left := self._known():
            if time.monotonic() > until:
                what = f"jobs of a build that was killed before cannot be ended: {', '.join(left)}"
                raise WorkError(what, f"see `squeue --name {self.name}`")
            time.sleep(1)

    def cancel_waiting(self) -> None:
        """Give back the nodes that are not there yet, as nothing is left to be done.

        Where Slurm does not answer, they will find that out themselves.
        """
        with suppress(WorkError):
            waiting = tuple(number for number, state in self._known().items() if state == "PD")
            if waiting:
                self._cancel(waiting, "as nothing is left to be done")

    def _known(self) -> dict[str, str]:
        """The jobs of this build by their numbers, and their states."""
        outcome = self.run(jobs_named(self.name, _ROOT, self.variables))
        if outcome.status:
            raise refusal(outcome, self.slurm)
        lines = (line.split("|", 2) for line in outcome.stdout.splitlines() if line.count("|") >= 2)
        return {number: state for number, state, comment in lines if comment == str(self.prefix)}

    def _cancel(self, numbers: tuple[str, ...], why: str) -> None:
        self.progress.say(f"cancelling job {', '.join(numbers)}, {why}")
        command = Command(argv=("scancel", *numbers), environment=self.variables, directory=_ROOT, timeout=60)
        self.run(command)
