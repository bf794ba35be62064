"""Versions as sites write them, and which of them fit together."""

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from stackgen.model.scalars import NEWEST


def specifier(version: str) -> SpecifierSet:
    """The specifier of a version as sites write it: `2.21` is any 2.21, `2.21.0` is that one.

    What only Spack or a container can call a version, such as `24.05-tf2-py3`, fits itself alone.
    """
    known = _known(version)
    return SpecifierSet(f"==={version}") if known is None else known


def may_be(version: str, wanted: str) -> bool:
    """Whether wheels asked for as `version` can come out as one that `wanted` means."""
    if _known(wanted) is None:
        return False
    if _is_exact(version):
        return specifier(wanted).contains(version, prereleases=True)
    return not _is_exact(wanted) or specifier(version).contains(wanted, prereleases=True)


def _known(version: str) -> SpecifierSet | None:
    """The specifier of a version of wheels (PEP 440); None of anything else."""
    if version == NEWEST:
        return SpecifierSet()
    try:
        return SpecifierSet(f"=={version}" if _is_exact(version) else f"=={Version(version)}.*")
    except InvalidVersion:
        pass
    try:
        return SpecifierSet(version)
    except InvalidSpecifier:
        return None


def _is_exact(version: str) -> bool:
    """Whether one version alone is meant: 2.21.0 or 2.21rc1, and neither 2.21 nor a range."""
    try:
        parsed = Version(version)
    except InvalidVersion:
        return False
    return len(parsed.release) >= 3 or version != parsed.base_version
