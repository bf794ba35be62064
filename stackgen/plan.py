"""Every default filled, every name resolved: what the later stages need, and nothing optional."""

from dataclasses import dataclass
from typing import assert_never

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from stackgen.errors import Fault, InputError
from stackgen.frameworks import distribution, kept_settings, knowledge
from stackgen.model import (
    ContainerFramework,
    Environment,
    Feature,
    Framework,
    SourceBuild,
    SpackFramework,
    System,
    WheelsFramework,
)
from stackgen.model.scalars import NEWEST


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
    settings: tuple[tuple[str, str], ...]
    """Environment variables, the features', the system's and the framework's own joined, sorted by name."""
    features: tuple[Feature, ...]
    verify: str
    """The stem of the built-in verify script below `stackgen/verify/`."""
    site_verify: str
    """The site's own verify script relative to the YAML file, or empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelsPlan:
    """A framework to be installed from wheels."""

    name: str
    about: About
    python: str
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
    packages: tuple[str, ...]
    frameworks: tuple[FrameworkPlan, ...]
    """Sorted by name."""

    @property
    def wheels(self) -> tuple[WheelsPlan, ...]:
        """The frameworks that come from wheels."""
        return tuple(framework for framework in self.frameworks if isinstance(framework, WheelsPlan))


def plan(environment: Environment, system: System) -> Plan:
    """The plan of an environment on a system; InputError where a default cannot be had."""
    faults = [
        *_python_faults(environment, system),
        *_import_faults(environment),
        *_module_faults(environment),
    ]
    if faults:
        raise InputError(*faults)
    return Plan(
        environment=environment.name,
        release=environment.release,
        prefix=environment.prefix,
        system=system,
        platform=Platform(architecture=system.architecture, glibc=system.glibc),
        namespace=environment.modules.namespace,
        defaults=tuple(sorted(environment.modules.defaults.items())),
        packages=environment.packages,
        frameworks=tuple(
            _planned(name, framework, system) for name, framework in sorted(environment.frameworks.items())
        ),
    )


def _python_faults(environment: Environment, system: System) -> list[Fault]:
    return [
        Fault(
            where=f"frameworks.{name}.python",
            what=f"no Python is named, and the system {system.name} lists none",
            remedy="add `python: 3.11` here or `pythons:` to the system",
        )
        for name, framework in environment.frameworks.items()
        if isinstance(framework, WheelsFramework) and not framework.python and not system.pythons
    ]


def _import_faults(environment: Environment) -> list[Fault]:
    return [
        Fault(
            where=f"frameworks.{name}.import",
            what=f"what a program imports of {name} is not known",
            remedy="add `import:` and what stands after it in Python",
        )
        for name, framework in environment.frameworks.items()
        if isinstance(framework, WheelsFramework)
        and not (framework.imports or knowledge(name, framework.module).imports)
        .replace(".", "_")
        .isidentifier()
    ]


def _module_faults(environment: Environment) -> list[Fault]:
    seen: dict[tuple[str, str], str] = {}
    faults = []
    for name, framework in environment.frameworks.items():
        module = (framework.module or name, framework.version)
        if module in seen:
            what = f"{seen[module]} and {name} would both be the module {'/'.join(module)}"
            faults.append(Fault(where=f"frameworks.{name}", what=what, remedy="give one another `module:`"))
        seen[module] = name
    modules = {module for module, _ in seen}
    for name in environment.modules.defaults.keys() - modules:
        remedy = f"use one of {', '.join(sorted(modules))}"
        faults.append(
            Fault(where=f"modules.defaults.{name}", what=f"no framework has the module {name}", remedy=remedy)
        )
    return sorted(faults)


def _planned(name: str, framework: Framework, system: System) -> FrameworkPlan:
    about = _about(name, framework, system)
    match framework:
        case WheelsFramework():
            return _wheels(name, about, framework, system)
        case SpackFramework():
            return SpackPlan(name=name, about=about, spec=framework.spec or name)
        case ContainerFramework():
            return ContainerPlan(name=name, about=about, image=framework.image)
    assert_never(framework)


def _about(name: str, framework: Framework, system: System) -> About:
    known = knowledge(name, framework.module)
    return About(
        module=framework.module or name,
        title=known.title,
        summary=known.summary,
        homepage=known.homepage,
        version=framework.version,
        settings=tuple(
            sorted(
                {**kept_settings(known, framework.features), **system.settings, **framework.settings}.items()
            )
        ),
        features=tuple(sorted(set(framework.features))),
        verify=known.verify,
        site_verify=framework.verify or "",
    )


def _wheels(name: str, about: About, framework: WheelsFramework, system: System) -> WheelsPlan:
    known = knowledge(name, framework.module)
    asked = Requirement(framework.package or distribution(known, system))
    asked.specifier = specifier(framework.version)
    extra = {"pip", *known.companions} | ({"ipykernel"} if Feature.JUPYTER in framework.features else set())
    return WheelsPlan(
        name=name,
        about=about,
        python=framework.python or system.pythons[0].version,
        package=canonicalize_name(asked.name),
        imports=framework.imports or known.imports,
        requirements=(str(asked), *sorted({*framework.requires, *extra})),
        sdists=framework.sdists,
    )


def specifier(version: str) -> SpecifierSet:
    """The specifier of a version as sites write it: `2.21` is any 2.21, `2.21.0` is that one."""
    if version == NEWEST:
        return SpecifierSet()
    try:
        parsed = Version(version)
    except InvalidVersion:
        return SpecifierSet(version)
    short = len(parsed.release) < 3 and version == parsed.base_version
    return SpecifierSet(f"=={version}.*" if short else f"=={version}")
