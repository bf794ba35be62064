"""A plan, and what is in it: after planning nothing is optional."""

from dataclasses import dataclass

from stackgen.model import Feature, SourceBuild, System
from stackgen.settings import Setting, decided


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What wheels must run on: `architecture` as x86_64, `glibc` as 2.28 (the floor)."""

    architecture: str
    glibc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What every planned framework has, whatever its source."""

    module: str
    """The module's name below the namespace."""
    title: str
    summary: str
    homepage: str
    version: str
    """As asked for: a version, a specifier or `newest`; the lock knows the exact one."""
    said: tuple[Setting, ...]
    """Settings as features, system and framework want them, also those that another one overrides."""
    features: tuple[Feature, ...]
    verify: str
    """The stem of the built-in verify script below `stackgen/verify/`."""
    site_verify: str
    """The site's own verify script relative to the YAML file, or empty."""

    @property
    def settings(self) -> tuple[tuple[str, str], ...]:
        """Environment variables as the module sets them, sorted by name."""
        return tuple((setting.variable, setting.value) for setting in decided(self.said).values())


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelsPlan:
    """A framework to be installed from wheels."""

    name: str
    about: About
    python: str
    """Major and minor version, such as 3.11."""
    builds_python: bool = False
    """Whether Spack builds that Python; otherwise the system has it."""
    package: str
    """Normalized name of the distribution that is the framework."""
    imports: str
    requirements: tuple[str, ...]
    """All that is asked of the index, the framework first."""
    sdists: tuple[SourceBuild, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpackPlan:
    """A framework that Spack is to build."""

    name: str
    about: About
    spec: str
    """What Spack is asked for; version and Python are in it."""
    features: tuple[str, ...]
    """The specs that its features and its `requires` ask for beside it."""
    imports: str
    """Empty where it may have nothing to import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerPlan:
    """A framework in an image."""

    name: str
    about: About
    image: str


FrameworkPlan = WheelsPlan | SpackPlan | ContainerPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An environment on its system, complete."""

    environment: str
    release: str
    prefix: str
    system: System
    platform: Platform
    namespace: str
    defaults: tuple[tuple[str, str], ...]
    toolchain: tuple[tuple[str, str], ...]
    """The Spack spec of each part that is named or there: `compiler`, `cuda`, `math`, `mpi`; sorted."""
    other_mpis: tuple[str, ...]
    """Specs of further MPIs, on which the packages are built as well."""
    packages: tuple[str, ...]
    frameworks: tuple[FrameworkPlan, ...]
    """Sorted by name."""

    @property
    def place(self) -> str:
        """The directory of its release, once that is published."""
        return f"{self.prefix}/releases/{self.release}"

    @property
    def wheels(self) -> tuple[WheelsPlan, ...]:
        """The frameworks that come from wheels."""
        return tuple(framework for framework in self.frameworks if isinstance(framework, WheelsPlan))

    @property
    def pythons(self) -> tuple[str, ...]:
        """The versions of Python that Spack builds for frameworks from wheels, sorted."""
        return tuple(sorted({framework.python for framework in self.wheels if framework.builds_python}))

    @property
    def spack(self) -> tuple[SpackPlan, ...]:
        """The frameworks that Spack builds."""
        return tuple(framework for framework in self.frameworks if isinstance(framework, SpackPlan))
