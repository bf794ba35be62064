"""Versions that users should leave: what is wrong with what a site says of them."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from stackgen.errors import Fault
from stackgen.inside.launcher.deprecation import Deprecation, covers, deprecation_of
from stackgen.model import Environment
from stackgen.model.base import near
from stackgen.plan.values import Plan

Modules = Mapping[str, Collection[str]]
"""The versions of each module, below the namespace."""


def deprecations(environment: Environment) -> tuple[Deprecation, ...]:
    """What is said of versions, with the names that users load; sorted."""
    namespace = environment.modules.namespace
    return tuple(
        sorted(
            Deprecation(
                module=f"{namespace}/{name.partition('/')[0]}",
                version=name.partition("/")[2],
                state=said.state,
                on=said.on,
                reason=said.reason,
                instead=f"{namespace}/{said.instead}",
            )
            for name, said in environment.deprecations.items()
        )
    )


def said_of(plan: Plan, module: str, version: str) -> Deprecation | None:
    """What is said of a version of a module, if anything."""
    return deprecation_of(plan.deprecations, f"{plan.namespace}/{module}/{version}")


def deprecation_faults(environment: Environment, modules: Collection[str]) -> Iterator[Fault]:
    """What can be known of it before versions are: `modules` are the names that there are."""
    choice = f"use one of {', '.join(sorted(modules))}"
    found = deprecations(environment)
    for name, said in environment.deprecations.items():
        where, module = f"deprecations.{name}", name.partition("/")[0]
        if said.state == "deprecated" and module not in modules:
            what = f"no framework has the module {module}"
            yield Fault(where=where, what=what, remedy=near(module, modules, choice))
        other = said.instead.partition("/")[0]
        if other not in modules:
            what = f"no framework has the module {other}"
            yield Fault(where=f"{where}.instead", what=what, remedy=near(other, modules, choice))
        elif wrong := deprecation_of(found, f"{environment.modules.namespace}/{said.instead}"):
            remedy = "name a version that users can stay with"
            yield Fault(where=f"{where}.instead", what=f"{said.instead} is {wrong.state} too", remedy=remedy)
    for module, version in environment.modules.defaults.items():
        gone = deprecation_of(found, f"{environment.modules.namespace}/{module}/{version}")
        if gone and gone.state == "withdrawn":
            what, remedy = f"{module}/{version} is withdrawn", "name a version that users can load"
            yield Fault(where=f"modules.defaults.{module}", what=what, remedy=remedy)


def deprecation_notes(environment: Environment, modules: Collection[str]) -> Iterator[Fault]:
    """What may be meant, or be a slip of the pen."""
    for name, said in environment.deprecations.items():
        module = name.partition("/")[0]
        guess = near(module, modules, "", likeness=0.8)
        if said.state == "withdrawn" and module not in modules and guess:
            yield Fault(
                where=f"deprecations.{name}", what=f"no framework has the module {module}", remedy=guess
            )


def version_faults_of(plan: Plan, modules: Modules) -> Iterator[Fault]:
    """What can be known of it once every version is."""
    for said in plan.deprecations:
        where = f"deprecations.{_below(said.module)}/{said.version}.instead"
        module, _, version = _below(said.instead).partition("/")
        known = modules.get(module, ())
        stays = [one for one in known if not said_of(plan, module, one)]
        if version and not _offered(version, known):
            what = f"the module {module} does not come in the version {version}"
            yield Fault(where=where, what=what, remedy=_choice(stays))
        elif not _offered(version, stays):
            what = f"{_below(said.instead)} leads to a version that users should leave too"
            yield Fault(where=where, what=what, remedy=_choice(stays))


def _offered(version: str, known: Iterable[str]) -> bool:
    """Whether `module load` finds it: in full, or by its first numbers."""
    return any(not version or covers(version, one) for one in known)


def _choice(versions: Collection[str]) -> str:
    return f"use one of {', '.join(versions)}" if versions else "name another module"


def _below(module: str) -> str:
    return module.partition("/")[2]


def available(plan: Plan, module: str, versions: Iterable[str]) -> list[str]:
    """The versions that users can stay with; those that they should leave where there are no others."""
    known = list(versions)
    said = {version: said_of(plan, module, version) for version in known}
    good = [version for version in known if not said[version]]
    return good or loadable(plan, module, known) or known


def loadable(plan: Plan, module: str, versions: Iterable[str]) -> list[str]:
    """The versions that are not withdrawn, nor will be."""
    said = {version: said_of(plan, module, version) for version in versions}
    return [version for version, one in said.items() if one is None or one.state != "withdrawn"]
