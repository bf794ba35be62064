"""What an environment resolves to, as values."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from stackgen.plan import Platform

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LockedFile:
    """A file by name, size in bytes and SHA-256 in hex; never by address."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LockedPackage:
    """A package and the one file that it is installed from."""

    name: str
    version: str
    file: LockedFile

    @property
    def is_wheel(self) -> bool:
        """Whether it is installed as it is; a source distribution is built first."""
        return self.file.name.endswith(".whl")


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelLock:
    """What a `wheels` framework resolves to, each list sorted by name."""

    framework: str
    python: str
    packages: tuple[LockedPackage, ...]
    build_packages: tuple[LockedPackage, ...] = ()
    """What building the source distributions needs; not installed."""

    @property
    def files(self) -> tuple[LockedFile, ...]:
        """Every file, each once."""
        return tuple(sorted({package.file for package in (*self.packages, *self.build_packages)}))

    def version(self, package: str) -> str:
        """The locked version of a package by its normalized name; KeyError where it is not in the lock."""
        return {locked.name: locked.version for locked in self.packages}[package]

    @property
    def digest(self) -> str:
        """SHA-256 in hex over everything that decides what is installed."""
        return digest({"python": self.python, "files": [[file.name, file.sha256] for file in self.files]})


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LockedSource:
    """A file, or a state of a repository, that Spack builds a package from; never an address."""

    package: str
    version: str
    kind: str
    """`source`, `patch` or `resource`."""
    name: str
    """What its makers call it; for people, and to find it among other files."""
    sha256: str
    """Empty where Spack knows none."""
    commit: str
    """Of git, where there is no SHA-256; where there is neither, the recipe pins nothing."""
    path: str
    """Where Spack looks for it below a mirror."""
    manual: bool
    """Whether nobody may fetch it: it is got by hand, its licence accepted."""


@lru_cache(maxsize=8)
def _parsed(text: str) -> Any:  # noqa: ANN401 - JSON
    """The JSON of a `spack.lock`, read once: some have half a megabyte."""
    return json.loads(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpackLock:
    """What one Spack environment resolves to: Spack's own `spack.lock`, verbatim.

    ValueError where the text is none. Source: `Environment._to_lockfile_dict` of Spack.
    """

    name: str
    """`toolchain`, or the framework's name."""
    text: str
    sources: tuple[LockedSource, ...] = ()
    """What has to be had to build it, each once, sorted."""

    def __post_init__(self) -> None:
        match _parsed(self.text):
            case {"_meta": {"file-type": "spack-lockfile"}, "roots": list(), "concrete_specs": dict()}:
                return
        raise ValueError("is no lock of Spack's")

    @property
    def packages(self) -> dict[str, str]:
        """The versions of everything in the graph by package name, several of one name joined by commas."""
        versions: dict[str, set[str]] = {}
        for node in _parsed(self.text)["concrete_specs"].values():
            versions.setdefault(str(node["name"]), set()).add(str(node["version"]))
        return {name: ", ".join(sorted(versions[name])) for name in sorted(versions)}

    @property
    def roots(self) -> tuple[str, ...]:
        """What was asked for, in the order of asking."""
        return tuple(str(root["spec"]) for root in _parsed(self.text)["roots"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The lock of an environment: what was asked, and what it resolved to, sorted by framework."""

    environment: str
    inputs: Mapping[str, Json]
    wheels: tuple[WheelLock, ...] = ()
    spack: tuple[SpackLock, ...] = ()
    """Sorted by name."""

    @property
    def platform(self) -> Platform:
        """What the lock was made for; KeyError where the inputs do not say."""
        match self.inputs:
            case {"system": {"architecture": str(architecture), "glibc": str(glibc)}}:
                return Platform(architecture=architecture, glibc=glibc)
        raise KeyError("system")

    def wheel_lock(self, framework: str) -> WheelLock:
        """The lock of one framework; KeyError where it has none."""
        return {lock.framework: lock for lock in self.wheels}[framework]

    @property
    def files(self) -> tuple[LockedFile, ...]:
        """Every file of every framework, each once."""
        return tuple(sorted({file for wheels in self.wheels for file in wheels.files}))


def digest(value: Json) -> str:
    """SHA-256 in hex of a JSON value in its canonical form."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
