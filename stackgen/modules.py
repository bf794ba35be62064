"""The Lmod modules of a release: what `module load NAMESPACE/FRAMEWORK` finds.

What Lmod (8.6 and 8.7, read and tried) does with these files, and what follows from it:

* It lists the directories of MODULEPATH, opens the file that it chose later, and resolves no symbolic link
  on the way. A name that a directory showed must therefore stay there when `current` moves, or a load at
  that moment fails; `publish` keeps every published name there, hidden. A `.modulerc.lua` that was seen must
  stay as well, so every module's directory has one, always.
* To unload, it reads the file again by the same path and runs it backwards. What a load did may differ
  from what the file says by then; so the load leaves its prefix and its defaults in the environment.
* Without a file of that name, unloading changes nothing and says nothing.
* `unsetenv` and `setenv` forget what was there; `pushenv` brings it back, unless it was an empty text.
* It writes PATH anew, each directory once and without doubled slashes, as with every module.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import assert_never

from packaging.version import Version

from stackgen.deprecation import guarded, hiding
from stackgen.effects import (
    Assign,
    Clear,
    Default,
    DefaultOfRank,
    Effect,
    Prepend,
    effects,
    release_variable,
    root_variable,
    variable_name,
)
from stackgen.errors import Fault, InputError
from stackgen.inside.launcher.deprecation import Deprecation, deprecation_sentence
from stackgen.inside.threads import LOCAL_RANKS
from stackgen.lua import Source, call
from stackgen.lua_templates import TEMPLATES
from stackgen.manual import manual
from stackgen.model.scalars import NEWEST
from stackgen.plan import (
    About,
    Plan,
    available,
    fitting,
    is_numbered,
    loadable,
    ordered,
    said_of,
    version_faults_of,
)
from stackgen.release import InstalledFramework
from stackgen.tree import File, Tree


def module_tree(plan: Plan, frameworks: tuple[InstalledFramework, ...]) -> Tree:
    """`modules/Core/<namespace>/<module>/<version>.lua` and a `.modulerc.lua` beside them.

    Raises InputError where two frameworks come out as one module, or no version fits `modules.defaults`.
    """
    modules: dict[str, list[InstalledFramework]] = defaultdict(list)
    for framework in frameworks:
        modules[framework.module].append(framework)
    _refuse_faults(plan, modules)
    files = {
        f"{framework.loaded_as(plan.namespace)}.lua": File(_module(plan, framework))
        for framework in frameworks
    }
    versions = {module: [one.version for one in ones] for module, ones in modules.items()}
    for said in _without_framework(plan, versions):
        module = said.module.partition("/")[2]
        files[f"{said.module}/{said.version}.lua"] = File(_gone(plan, module, said))
        versions.setdefault(module, []).append(said.version)
    files |= {
        f"{plan.namespace}/{module}/.modulerc.lua": File(_versions(plan, module, ones))
        for module, ones in versions.items()
    }
    return Tree(files).below("modules/Core")


def _without_framework(plan: Plan, versions: Mapping[str, Sequence[str]]) -> list[Deprecation]:
    """What is said to be withdrawn, and nothing in the release is meant: `module load` is to say so, too."""
    return [
        said
        for said in plan.deprecations
        if said.state == "withdrawn"
        and not any(
            said_of(plan, module, version) == said for module, ones in versions.items() for version in ones
        )
    ]


def _module(plan: Plan, framework: InstalledFramework) -> str:
    about = next(planned.about for planned in plan.frameworks if planned.name == framework.name)
    text = _text(plan, framework, manual(plan, framework, about), _whatis(framework, about))
    module = framework.loaded_as(plan.namespace)
    return guarded(text, module, said_of(plan, framework.module, framework.version))


def _gone(plan: Plan, module: str, said: Deprecation) -> str:
    """The module of a version that is not in the release: there is nothing that it could load."""
    name = f"{said.module}/{said.version}"
    of_older = InstalledFramework(
        name=module, module=module, version=said.version, prefix="", python="3", packages={}, settings={}
    )
    told = deprecation_sentence(said, name, said.on)
    return guarded(_text(plan, of_older, f"{told}\n", [f"Description: {told}"], gone=True), name, said)


def _text(
    plan: Plan, framework: InstalledFramework, help_text: str, whatis: list[str], *, gone: bool = False
) -> str:
    changes = effects(plan.namespace, framework, plan.place)
    return TEMPLATES.get_template("framework.lua.j2").render(
        help=help_text,
        whatis=whatis,
        gone=gone,
        family=_family(plan),
        prefix=framework.prefix,
        release=plan.place,
        release_variable=release_variable(plan.namespace),
        root_variable=root_variable(plan.namespace, framework),
        marker=f"__{root_variable(plan.namespace, framework).removesuffix('ROOT')}",
        effects=[_rendered(effect) for effect in changes],
        launchers=LOCAL_RANKS if any(isinstance(effect, DefaultOfRank) for effect in changes) else (),
    )


def _family(plan: Plan) -> str:
    """Of what only one is loaded at once: those of a stack of one's own, and those of the site below it."""
    namespace = plan.extends.namespace if plan.extends else plan.namespace
    return f"{variable_name(namespace).lower()}_framework"


