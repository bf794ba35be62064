"""Versions as sites write them, and which of them fit together."""

from collections.abc import Iterable

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from stackgen.model.scalars import NEWEST


def specifier(version: str) -> SpecifierSet:
    """The specifier of a version as sites write it: `2.21` is any 2.21, `2.21.0` is that one.

    What only Spack or a container can call a version, such as `24.05-tf2-py3`, fits itself alone.
    """
    known = _known(version)
    return SpecifierSet(f"==={version}") if known is None else known


def fitting(wanted: str, versions: Iterable[str]) -> list[str]:
    """The versions that `wanted` means, the lowest first; a pre-release only where there is nothing else.

    What has no number, such as Spack's `develop`, is lower than all that has, and is meant by its name.
    """
    known = ordered(versions)
    numbered = [version for version in known if is_numbered(version)]
    named = [version for version in known if version not in numbered and wanted in {version, NEWEST}]
    return [*named, *specifier(wanted).filter(numbered)]


def ordered(versions: Iterable[str]) -> list[str]:
    """Versions of a framework, whatever it comes from, the lowest first."""
    known = sorted(versions)
    numbered = sorted((version for version in known if is_numbered(version)), key=Version)
    return [*(version for version in known if not is_numbered(version)), *numbered]


def is_numbered(version: str) -> bool:
    """Whether it is a version of Python packages' (PEP 440), which has an order."""
    try:
        Version(version)
    except InvalidVersion:
        return False
    return True


def may_be(version: str, wanted: str) -> bool:
    """Whether wheels asked for as `version` can come out as one that `wanted` means."""
    if _known(wanted) is None:
        return False
    if is_exact(version):
        return specifier(wanted).contains(version, prereleases=True)
    return not is_exact(wanted) or specifier(version).contains(wanted, prereleases=True)


def _known(version: str) -> SpecifierSet | None:
    """The specifier of a version of wheels (PEP 440); None of anything else."""
    if version == NEWEST:
        return SpecifierSet()
    try:
        return SpecifierSet(f"=={version}" if is_exact(version) else f"=={Version(version)}.*")
    except InvalidVersion:
        pass
    try:
        return SpecifierSet(version)
    except InvalidSpecifier:
        return None


def is_exact(version: str) -> bool:
    """Whether one version alone is meant: 2.21.0 or 2.21rc1, and neither 2.21 nor a range."""
    try:
        parsed = Version(version)
    except InvalidVersion:
        return False
    return len(parsed.release) >= 3 or version != parsed.base_version
