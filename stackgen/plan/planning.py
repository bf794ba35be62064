"""From an environment and its system to a plan."""

from collections.abc import Iterator
from typing import assert_never

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from stackgen.combinations import sources
from stackgen.config.checks import PROVIDERS
from stackgen.errors import InputError
from stackgen.frameworks import distribution, knowledge
from stackgen.model import (
    ContainerFramework,
    Environment,
    Feature,
    Framework,
    SourceBuild,
    SpackFramework,
    System,
    Toolchain,
    WheelsFramework,
)
from stackgen.model.specs import pinned
from stackgen.plan.containers import base, container, packed
from stackgen.plan.deprecations import deprecations
from stackgen.plan.faults import faults
from stackgen.plan.kernels import KERNEL, kernel_packages
from stackgen.plan.requests import feature_specs, framework_spec, known_import
from stackgen.plan.sources import source_faults
from stackgen.plan.values import About, FrameworkPlan, Plan, Platform, SpackPlan, WheelsPlan
from stackgen.plan.versions import specifier
from stackgen.settings import Author, of_scheduler, said
from stackgen.underlying import Underlying

NO_PART = "none"
"""What an environment says of a part of the toolchain that it does without, although the system has one."""
SPACK_PYTHON = "3.12"
"""What Spack builds where no version is named: the newest that each known framework has wheels for."""


def plan(environment: Environment, system: System, underlying: Underlying | None = None) -> Plan:
    """The plan of an environment on a system; InputError where a default cannot be had."""
    toolchain = _completed(environment.toolchain, system)
    chosen = toolchain.model_dump(exclude_none=True, exclude={"other_mpis"})
    if found := {*faults(environment, system), *source_faults(environment, system, chosen)}:
        raise InputError(*sorted(found))
    frameworks = tuple(
        planned
        for name, framework in environment.frameworks.items()
        for planned in _planned(
            name, framework, system, toolchain, kernel=kernel_packages(environment.notebooks)
        )
    )
    return Plan(
        environment=environment.name,
        release=environment.release,
        prefix=environment.prefix,
        system=system,
        platform=Platform(architecture=system.architecture, glibc=system.glibc),
        namespace=environment.modules.namespace,
        defaults=tuple(sorted(environment.modules.defaults.items())),
        toolchain=tuple(sorted(chosen.items())),
        other_mpis=toolchain.other_mpis,
        packages=environment.packages,
        frameworks=tuple(sorted(frameworks, key=lambda framework: framework.name)),
        base=base(environment.containers, frameworks),
        extends=underlying,
        wheelhouse=environment.wheelhouse or "",
        deprecations=deprecations(environment),
        unsupported=tuple(sorted(environment.unsupported.items())),
    )


def _completed(toolchain: Toolchain, system: System) -> Toolchain:
    """The toolchain with the MPI and the math library that the system has, where the environment names none.

    Of several `config` has refused to choose; a part that is `none` is left out.
    """
    offered = {
        part: external.spec
        for part, packages in PROVIDERS.items()
        for external in system.externals
        if external.package in packages
    }
    chosen = {**offered, **toolchain.model_dump(exclude_none=True)}
    return Toolchain.model_validate({part: spec for part, spec in chosen.items() if spec != NO_PART})


def _planned(
    name: str, framework: Framework, system: System, toolchain: Toolchain, *, kernel: tuple[str, ...]
) -> Iterator[FrameworkPlan]:
    """What a framework comes to: itself, and where it is asked for, the image of it.

    `kernel` is what notebooks need of every Python.
    """
    about = _about(name, framework, system, toolchain)
    match framework:
        case WheelsFramework():
            planned: WheelsPlan | SpackPlan = _wheels(name, about, framework, system, kernel=kernel)
        case SpackFramework():
            planned = _spack(name, about, framework, system, toolchain, kernel=kernel)
        case ContainerFramework():
            yield container(name, about, framework, kernel)
            return
        case _:
            assert_never(framework)
    yield planned
    if framework.image is not None:
        yield packed(planned, framework.image)


def _about(name: str, framework: Framework, system: System, toolchain: Toolchain) -> About:
    known = knowledge(name, framework.module)
    given = {
        Author.SCHEDULER: of_scheduler(system.scheduler, toolchain.mpi or ""),
        Author.SYSTEM: system.settings,
        Author.FRAMEWORK: framework.settings,
    }
    return About(
        module=framework.module or name,
        title=known.title,
        summary=known.summary,
        homepage=known.homepage,
        version=framework.version,
        said=said(known, framework.features, given),
        features=tuple(sorted(set(framework.features))),
        verify=known.verify,
        site_verify=framework.verify or "",
    )


def _wheels(
    name: str, about: About, framework: WheelsFramework, system: System, *, kernel: tuple[str, ...]
) -> WheelsPlan:
    known = knowledge(name, framework.module)
    asked = Requirement(framework.package or distribution(known, system))
    asked.specifier = specifier(framework.version)
    extra = {"pip", *known.companions, *kernel}
    extra |= {KERNEL} if Feature.JUPYTER in framework.features else set()
    extra |= {source.requirement for source in sources(framework.features)}
    return WheelsPlan(
        name=name,
        about=about,
        python=_python(framework, system),
        builds_python=_builds_python(framework),
        package=canonicalize_name(asked.name),
        imports=framework.imports or known.imports,
        requirements=(str(asked), *sorted({*framework.requires, *extra})),
        sdists=_sdists(framework),
    )


def _sdists(framework: WheelsFramework) -> tuple[SourceBuild, ...]:
    """The site's own, and those that features are built from."""
    ours = {source.project: source.build_requires for source in sources(framework.features)}
    built = [
        SourceBuild.model_validate({"name": name, "build-requires": lines}) for name, lines in ours.items()
    ]
    return (*(source for source in framework.sdists if source.name not in ours), *built)


def _python(framework: WheelsFramework, system: System) -> str:
    if framework.python and framework.python.version:
        return framework.python.version
    return SPACK_PYTHON if _builds_python(framework) else system.pythons[0].version


def _builds_python(framework: WheelsFramework) -> bool:
    return framework.python is not None and framework.python.source == "spack"


def _spack(  # noqa: PLR0913 - all that a spec depends on
    name: str,
    about: About,
    framework: SpackFramework,
    system: System,
    toolchain: Toolchain,
    *,
    kernel: tuple[str, ...],
) -> SpackPlan:
    spec = framework_spec(name, framework, system, toolchain)
    return SpackPlan(
        name=name,
        about=about,
        spec=pinned(spec, framework.version, framework.python),
        features=feature_specs(name, framework, system, toolchain, kernel=kernel),
        imports=framework.imports or known_import(name, framework),
    )