def _whatis(framework: InstalledFramework, about: About) -> list[str]:
    fields = {
        "Name": about.title,
        "Version": framework.version,
        "Description": about.summary
        or f"{about.title}{' with a Python of its own' if framework.python else ''}",
        "URL": about.homepage,
        "Category": "AI and data science",
        "Keywords": ", ".join((*(("Python",) if framework.python else ()), framework.name, *about.features)),
    }
    return [f"{name}: {text}" for name, text in fields.items() if text]


def _rendered(effect: Effect) -> Source:
    """The call of the template's Lua function that does, and undoes, an effect."""
    match effect:
        case Prepend(variable=variable, directory=directory, of=place):
            return call("prepend", variable, Source("release" if place == "release" else "root"), directory)
        case Assign(variable=variable, value=value):
            return call("replace", variable, value)
        case Clear(variable=variable):
            return call("clear", variable)
        case Default(variable=variable, value=value):
            return call("default", variable, value)
        case DefaultOfRank(variable=variable, pieces=pieces):
            # A placeholder's name is that of the Lua variable which holds what it stands for.
            filled = [part for text, name in pieces for part in (text, Source(name)) if part]
            return call("default_of_rank", variable, *filled)
    assert_never(effect)


def _versions(plan: Plan, module: str, versions: Sequence[str]) -> str:
    """The default of a module, its short versions, and what of it is hidden."""
    names: dict[str, list[str]] = defaultdict(list)
    names[default_version(plan, module, versions)].append("default")
    # What is withdrawn gives way: 2.9 stays 2.9.0 where 2.9.1 goes.
    short = short_versions(versions) | short_versions(loadable(plan, module, versions))
    for name, version in short.items():
        if name not in versions:
            names[version].append(name)
    full = f"{plan.namespace}/{module}"
    calls = [call("module_version", f"{full}/{version}", *names[version]) for version in ordered(names)]
    for version in ordered(versions):
        calls += hiding(f"{full}/{version}", said_of(plan, module, version))
    return TEMPLATES.get_template("modulerc.lua.j2").render(calls=calls)


def short_versions(versions: Iterable[str]) -> dict[str, str]:
    """What users may write instead of a version: `2.21` for 2.21.0, the highest where several would fit."""
    known = [version for version in ordered(versions) if is_numbered(version)]
    short = {}
    for version in known:
        parsed = Version(version)
        short[f"{parsed.major}.{parsed.minor}"] = version
        short[parsed.public] = version
    return {name: version for name, version in short.items() if name not in known}


def in_order(versions: Iterable[str]) -> list[str]:
    """Spack's versions, of any form, the lowest first: main, 1.9, 1.10-rc1, 1.10, 1.10-2."""
    return sorted(versions, key=_parts)


def _parts(version: str) -> list[tuple[int, str]]:
    return [*map(_part, re.findall(r"[0-9]+|[A-Za-z]+", version)), (-1, "")]


def _part(part: str) -> tuple[int, str]:
    """Before the end of a version, which is (-1, ""), comes a pre-release, and after it all else."""
    if part.isdigit():
        return int(part), ""
    return -2 if part in {"alpha", "beta", "rc"} else -1, part


def default_version(plan: Plan, module: str, versions: Iterable[str]) -> str:
    """What `modules.defaults` asks for, or the highest; a pre-release only where there is nothing else.

    What users should leave is taken only where it is asked for, or there is nothing else.
    """
    wanted = dict(plan.defaults).get(module)
    if wanted is None:
        return fitting(NEWEST, available(plan, module, versions))[-1]
    return fitting(wanted, loadable(plan, module, versions) or versions)[-1]


def _refuse_faults(plan: Plan, modules: dict[str, list[InstalledFramework]]) -> None:
    faults = list(unknown_instead(plan, [one for ones in modules.values() for one in ones]))
    for module, frameworks in modules.items():
        first: dict[str, str] = {}
        for framework in frameworks:
            other = first.setdefault(framework.version, framework.name)
            if other != framework.name:
                what = f"{other} and {framework.name} are both the module {module}/{framework.version}"
                where = f"frameworks.{framework.name}"
                faults.append(Fault(where=where, what=what, remedy="give one another `module:`"))
    faults += _default_faults(plan, modules)
    if faults:
        raise InputError(*faults)


def _default_faults(plan: Plan, modules: dict[str, list[InstalledFramework]]) -> Iterator[Fault]:
    for module, wanted in plan.defaults:
        versions = [one.version for one in modules.get(module, ())]
        users = loadable(plan, module, versions) or versions
        if versions and not fitting(wanted, users):
            fault = "withdrawn" if fitting(wanted, versions) else f"no version of the module {module}"
            remedy = f"use one of {', '.join(ordered(users))}"
            where = f"modules.defaults.{module}"
            yield Fault(where=where, what=f"{wanted} is {fault}", remedy=remedy)


def unknown_instead(plan: Plan, frameworks: Iterable[InstalledFramework]) -> tuple[Fault, ...]:
    """Where users would be told to load what is not there; the places are still to be found."""
    modules: dict[str, list[str]] = defaultdict(list)
    for framework in frameworks:
        modules[framework.module].append(framework.version)
    return tuple(version_faults_of(plan, modules))
