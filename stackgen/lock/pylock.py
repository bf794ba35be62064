"""The packages of a framework as the text of a `pylock.toml` without addresses, and back (PEP 751)."""

import re
import tomllib
from pathlib import PurePosixPath

import tomli_w
from packaging.pylock import Package, PackageSdist, PackageWheel, Pylock, PylockValidationError

from stackgen.lock.values import LockedFile, LockedPackage

FILES = "wheels"
"""The directory that paths in the lock begin with; where it lies is for the reader to say."""


def pylock_text(packages: tuple[LockedPackage, ...], python: str) -> str:
    """The same packages give the same bytes."""
    document = {
        "lock-version": "1.0",
        "requires-python": f"=={python}.*",
        "created-by": "stackgen",
        "packages": [_table(package) for package in packages],
    }
    return tomli_w.dumps(document)


def _table(package: LockedPackage) -> dict[str, object]:
    file = package.file
    entry = {"path": f"{FILES}/{file.name}", "size": file.size, "hashes": {"sha256": file.sha256}}
    kind = {"wheels": [entry]} if package.is_wheel else {"sdist": entry}
    return {"name": package.name, "version": package.version, **kind}


def parse_pylock(text: str, python: str) -> tuple[LockedPackage, ...]:
    """The packages of a text that `pylock_text` wrote; ValueError says what is wrong with any other."""
    try:
        document = Pylock.from_dict(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, PylockValidationError, RecursionError) as error:
        raise ValueError(f"is no valid pylock.toml: {error}") from None
    packages = tuple(_package(package) for package in document.packages)
    names = [package.name for package in packages]
    if names != sorted(set(names)):
        raise ValueError("does not list each package once, in order")
    if pylock_text(packages, python) != text:
        raise ValueError("holds something that stackgen does not write")
    return packages


def _package(package: Package) -> LockedPackage:
    match package:
        case Package(sdist=None, wheels=[wheel]):
            file = _file(package.name, wheel)
        case Package(sdist=PackageSdist() as sdist, wheels=None):
            file = _file(package.name, sdist)
        case _:
            raise ValueError(f"has not exactly one file for {package.name}")
    return LockedPackage(name=package.name, version=str(package.version), file=file)


def _file(package: str, entry: PackageWheel | PackageSdist) -> LockedFile:
    if entry.url is not None:
        raise ValueError(f"names an address for {package}")
    name = PurePosixPath(entry.path or "").name
    if entry.path != f"{FILES}/{name}" or name in {"", ".."} or not name.isprintable():
        raise ValueError(f"has the path {entry.path!r} for {package}, not {FILES}/ and a name")
    if entry.size is None or entry.size < 0:
        raise ValueError(f"has no right size for {package}")
    sha256 = entry.hashes.get("sha256", "")
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ValueError(f"has no right SHA-256 for {package}")
    return LockedFile(name=name, size=entry.size, sha256=sha256)
