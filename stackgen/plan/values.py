"""A plan, and what is in it: after planning nothing is optional."""

from dataclasses import dataclass

from stackgen.inside.launcher.deprecation import Deprecation
from stackgen.model import Feature, SourceBuild, System
from stackgen.settings import Setting, decided
from stackgen.underlying import Underlying


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
class Packed:
    """An image with the prefix of a framework, the same that is there without it."""

    framework: WheelsPlan | SpackPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """An image of a registry."""

    reference: str
    """Its name, without the digest."""
    digest: str
    """Of its manifest, or of a list of them: `sha256:` and 64 digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """An OCI archive."""

    path: str
    """Relative to the environment's file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """An OCI layout, or a root file system."""

    path: str
    """Relative to the environment's file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dockerfile:
    """What a Dockerfile makes."""

    path: str
    """Relative to the environment's file; the directory that it lies in is its context."""


Origin = Packed | Pulled | Archive | Directory | Dockerfile
"""What an image is made from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerPlan:
    """A framework in an image."""

    name: str
    """Of a packed framework, its module's."""
    about: About
    origin: Origin
    python: str
    """Major and minor version of the Python in it; empty where there is none to be used."""
    imports: str
    """Empty where there is nothing to import."""
    commands: tuple[str, ...]
    """What its module offers, where the site has named it."""
    requirements: tuple[str, ...]
    """What is added to its Python from wheels."""
    files: tuple[tuple[str, str], ...]
    """What else is added: the place inside, and the file relative to the environment's; sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """The base of packed images: packages of a distribution."""

    name: str
    version: str
    packages: tuple[str, ...]
    """Those that the site wants besides the usual ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseImage:
    """The base of packed images: another image."""

    image: Pulled


Base = Distribution | BaseImage
"""What packed images stand on."""

FrameworkPlan = WheelsPlan | SpackPlan | ContainerPlan


def written_name(framework: FrameworkPlan) -> str:
    """The key below `frameworks` that asks for it."""
    match framework:
        case ContainerPlan(origin=Packed(framework=packed)):
            return packed.name
    return framework.name


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
    base: Base | None = None
    """What packed images stand on; None where there are none."""
    extends: Underlying | None = None
    """The stack below, which belongs to others; None where there is none."""
    wheelhouse: str = ""
    """Where the users' own packages come from, a directory or an address; empty where from anywhere."""
    deprecations: tuple[Deprecation, ...] = ()
    """Versions that users should leave, or can no longer load; sorted."""
    unsupported: tuple[tuple[str, str], ...] = ()
    """What is not here, and why, as users are told; sorted by name."""

    @property
    def containers(self) -> tuple[ContainerPlan, ...]:
        """The frameworks in images."""
        return tuple(framework for framework in self.frameworks if isinstance(framework, ContainerPlan))

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
