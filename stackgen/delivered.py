"""What is inside each framework of a release, as its users are told: names, versions, licences."""

from collections.abc import Iterable, Iterator, Mapping
from email.message import Message
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Literal

from packaging.utils import canonicalize_name

from stackgen.model.base import Strict
from stackgen.release import InstalledFramework
from stackgen.release_files import read_told
from stackgen.tree import File, Tree

PACKAGES = "share/packages"
"""Where a release keeps a file for each of its frameworks, relative to itself."""
_LONGEST = 80
"""Characters of a licence's name; what is longer is its text."""


class Delivered(Strict):
    """A package in a framework; what nobody says of it is empty."""

    name: str
    version: str
    license: str = ""
    """An SPDX expression, or what its makers call it."""
    summary: str = ""


class Contents(Strict):
    """`share/packages/<framework>.json`: all packages of a framework, by their names."""

    format: Literal[1] = 1
    packages: tuple[Delivered, ...]


def contents_tree(frameworks: Iterable[InstalledFramework], licenses: Mapping[str, str]) -> Tree:
    """The files of the frameworks, read from their prefixes; `licenses` of what says none itself."""
    files = {f"{framework.name}.json": _file(contents(framework, licenses)) for framework in frameworks}
    return Tree(files).below(PACKAGES)


def _file(value: Contents) -> File:
    return File(value.model_dump_json(indent=1) + "\n")


def contents(framework: InstalledFramework, licenses: Mapping[str, str]) -> Contents:
    """The packages of an installed framework, with what each says of itself."""
    found = dict(_installed(Path(framework.prefix))) if framework.python else {}
    return Contents(
        packages=tuple(
            _delivered(name, version, found.get(name), licenses)
            for name, version in sorted(framework.packages.items())
        )
    )


def read_contents(release: Path, framework: InstalledFramework) -> Contents:
    """What a release tells of a framework's packages; no licences in one by an older stackgen."""
    told = read_told(release / PACKAGES / f"{framework.name}.json", Contents)
    known = sorted(framework.packages.items())
    return told or Contents(packages=tuple(Delivered(name=name, version=version) for name, version in known))


def _installed(prefix: Path) -> Iterator[tuple[str, Distribution]]:
    places = [str(path) for path in sorted(prefix.glob("lib/python*/site-packages"))]
    for distribution in distributions(path=places):
        if name := distribution.metadata["Name"]:
            yield canonicalize_name(name), distribution


def _delivered(name: str, version: str, found: Distribution | None, licenses: Mapping[str, str]) -> Delivered:
    if found is None:
        return Delivered(name=name, version=version, license=licenses.get(name, ""))
    told = found.metadata
    assert isinstance(told, Message)
    summary = " ".join(str(told["Summary"] or "").split())
    return Delivered(
        name=name,
        version=version,
        license=license_of(told) or licenses.get(name, ""),
        summary="" if summary == "UNKNOWN" else summary,
    )


def license_of(told: Message) -> str:
    """The licence that a package's metadata name, in one short line, or nothing.

    https://packaging.python.org/en/latest/specifications/core-metadata: old packages have its text there.
    """
    if expression := told["License-Expression"]:
        return " ".join(str(expression).split())
    named = str(told["License"] or "").strip()
    if named and named != "UNKNOWN" and "\n" not in named and len(named) <= _LONGEST:
        return named
    classified = (str(one).split(" :: ") for one in told.get_all("Classifier", ()))
    names = (parts[-1] for parts in classified if parts[0] == "License" and parts[-1] != "OSI Approved")
    return ", ".join(dict.fromkeys(names))
