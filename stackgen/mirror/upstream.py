"""What a mirror has to ask about Spack's sources and about images: addresses are in no lock."""

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


class BlobSource(Protocol):
    """Whoever knows where images come from; a blob is meant by its SHA-256 in hex."""

    def bring(self, digests: Collection[str], layout: Path) -> Mapping[str, str]:
        """Bring blobs into the `blobs/sha256` of a directory; why not, for each that does not come.

        What an earlier run has left there is used.
        """
        ...


class Unknown:
    """Nobody who knows the recipes, or where images come from, is here."""

    def addresses(self, paths: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """None."""
        return {}

    def archive(self, paths: Collection[str], into: Path) -> Mapping[str, str]:
        """Nothing comes."""
        return dict.fromkeys(paths, "only Spack can fetch it, and nobody asked it")

    def bring(self, digests: Collection[str], layout: Path) -> Mapping[str, str]:
        """Nothing comes."""
        return dict.fromkeys(digests, "no registry was asked for it")
