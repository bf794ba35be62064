"""What Spack tells while it installs, on its way to the user."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stackgen.errors import WorkError
from stackgen.progress import Advance, Progress
from stackgen.run import Outcome
from stackgen.spack.graph import Node

_DONE = {"built": "built", "cached": "taken from the build cache"}


@dataclass(slots=True, kw_only=True)
class Told:
    """What has been heard so far."""

    nodes: Mapping[str, Node]
    progress: Progress
    phases: dict[str, str] = field(default_factory=dict)
    failed: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)

    def listener(self, advance: Advance) -> Callable[[str], None]:
        """What hears each line."""

        def heard(line: str) -> None:
            self._hear(json.loads(line), advance)

        return heard

    def _hear(self, event: Mapping[str, Any], advance: Advance) -> None:
        key = event["hash"]
        match event:
            case {"phase": phase}:
                self.phases[key] = phase
            case {"done": how}:
                self.phases.pop(key, None)
                advance(1)
                if how in _DONE:
                    self.progress.say(f"{_DONE[how]}: {self.nodes[key]}")
            case {"failed": _}:
                self.failed[key] = event
            case {"skipped": _}:
                self.skipped.add(key)

    def error(self, outcome: Outcome) -> WorkError:
        """Why Spack has failed."""
        if not self.failed:
            words = outcome.stderr.strip().splitlines()
            return WorkError(
                f"Spack failed: {words[-1] if words else outcome.status}", details=outcome.stderr
            )
        names = ", ".join(str(self.nodes[key]) for key in self.failed)
        return WorkError(f"{names} could not be built", "the log has the details", details=outcome.stderr)
