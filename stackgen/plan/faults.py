"""What is wrong with an environment on its system; no default could mend it."""

from collections.abc import Iterator

from stackgen import host
from stackgen.combinations import has_horovod
from stackgen.errors import Fault
from stackgen.frameworks import KNOWN, knowledge
from stackgen.model import (
    ContainerFramework,
    Environment,
    Framework,
    SpackFramework,
    System,
    WheelsFramework,
)
from stackgen.model.container import DISTRIBUTIONS
from stackgen.model.scalars import NEWEST
from stackgen.model.specs import python_in, version_in
from stackgen.plan.containers import BASE, packed_module
from stackgen.plan.deprecations import deprecation_faults, deprecation_notes
from stackgen.plan.requests import known_import, recipe_of
from stackgen.plan.versions import may_be

TAKEN = ("config", "repos", "toolchain")
"""Names below `spack/` that no framework's Spack environment can have."""
HOROVOD = tuple(sorted(name for name, known in KNOWN.items() if known.recipe and known.recipe.horovod))


def faults(environment: Environment, system: System) -> tuple[Fault, ...]:
    """Every fault, by its key path; their places are not known here."""
    return tuple(
        sorted(
            {
                *_python_faults(environment, system),
                *_import_faults(environment),
                *_spec_faults(environment),
                *_spack_faults(environment),
                *_module_faults(environment),
                *_image_faults(environment),
                *_machine_faults(environment, system),
                *_default_faults(environment),
                *deprecation_faults(environment, _module_names(environment)),
            }
        )
    )


def notes(environment: Environment) -> tuple[Fault, ...]:
    """What is no reason to stop, and may be a slip of the pen."""
    return tuple(deprecation_notes(environment, _module_names(environment)))


def _module_names(environment: Environment) -> set[str]:
    return {module for _, _, module, _ in _modules(environment)}


def _python_faults(environment: Environment, system: System) -> Iterator[Fault]:
    here, file = environment.system == host.THIS, f"systems/{environment.system}.yaml"
    found = sorted((python.version for python in system.pythons), key=lambda text: int(text[2:]))
    for name, framework in environment.frameworks.items():
        if not isinstance(framework, WheelsFramework):
            continue
        asked = framework.python
        if asked and asked.source == "spack":
            continue
        wanted, where = asked.version if asked else None, f"frameworks.{name}.python"
        if not wanted and not found:
            what = f"no Python is named, and the system {system.name} lists none"
            remedy = "install Python 3.11" if here else f"add `python: 3.11` here or `pythons:` to {file}"
            yield Fault(where=where, what=what, remedy=remedy)
        elif wanted and (found or here) and wanted not in found:
            has = ", ".join(found) or "none"
            what = f"the system {system.name} has no Python {wanted}; it has {has}"
            remedy = "install it" if here else f"add it to `pythons:` of {file}"
            yield Fault(where=where, what=what, remedy=remedy)


def _import_faults(environment: Environment) -> Iterator[Fault]:
    for name, framework in environment.frameworks.items():
        if isinstance(framework, ContainerFramework) or framework.imports:
            continue
        known = knowledge(name, framework.module).imports
        if isinstance(framework, SpackFramework):
            known = known_import(name, framework) or "none"
        if not known.isidentifier():
            yield Fault(
                where=f"frameworks.{name}.import",
                what=f"what a program imports of {name} is not known",
                remedy="add `import:` and what stands after it in Python",
            )


def _spec_faults(environment: Environment) -> Iterator[Fault]:
    for name, framework in environment.frameworks.items():
        if not isinstance(framework, SpackFramework) or not framework.spec:
            continue
        for key, asked, named in (
            ("version", framework.version, version_in(framework.spec)),
            ("python", framework.python, python_in(framework.spec)),
        ):
            if asked and named and asked != named:
                what = f"the spec asks for {named}, and `{key}:` for {asked}"
                where = f"frameworks.{name}.spec"
                yield Fault(where=where, what=what, remedy=f"leave {named} out of the spec")


def _spack_faults(environment: Environment) -> Iterator[Fault]:
    for name, framework in environment.frameworks.items():
        if not isinstance(framework, SpackFramework):
            continue
        if name in TAKEN:
            what = f"{name} is what stackgen calls files of its own"
            remedy = f"call the framework otherwise, and write below it `module: {name}`"
            yield Fault(where=f"frameworks.{name}", what=what, remedy=remedy)
        if has_horovod(framework.features) and not recipe_of(name, framework).horovod:
            what = f"Horovod serves {' and '.join(HOROVOD)}, not {name}"
            yield Fault(where=f"frameworks.{name}.features", what=what, remedy="leave horovod out")


