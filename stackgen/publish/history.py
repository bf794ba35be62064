"""What was published and rolled back, in order, and where a rollback leads."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from stackgen import files
from stackgen.errors import WorkError
from stackgen.model.base import Strict
from stackgen.release import Release


class Switch(Strict):
    """One time that a release was made the current one; `at` in UTC, ISO 8601."""

    release: str
    how: Literal["publish", "rollback"]
    at: str


class History(Strict):
    """`releases/.history.json`, the oldest switch first."""

    format: Literal[1] = 1
    switches: tuple[Switch, ...] = ()

    @property
    def trail(self) -> tuple[str, ...]:
        """The releases that rollbacks walk back along: publishing goes on from where a rollback went to."""
        trail: list[str] = []
        for switch in self.switches:
            if switch.how == "rollback" and switch.release in trail:
                del trail[trail.index(switch.release) + 1 :]
            else:
                trail = [*(release for release in trail if release != switch.release), switch.release]
        return tuple(trail)

    def before(self, release: str) -> tuple[str, ...]:
        """What a rollback from `release` may go to, the nearest first."""
        trail = self.trail
        end = trail.index(release) if release in trail else len(trail)
        return tuple(reversed(trail[:end]))

    def place(self, release: str) -> int:
        """The place of a release in the order of first publication; -1 where it is not known."""
        names = list(dict.fromkeys(switch.release for switch in self.switches))
        return names.index(release) if release in names else -1

    def published(self, release: str) -> str:
        """When a release was published first; empty where that is not known."""
        return next((switch.at for switch in self.switches if switch.release == release), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A published release as `stackgen releases` lists it."""

    release: Release
    current: bool
    published: str
    """When, in UTC; empty where that is not known."""
    missing: tuple[str, ...]
    """The prefixes and the images of its frameworks that are not there any more."""


def history_file(prefix: Path) -> Path:
    """Where the history of a prefix lies."""
    return prefix / "releases" / ".history.json"


def read_history(prefix: Path) -> History:
    """The history of a prefix, empty before the first publication; WorkError where it is damaged."""
    path = history_file(prefix)
    try:
        return History.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return History()
    except (OSError, ValidationError) as error:
        remedy = "remove it: only a rollback without a release's name needs it"
        raise WorkError(f"{path} cannot be read", remedy, details=str(error)) from None


def note(prefix: Path, release: str, how: Literal["publish", "rollback"]) -> None:
    """Add a switch to the history, once however often it is tried."""
    history = read_history(prefix)
    if history.switches and (history.switches[-1].release, history.switches[-1].how) == (release, how):
        return
    switch = Switch(release=release, how=how, at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    longer = History(switches=(*history.switches, switch))
    files.write(history_file(prefix), longer.model_dump_json(indent=2) + "\n")
