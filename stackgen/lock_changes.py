"""What differs between the packages of two locks or releases."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from stackgen.closure import closure
from stackgen.config import load
from stackgen.environments import is_framework
from stackgen.errors import InputError, Place
from stackgen.lock import Images, SpackLock, read_lock
from stackgen.release import LOCK, Release

Packages = Mapping[str, Mapping[str, str]]
"""Versions by normalized package name by framework."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Change:
    """A package that is in one of two sets only, or in both with different versions."""

    framework: str
    package: str
    old: str | None
    """The version before; None where the package was added."""
    new: str | None
    """The version after; None where the package was removed."""

    @property
    def kind(self) -> str:
        """`added`, `removed` or `changed`."""
        if self.old is None:
            return "added"
        return "removed" if self.new is None else "changed"


def difference(old: Packages, new: Packages) -> tuple[Change, ...]:
    """Every package that differs, sorted by framework and name."""
    return tuple(
        change
        for framework in sorted(old.keys() | new.keys())
        for change in _framework_difference(framework, old.get(framework, {}), new.get(framework, {}))
    )


def _framework_difference(framework: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for package in sorted(old.keys() | new.keys()):
        before, after = old.get(package), new.get(package)
        if before != after:
            yield Change(framework=framework, package=package, old=before, new=after)


def packages_at(path: Path) -> Packages:
    """What a lock's directory, an environment file with its lock, or a release's directory holds."""
    if path.is_file():
        return _locked_packages(path.parent / f"{load(path).environment.name}.lock")
    if (path / "release.json").is_file():
        return _released_packages(path / "release.json")
    if path.is_dir():
        return _locked_packages(path)
    raise InputError.of(
        f"{path} is not there", "name a lock's directory, an environment file or a release's directory"
    )


def _locked_packages(directory: Path) -> Packages:
    lock = read_lock(directory)
    wheels = {
        wheels.framework: {package.name: package.version for package in wheels.packages}
        for wheels in lock.wheels
    }
    spack = {solved.name: _solved_packages(solved) for solved in lock.spack}
    images = _image_packages(lock.images)
    found = wheels | spack
    return found | {name: {**found.get(name, {}), **images[name]} for name in images}


def _image_packages(images: Images) -> dict[str, dict[str, str]]:
    """The packages of the base, and by framework the images and what is added, by their digests."""
    base = {"base": {deb.package: deb.version for deb in images.base}} if images.base else {}
    found: dict[str, dict[str, str]] = defaultdict(dict, base)
    for image in images.images:
        found[image.framework][image.reference or "image"] = image.digest
    for context in images.contexts:
        for file in context.files:
            found[context.framework][file.name] = f"sha256:{file.sha256}"
    return dict(found)


def _solved_packages(solved: SpackLock) -> Mapping[str, str]:
    """Of a framework what its release would say; of what others stand on all."""
    if is_framework(solved.name):
        return closure(solved.text, solved.roots[0]).packages
    return solved.packages


def _released_packages(path: Path) -> Packages:
    place = Place(file=str(path))
    try:
        release = Release.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise InputError.of(what, "check its permissions", place=place) from None
    except (ValidationError, ValueError, RecursionError):
        raise InputError.of(
            "is no release that this stackgen can read", "name another", place=place
        ) from None
    # A framework and its image have the same: the framework says what is in both.
    own = {one.name: one.packages for one in release.frameworks if not one.is_packed}
    below = _foundations(path.with_name(LOCK))
    return own | {name: {**own.get(name, {}), **below[name]} for name in below}


def _foundations(directory: Path) -> Packages:
    """What the frameworks of a release stand on; nothing where an older stackgen has locked it otherwise."""
    try:
        lock = read_lock(directory)
    except InputError:
        return {}
    spack = {solved.name: solved.packages for solved in lock.spack if not is_framework(solved.name)}
    return {**spack, **_image_packages(lock.images)}
