"""What a mirror has to ask about Spack's sources: addresses are in no lock."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol


class Upstream(Protocol):
    """Whoever knows the recipes; a source is meant by its path below a mirror of Spack's."""

    def addresses(self, paths: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Where the makers of these sources offer them; nothing where that is not known."""
        ...

    def archive(self, paths: Collection[str], into: Path) -> Mapping[str, str]:
        """Bring what is no plain file below a directory; why not, for each that does not come."""
        ...


class Unknown:
    """Nobody who knows the recipes is here."""

    def addresses(self, paths: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """None."""
        return {}

    def archive(self, paths: Collection[str], into: Path) -> Mapping[str, str]:
        """Nothing comes."""
        return dict.fromkeys(paths, "only Spack can fetch it, and nobody asked it")