def _module_faults(environment: Environment) -> Iterator[Fault]:
    seen: dict[tuple[str, str], str] = {}
    for name, where, module, framework in _modules(environment):
        whole = (module, framework.version)
        if whole in seen:
            what = f"{seen[whole]} and {name} would both be the module {'/'.join(whole)}"
            yield Fault(where=where, what=what, remedy="give one another `module:`")
        seen[whole] = name


def _modules(environment: Environment) -> Iterator[tuple[str, str, str, Framework]]:
    """What it is, its key and its module: of every framework, and of the images of those that are packed."""
    for name, framework in environment.frameworks.items():
        module = framework.module or name
        yield name, f"frameworks.{name}", module, framework
        if not isinstance(framework, ContainerFramework) and framework.image:
            image = packed_module(module, framework.image)
            yield f"the image of {name}", f"frameworks.{name}.image", image, framework


def _image_faults(environment: Environment) -> Iterator[Fault]:
    packed: dict[str, str] = {}
    for name, framework in environment.frameworks.items():
        where = f"frameworks.{name}"
        if isinstance(framework, ContainerFramework):
            if name == BASE:
                what = f"{BASE} is what stackgen calls the image that others stand on"
                yield Fault(where=where, what=what, remedy=f"rename it, and write below it `module: {name}`")
            if framework.requires and not framework.python:
                what = "packages are to be added, and the image's Python is not named"
                yield Fault(where=f"{where}.requires", what=what, remedy="add `python:`, major and minor")
        elif framework.image:
            image = packed_module(name, framework.image)
            if other := packed.get(image) or (image if image in environment.frameworks else ""):
                what = f"the image of {name} would be called {image}, as {other} is"
                yield Fault(where=f"{where}.image", what=what, remedy="write `image: {module: NAME}`")
            packed[image] = f"the image of {name}"
    if "@" in environment.containers.base and environment.containers.packages:
        what = f"packages of a distribution are named, and the base is {environment.containers.base}"
        remedy = "leave them out, or take a distribution for the base"
        yield Fault(where="containers.packages", what=what, remedy=remedy)


def _machine_faults(environment: Environment, system: System) -> Iterator[Fault]:
    """Where images cannot be started on the system, or what is packed cannot be inside of them."""
    packed = [name for name, framework in environment.frameworks.items() if _is_packed(framework)]
    for name, framework in environment.frameworks.items():
        if system.user_namespaces == "false" and (
            name in packed or isinstance(framework, ContainerFramework)
        ):
            what = f"{system.name} has no user namespaces, without which no container can be started"
            remedy = (
                "have them allowed (`stackgen doctor` there says how) and written into the system's file, or"
                " leave the image out"
            )
            yield Fault(where=f"frameworks.{name}", what=what, remedy=remedy)
    name, _, version = environment.containers.base.partition(":")
    glibc = DISTRIBUTIONS.get(name, {}).get(version, "")
    if packed and glibc and _number(glibc) < _number(system.glibc):
        newer = [
            f"{name}:{one}"
            for one, its in DISTRIBUTIONS[name].items()
            if _number(its) >= _number(system.glibc)
        ]
        yield Fault(
            where="containers.base",
            what=f"{system.name} has glibc {system.glibc}, and {environment.containers.base} {glibc}: what is"
            " built on the one does not start on the other",
            remedy=f"write `base: {newer[0] if newer else 'IMAGE@sha256:...'}`",
        )


def _is_packed(framework: Framework) -> bool:
    return not isinstance(framework, ContainerFramework) and framework.image is not None


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _default_faults(environment: Environment) -> Iterator[Fault]:
    modules: dict[str, list[Framework]] = {}
    for _, _, module, framework in _modules(environment):
        modules.setdefault(module, []).append(framework)
    for name, wanted in environment.modules.defaults.items():
        where = f"modules.defaults.{name}"
        if name not in modules:
            remedy = f"use one of {', '.join(sorted(modules))}"
            yield Fault(where=where, what=f"no framework has the module {name}", remedy=remedy)
        elif not any(_may_be(framework, wanted) for framework in modules[name]):
            remedy = f"use one of {', '.join(sorted({framework.version for framework in modules[name]}))}"
            what = f"the module {name} cannot come in the version {wanted}"
            yield Fault(where=where, what=what, remedy=remedy)


def _may_be(framework: Framework, wanted: str) -> bool:
    match framework:
        case WheelsFramework():
            return may_be(framework.version, wanted)
        case SpackFramework():
            return True  # Spack decides
        case ContainerFramework():
            return wanted in {NEWEST, framework.version}
