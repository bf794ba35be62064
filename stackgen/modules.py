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
from collections.abc import Iterable
from typing import assert_never

from jinja2 import Environment, PackageLoader, StrictUndefined
from packaging.version import Version

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
from stackgen.inside.threads import LOCAL_RANKS
from stackgen.lua import Source, call, literal
from stackgen.manual import manual
from stackgen.model.scalars import NEWEST
from stackgen.plan import About, Plan, fitting, is_numbered, ordered
from stackgen.release import InstalledFramework
from stackgen.tree import File, Tree

TEMPLATES = Environment(
    loader=PackageLoader("stackgen", "modulefiles"),
    undefined=StrictUndefined,
    finalize=literal,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - HTML is not what comes out; `finalize` makes every value a Lua literal
)
"""Of module files: every value in them is a Lua literal."""


def module_tree(plan: Plan, frameworks: tuple[InstalledFramework, ...]) -> Tree:
    """`modules/Core/<namespace>/<module>/<version>.lua` and a `.modulerc.lua` beside them.

    Raises InputError where two frameworks come out as one module, or no version fits `modules.defaults`.
    """
    modules: dict[str, list[InstalledFramework]] = defaultdict(list)
    for framework in frameworks:
        modules[framework.module].append(framework)
    _refuse_faults(plan, modules)
    files = {
        f"{plan.namespace}/{framework.module}/{framework.version}.lua": File(_module(plan, framework))
        for framework in frameworks
    }
    files |= {
        f"{plan.namespace}/{module}/.modulerc.lua": File(
            _versions(plan, module, [one.version for one in ones])
        )
        for module, ones in modules.items()
    }
    return Tree(files).below("modules/Core")


def _module(plan: Plan, framework: InstalledFramework) -> str:
    about = next(planned.about for planned in plan.frameworks if planned.name == framework.name)
    changes = effects(plan.namespace, framework, plan.place)
    return TEMPLATES.get_template("framework.lua.j2").render(
        help=manual(plan, framework, about),
        whatis=_whatis(framework, about),
        family=f"{variable_name(plan.namespace).lower()}_framework",
        prefix=framework.prefix,
        release=plan.place,
        release_variable=release_variable(plan.namespace),
        root_variable=root_variable(plan.namespace, framework),
        marker=f"__{root_variable(plan.namespace, framework).removesuffix('ROOT')}",
        effects=[_rendered(effect) for effect in changes],
        launchers=LOCAL_RANKS if any(isinstance(effect, DefaultOfRank) for effect in changes) else (),
    )


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


def _versions(plan: Plan, module: str, versions: Iterable[str]) -> str:
    """The default of a module, and its short versions."""
    names: dict[str, list[str]] = defaultdict(list)
    names[_default(plan, module, versions)].append("default")
    for short, version in short_versions(versions).items():
        names[version].append(short)
    calls = [
        call("module_version", f"{plan.namespace}/{module}/{version}", *names[version])
        for version in ordered(names)
    ]
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


def _default(plan: Plan, module: str, versions: Iterable[str]) -> str:
    """What `modules.defaults` asks for, or the highest; a pre-release only where there is nothing else."""
    return fitting(dict(plan.defaults).get(module, NEWEST), versions)[-1]


def _refuse_faults(plan: Plan, modules: dict[str, list[InstalledFramework]]) -> None:
    faults = []
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


def _default_faults(plan: Plan, modules: dict[str, list[InstalledFramework]]) -> list[Fault]:
    return [
        Fault(
            where=f"modules.defaults.{module}",
            what=f"{wanted} is no version of the module {module}",
            remedy=f"use one of {', '.join(ordered(one.version for one in modules[module]))}",
        )
        for module, wanted in plan.defaults
        if module in modules and not fitting(wanted, [one.version for one in modules[module]])
    ]
