"""What the pages tell, as values: texts as they are, escaped by nobody yet."""

from dataclasses import dataclass

from stackgen.delivered import Delivered
from stackgen.effects import release_variable
from stackgen.inside.launcher.deprecation import Deprecation
from stackgen.recorded import Decided, Machine
from stackgen.release import Check, InstalledFramework

SOURCES = {"wheels": "wheels", "spack": "Spack", "container": "a container"}
"""What a framework is made from, in words."""
UNKNOWN = "unknown"
"""Whose GPUs the image of somebody else serves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What to write after `module load`, and what that loads."""

    text: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A variable that a module sets, and why."""

    variable: str
    value: str
    origin: str
    """Whose word it is; empty where the release does not say."""
    place: str
    why: str
    instead_of: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A job script of a release."""

    shape: str
    """Of how many processes and nodes it is, in a few words."""
    path: str
    text: str
    """Empty where it differs from another partition's in numbers alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A partition's job scripts for a framework."""

    name: str
    nodes: str
    time: str
    scripts: tuple[Script, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What `stackgen bench` has measured, as a table; the first cell of a row names it."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkPage:
    """All that users are told of a framework."""

    installed: InstalledFramework
    title: str
    summary: str
    homepage: str
    """An address of the web, or nothing."""
    module: str
    """With namespace and version."""
    default: bool
    lines: tuple[Line, ...]
    gpu: str
    """Whose GPUs it has code for; empty where it runs on CPUs alone."""
    features: tuple[tuple[str, str], ...]
    """Each with what it means."""
    packages: tuple[Delivered, ...]
    settings: tuple[Setting, ...]
    decided: tuple[Decided, ...]
    partitions: tuple[Partition, ...]
    kernels: tuple[str, ...]
    """As Jupyter shows them."""
    checks: tuple[Check, ...]
    measured: tuple[Table, ...]
    changes: tuple[str, ...]
    leaving: Deprecation | None
    """That users should leave this version, or can no longer load it."""
    withdrawn: bool
    """Whether they can no longer load it."""
    limits: str
    """What of it is not supported."""
    missing: bool
    """Whether its files are gone."""

    @property
    def name(self) -> str:
        """Its key in the release."""
        return self.installed.name

    @property
    def copied(self) -> Script:
        """The job script that the page tells how to copy: the largest of the usual partition."""
        return next(one for partition in self.partitions for one in reversed(partition.scripts) if one.text)

    @property
    def failed(self) -> int:
        """How many checks have failed."""
        return sum(not check.passed for check in self.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A directory of the hierarchy: what opens it, and the modules in it."""

    name: str
    """`Core`, or the MPI that opens it."""
    modules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePage:
    """All that users are told of a release."""

    name: str
    environment: str
    system: str
    namespace: str
    published: str
    """The day, or nothing."""
    current: bool
    before: str
    """The release that was published before it, or nothing."""
    changes: tuple[str, ...]
    """Since that one."""
    machine: Machine | None
    decided: tuple[Decided, ...]
    frameworks: tuple[FrameworkPage, ...]
    levels: tuple[Level, ...]
    unsupported: tuple[tuple[str, str], ...]
    venvs: bool
    """Whether its launcher makes virtual environments."""

    @property
    def variable(self) -> str:
        """The variable that tells where it lies while a framework is loaded."""
        return release_variable(self.namespace)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """A prefix as its users are told of it; the newest release first."""

    prefix: str
    site: str
    releases: tuple[ReleasePage, ...]

    @property
    def current(self) -> ReleasePage:
        """What `module load` takes."""
        return next(release for release in self.releases if release.current)
