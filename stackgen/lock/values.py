"""What an environment resolves to, as values."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
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

    @property
    def as_blob(self) -> "LockedFile":
        """The same as a part of an image, which has no name but its hash."""
        return replace(self, name=f"sha256-{self.sha256}")


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


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LockedLayer:
    """A layer of an image; its file is named `sha256-` and the digits of its digest, as every blob."""

    file: LockedFile
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LockedImage:
    """An image of one architecture: its manifest, and all that this names."""

    framework: str
    """Whose it is, or `base`; a Dockerfile may need several."""
    reference: str
    """Its name in a registry; empty where it comes from an archive or a directory."""
    digest: str
    """As it was asked for: `sha256:` and 64 digits, of the manifest or of a list of manifests."""
    architecture: str
    """As wheels name it: x86_64, aarch64, ppc64le."""
    manifest: LockedFile
    config: LockedFile
    layers: tuple[LockedLayer, ...]
    """The lowest first."""

    @property
    def files(self) -> tuple[LockedFile, ...]:
        """Every blob, each once."""
        return tuple(sorted({self.manifest, self.config, *(layer.file for layer in self.layers)}))


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LockedContext:
    """What lies beside the environment's file and goes into the image of a framework, packed.

    `context.tar` is the directory of a Dockerfile; `added.tar` has the files that are added, at their places.
    """

    framework: str
    files: tuple[LockedFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LockedDeb:
    """A package of a distribution."""

    package: str
    version: str
    file: LockedFile
    path: str
    """Where it lies below any mirror of the distribution; never an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """What the images of an environment are made from, each list sorted."""

    images: tuple[LockedImage, ...] = ()
    contexts: tuple[LockedContext, ...] = ()
    base: tuple[LockedDeb, ...] = ()
    """Of packed images, where they stand on a distribution."""

    @property
    def files(self) -> tuple[LockedFile, ...]:
        """Every file, each once, as a mirror has it."""
        blobs = {file for image in self.images for file in image.files}
        archives = {file.as_blob for context in self.contexts for file in context.files}
        return tuple(sorted(blobs | archives | {package.file for package in self.base}))

    def of(self, framework: str) -> tuple[LockedImage, ...]:
        """The images of a framework, or of the base."""
        return tuple(image for image in self.images if image.framework == framework)

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.images or self.contexts or self.base)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The lock of an environment: what was asked, and what it resolved to, sorted by framework."""

    environment: str
    inputs: Mapping[str, Json]
    wheels: tuple[WheelLock, ...] = ()
    spack: tuple[SpackLock, ...] = ()
    """Sorted by name."""
    images: Images = Images()

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
        """Every file of every framework, and of what images are made from, each once."""
        wheels = {file for wheels in self.wheels for file in wheels.files}
        return tuple(sorted(wheels | {*self.images.files}))


def digest(value: Json) -> str:
    """SHA-256 in hex of a JSON value in its canonical form."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
