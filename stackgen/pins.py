"""Which Spack stackgen works with, and what proves that it is that one."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One of the two repositories at one commit.

    `tree` is git's own digest of `below`, the part that is kept (empty: all of it), names and modes
    included: whoever has files of that digest has what the commit holds, wherever they came from.
    """

    name: str
    version: str
    commit: str
    address: str
    tag: str
    below: str
    tree: str
    files: int
    sign: str
    """A file that every copy has; it tells which of the two an archive or a directory holds."""

    @property
    def title(self) -> str:
        """What people call it."""
        return f"Spack {self.version}" if self.name == "spack" else f"Spack's packages {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """Spack and its package repository, as they were tested together."""

    spack: Pin
    packages: Pin

    def __iter__(self) -> Iterator[Pin]:
        return iter((self.spack, self.packages))

    @property
    def digest(self) -> str:
        """A short name for this pair, for paths."""
        return hashlib.sha256(f"{self.spack.tree} {self.packages.tree}".encode()).hexdigest()[:12]


PINS = Pins(
    spack=Pin(
        name="spack",
        version="1.1.0",
        commit="2e907202bcc8209a6a62243aab50c179b524cc3b",
        address="https://github.com/spack/spack.git",
        tag="v1.1.0",
        below="",
        tree="c8e4b8166d4aaa26ff0e515265d047b02cae3e2b",
        files=1752,
        sign="bin/spack",
    ),
    packages=Pin(
        name="packages",
        version="2025.11.0",
        commit="119680aeee8ea802c6111b7167583bddef97e82f",
        address="https://github.com/spack/spack-packages.git",
        tag="v2025.11.0",
        below="repos",
        tree="7e2a4787dbfce4b821c4c1130efcaabc19bf6281",
        files=10695,
        sign="spack_repo/builtin/repo.yaml",
    ),
)
