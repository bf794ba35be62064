"""What can go wrong, as values: every message says where, what and what to do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """A position in a file that somebody wrote; line and column count from 1, 0 stands for the whole file."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Fault:
    """One thing that is wrong with an input: `place: where: what; remedy` on one line."""

    place: Place | None = None
    where: str = ""
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        head = "".join(f"{part}: " for part in (str(self.place or ""), self.where) if part)
        tail = f"; {self.remedy}" if self.remedy else ""
        return " ".join(f"{head}{self.what}{tail}".split())


class StackgenError(Exception):
    """A refusal that a user can act on; `exit_status` is what the command ends with."""

    exit_status = 1
    details = ""
    """What only the log shows; the user is told where that is."""


class InputError(StackgenError):
    """The input is wrong: every fault that was found, in the order of the file."""

    exit_status = 2

    def __init__(self, *faults: Fault, details: str = "") -> None:
        self.faults, self.details = faults, details
        super().__init__("\n".join(str(fault) for fault in faults))

    @classmethod
    def of(cls, what: str, remedy: str = "", *, where: str = "", place: Place | None = None) -> "InputError":
        """One fault, without the ceremony."""
        return cls(Fault(place=place, where=where, what=what, remedy=remedy))


class WorkError(StackgenError):
    """The work failed: what, and what to do."""

    def __init__(self, what: str, remedy: str = "", *, details: str = "") -> None:
        self.what, self.remedy, self.details = what, remedy, details
        super().__init__(f"{what}; {remedy}" if remedy else what)
