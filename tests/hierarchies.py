"""Packages as Spack would have locked, built and described them; nothing of them is there."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stackgen.hierarchy import Described, DescribedEffect
from stackgen.lock import SpackLock

LINK, RUN, BUILD = ("link",), ("build", "link", "run"), ("build",)


@dataclass(frozen=True, kw_only=True)
class Made:
    """A package; `needs` has the names of others and as what they are needed."""

    name: str
    version: str = "1.0"
    build: str = ""
    """Tells two of one version apart."""
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mpi: str = ""
    """Which of `needs` is its MPI."""
    prefix: str = ""
    """Of an external."""
    summary: str = ""
    effects: tuple[DescribedEffect, ...] = ()
    directories: Mapping[str, str] = field(default_factory=lambda: {"PATH": "bin"})
    """What is prepended, by variable."""

    @property
    def hash(self) -> str:
        return hashlib.sha256(f"{self.name}@{self.version}{self.build}".encode()).hexdigest()[:32]

    def place(self, store: Path) -> str:
        return self.prefix or str(store / f"{self.name}-{self.version}-{self.hash}")


def effect(kind: str, variable: str, value: str, separator: str = ":") -> DescribedEffect:
    return DescribedEffect(kind=kind, variable=variable, value=value, separator=separator)


def locked(made: Iterable[Made], roots: Iterable[str], name: str = "toolchain") -> SpackLock:
    """A lock of these packages, of which `roots` were asked for."""
    known = {one.name: one for one in made}
    entries = {one.hash: _entry(one, known) for one in known.values()}
    asked = [{"hash": known[root].hash, "spec": root} for root in roots]
    meta = {"file-type": "spack-lockfile", "lockfile-version": 6, "specfile-version": 5}
    return SpackLock(
        name=name, text=json.dumps({"_meta": meta, "roots": asked, "concrete_specs": entries}, indent=1)
    )


def _entry(one: Made, known: Mapping[str, Made]) -> dict[str, object]:
    return {
        "name": one.name,
        "version": one.version,
        "arch": {"platform": "linux", "platform_os": "debian12", "target": "x86_64"},
        **({"external": {"path": one.prefix, "module": None}} if one.prefix else {}),
        "parameters": {},
        "dependencies": [
            {
                "name": name,
                "hash": known[name].hash,
                "parameters": {
                    "deptypes": list(kinds),
                    "virtuals": ["mpi"] if name == one.mpi else ["c"] if name == "gcc" else [],
                },
            }
            for name, kinds in one.needs.items()
        ],
    }


def described(made: Iterable[Made], store: Path) -> dict[str, Described]:
    """What Spack's generator would tell of these packages."""
    return {one.hash: _described(one, one.place(store)) for one in made}


def _described(one: Made, place: str) -> Described:
    found = (effect("PrependPath", name, f"{place}/{below}") for name, below in one.directories.items())
    return Described(
        hash=one.hash,
        prefix=place,
        summary=one.summary or f"All about {one.name}.",
        homepage=f"https://{one.name}.example",
        variants="+shared build_system=generic",
        effects=(*found, *one.effects),
    )
