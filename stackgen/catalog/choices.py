"""What the overview's filters offer, and what is in earlier releases alone."""

from collections.abc import Iterable
from dataclasses import dataclass

from stackgen.catalog.values import SOURCES, UNKNOWN, Catalog, FrameworkPage
from stackgen.modules import in_order

_MOST = 40_000
"""Characters of the names of packages that the overview may have beside all else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A filter: its key, its words, and the values that it offers with theirs."""

    key: str
    label: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Older:
    """A module and version that is in earlier releases alone; the newest of them says what it is."""

    page: FrameworkPage
    releases: tuple[str, ...]


def choices(catalog: Catalog) -> tuple[Choice, ...]:
    """What can be chosen among all releases; what offers no choice is left out."""
    pages = [page for release in catalog.releases for page in release.frameworks]
    offered = (
        ("framework", "Framework", _same(page.installed.module for page in pages)),
        ("version", "Version", _versions(pages)),
        ("gpu", "GPU", _gpus(pages)),
        ("source", "Made from", _sources(pages)),
        ("release", "Release", [(one.name, one.name) for one in catalog.releases]),
    )
    return tuple(
        Choice(key=key, label=label, values=tuple(values))
        for key, label, values in offered
        if len(values) > 1
    )


def _same(values: Iterable[str]) -> list[tuple[str, str]]:
    return [(value, value) for value in sorted(set(values))]


def _versions(pages: Iterable[FrameworkPage]) -> list[tuple[str, str]]:
    return [(one, one) for one in reversed(in_order({page.installed.version for page in pages}))]


def _gpus(pages: Iterable[FrameworkPage]) -> list[tuple[str, str]]:
    words = {"": ("cpu", "CPUs alone"), UNKNOWN: (UNKNOWN, "not known")}
    makers = sorted({page.gpu for page in pages}, reverse=True)
    return [words.get(maker, (maker, f"{maker} GPUs")) for maker in makers]


def _sources(pages: Iterable[FrameworkPage]) -> list[tuple[str, str]]:
    return [(one, SOURCES[one]) for one in sorted({page.installed.source for page in pages})]


def searched(catalog: Catalog) -> dict[str, str]:
    """The packages by which each current framework is found too; none where the page would be too large."""
    found = {
        page.name: " ".join(package.name for package in page.packages) for page in catalog.current.frameworks
    }
    return found if sum(map(len, found.values())) <= _MOST else {}


def releases_with(catalog: Catalog, module: str) -> tuple[str, ...]:
    """The releases that have a module of this version, the newest first."""
    return tuple(
        release.name
        for release in catalog.releases
        if any(page.module == module for page in release.frameworks)
    )


def older_modules(catalog: Catalog) -> tuple[Older, ...]:
    """Those that are in no current release, by their modules; of each version one."""
    current = {page.module for page in catalog.current.frameworks}
    found: dict[str, Older] = {}
    for release in catalog.releases:
        for page in release.frameworks:
            if page.module not in current and page.module not in found:
                found[page.module] = Older(page=page, releases=releases_with(catalog, page.module))
    return tuple(found[module] for module in sorted(found))
