"""Sources of made-up packages, a lock that names them, and somebody who knows where they are."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stackgen.lock import Lock, LockedSource, SpackLock, inputs
from stackgen.model import Environment, System
from stackgen.plan import plan

EMPTY = '{"_meta": {"file-type": "spack-lockfile"}, "roots": [], "concrete_specs": {}}'


def content(name: str, size: int = 2**18) -> bytes:
    """Bytes that do not compress, of this name's own."""
    return b"".join(hashlib.sha256(f"{name} {n}".encode()).digest() for n in range(size // 32))


def source(name: str, size: int = 2**18, *, manual: bool = False) -> LockedSource:
    """The source `NAME-1.0.tar.gz` of a package, its content that of its name."""
    sha256 = hashlib.sha256(content(name, size)).hexdigest()
    return LockedSource(
        package=name,
        version="1.0",
        kind="source",
        name=f"{name}-1.0.tar.gz",
        sha256=sha256,
        commit="",
        path=f"_source-cache/archive/{sha256[:2]}/{sha256}.tar.gz",
        manual=manual,
    )


def commit(name: str) -> LockedSource:
    """A commit of a package's repository."""
    number = hashlib.sha1(name.encode()).hexdigest()
    return LockedSource(
        package=name,
        version="1.0",
        kind="source",
        name=f"{name}.git",
        sha256="",
        commit=number,
        path=f"_source-cache/git/{name}/{name}.git/{number}.tar.gz",
        manual=False,
    )


def locked(*sources: LockedSource, environment: str = "site") -> Lock:
    """A lock that can be written and read, of nothing but these sources."""
    asked = Environment.model_validate(
        {"name": environment, "release": "1", "system": "there", "prefix": "/site/ai", "packages": ["zlib"]}
        | {"frameworks": {"zlib": {"from": "spack", "version": "1.3.1", "import": "zlib"}}}
    )
    system = System.model_validate({"name": "there", "os": "rhel8", "glibc": "2.28", "target": "zen2"})
    return Lock(
        environment=environment,
        inputs=inputs(plan(asked, system)),
        spack=(
            SpackLock(name="toolchain", text=EMPTY, sources=tuple(sorted(sources))),
            SpackLock(name="zlib", text=EMPTY),
        ),
    )


@dataclass
class Makers:
    """Who knows where sources are, and packs commits: the bytes of a commit are those of its path."""

    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Addresses by path."""
    refused: str = ""
    """Why commits cannot be had, where they cannot."""
    asked: list[str] = field(default_factory=list)
    """The paths that were asked for."""

    def addresses(self, paths: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """As `known` has them."""
        self.asked += sorted(paths)
        return {path: self.known[path] for path in paths if path in self.known}

    def archive(self, paths: Collection[str], into: Path) -> Mapping[str, str]:
        """Packed, or refused."""
        self.asked += sorted(paths)
        for path in () if self.refused else paths:
            (into / path).parent.mkdir(parents=True)
            (into / path).write_bytes(content(path))
        return dict.fromkeys(paths, self.refused) if self.refused else {}
