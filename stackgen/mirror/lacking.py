"""What a mirror could not get, and why, as one table."""

from collections.abc import Collection
from dataclasses import dataclass

from stackgen.errors import WorkError
from stackgen.mirror.wanted import Wanted


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Lacking:
    """A file that could not be had."""

    package: str
    file: str
    sha256: str
    commit: str
    reasons: tuple[str, ...]
    """One for each address that was tried, which it names; or the only one."""

    @classmethod
    def of(cls, want: Wanted, *reasons: str) -> "Lacking":
        """What was wanted, with the reasons."""
        return cls(
            package=want.package, file=want.name, sha256=want.sha256, commit=want.commit, reasons=reasons
        )

    def __str__(self) -> str:
        known_by = f"sha256 {self.sha256}" if self.sha256 else f"commit {self.commit or 'not known'}"
        return f"{self.package}  {self.file}  {known_by}  {'; '.join(self.reasons)}"


class IncompleteError(WorkError):
    """A mirror lacks something; what came is kept."""

    def __init__(self, lacking: Collection[Lacking], wanted: int) -> None:
        self.lacking = tuple(sorted(lacking))
        advice = "what came is kept, so run the same command again"
        table = "".join(f"\n  {row}" for row in self.lacking)
        super().__init__(f"{len(self.lacking)} of {wanted} files could not be had; {advice}:{table}")
