"""Lmod's hierarchy: the modules of what Spack has built for everyone, as files of a release.

* Each of a lock's roots is a module. What they need beside is none: what it does to an environment is done
  by the modules that need it, since Lmod counts how often a directory is asked for. So nobody meets a name
  with a hash, `module list` shows what was loaded, and no module is hidden.
* An environment has one compiler, so there is nothing to choose on a level of compilers: what needs no MPI
  is in Core, and what needs one on the level of that MPI, `modules/<mpi>/<version>`, which its module opens.
* A level is named relative to the file that opens it. A release can so be tested before it is published,
  and a shell that came in by `current` stays there.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from stackgen.effects import variable_name
from stackgen.errors import Fault, InputError, WorkError
from stackgen.extending import packages_below
from stackgen.graph import Graph, Node, graph
from stackgen.lock import SpackLock
from stackgen.lua import Source, call
from stackgen.lua_templates import TEMPLATES
from stackgen.model.base import Strict
from stackgen.model.specs import package_name
from stackgen.modules import in_order
from stackgen.package_manual import About, package_manual
from stackgen.plan import Plan
from stackgen.tree import File, Tree

CORE = "Core"
"""The level that is open from the start."""

_SYSTEM = frozenset({"/", "/usr", "/usr/local"})
"""What every shell finds without a module."""
_UNSEEN = frozenset({"compiler-wrapper", "gcc-runtime", "glibc"})
"""What no user ever needs by itself: programs find it by their own run paths."""
_OF_PROGRAMS = frozenset({"INFOPATH", "MANPATH", "PATH"})
"""Where users look for programs; a library's own tools are not what a module that links it was loaded for."""
_OF_PYTHON = frozenset({"PYTHONHOME", "PYTHONPATH"})


class DescribedEffect(Strict):
    """One thing that a package does to an environment, by the name of its class in Spack."""

    kind: str
    variable: str
    value: str
    separator: str


class Described(Strict):
    """What Spack's generator of modules found out about a package: `modulefiles/described.json.j2`."""

    hash: str
    prefix: str
    summary: str
    homepage: str
    variants: str
    effects: tuple[DescribedEffect, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A package that users load: `level` is a directory below `modules`."""

    node: Node
    graph: Graph
    shown: frozenset[str]
    """The hashes of what is a module."""
    level: str
    opens: str
    """The level that stands on it, or nothing."""

    @property
    def version(self) -> str:
        """Its version as a part of a file's name."""
        return self.node.file_version

    @property
    def name(self) -> str:
        """What users load."""
        return _name(self.node)

    @property
    def path(self) -> str:
        """Where it lies in a release."""
        return f"modules/{self.level}/{self.name}.lua"


def hierarchy_tree(plan: Plan, locks: Iterable[SpackLock], described: Mapping[str, Described]) -> Tree:
    """`modules/{Core,<mpi>/<version>}/<package>/<version>.lua` for the roots of these locks.

    `described` has at least what is used of them, by hash. InputError where two come out as one module.
    """
    found = modules(plan, locks)
    files = {module.path: File(_text(plan, module, described)) for module in found}
    directories: dict[str, list[Module]] = defaultdict(list)
    for module in found:
        directories[f"modules/{module.level}/{module.node.name}"].append(module)
    files |= {f"{path}/.modulerc.lua": File(_versions(ones)) for path, ones in directories.items()}
    return Tree(files)


def modules(plan: Plan, locks: Iterable[SpackLock]) -> tuple[Module, ...]:
    """What users will be able to load of these locks, sorted by path; known before anything is built.

    InputError where two come out as one module.
    """
    found: dict[str, Module] = {}
    faults = []
    for read in (graph(lock.text) for lock in locks):
        providers = _providers(plan, read)
        shown = frozenset(read.roots) | providers
        for module in (_module(read, key, providers, shown) for key in sorted(shown)):
            other = found.setdefault(module.path, module)
            # What needs no MPI is taken from the first lock, even where another MPI led to another build.
            once = other.graph is read or module.opens or module.level != CORE
            if other.node.hash != module.node.hash and once:
                what = f"two builds of {module.node} are both the module {module.name}"
                faults.append(Fault(where="packages", what=what, remedy="leave one of them out"))
            if module.node.name == plan.namespace:
                what = f"{module.node.name} is a package too: its modules would lie among the frameworks'"
                faults.append(Fault(where="modules.namespace", what=what, remedy="give it another name"))
    if faults:
        raise InputError(*dict.fromkeys(faults))
    return tuple(found[path] for path in sorted(found))


def _providers(plan: Plan, read: Graph) -> frozenset[str]:
    """The hashes of the packages that are an MPI; asked for or not, without their modules no level opens."""
    chosen = {package_name(spec) for spec in (dict(plan.toolchain).get("mpi", ""), *plan.other_mpis)}
    edges = (edge for node in read.used() for edge in node.edges if edge.in_use)
    named = {key for key in read.roots if read.nodes[key].name in chosen}
    return frozenset(named | {edge.to for edge in edges if "mpi" in edge.virtuals})


def _module(read: Graph, key: str, providers: frozenset[str], shown: frozenset[str]) -> Module:
    node = read.nodes[key]
    below = () if key in providers else sorted(_used_by(read, key) & providers)
    level = _name(read.nodes[below[0]]) if below else CORE
    return Module(
        node=node, graph=read, shown=shown, level=level, opens=_name(node) if key in providers else ""
    )


def _name(node: Node) -> str:
    """The name of a package's module, and of the level that an MPI opens."""
    return f"{node.name}/{node.file_version}"


def _used_by(read: Graph, key: str) -> set[str]:
    return {node.hash for node in Graph(roots=(key,), nodes=read.nodes).used()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A package whose effects a module has; `runs` where its programs are run too, and not only linked."""

    node: Node
    runs: bool


def _parts(module: Module) -> tuple[_Part, ...]:
    """The package itself, last, and before it what it needs and what is no module of its own."""
    nodes = module.graph.nodes
    parts: dict[str, _Part] = {}

    def visit(key: str, *, runs: bool) -> None:
        known = parts.get(key)
        if known and (known.runs or not runs):
            return
        for edge in sorted(nodes[key].edges, key=lambda edge: (nodes[edge.to].name, edge.to)):
            if edge.in_use and edge.to not in module.shown and nodes[edge.to].name not in _UNSEEN:
                visit(edge.to, runs=runs and "run" in edge.kinds)
        parts.pop(key, None)
        parts[key] = _Part(node=nodes[key], runs=runs)

    visit(module.node.hash, runs=True)
    return tuple(parts.values())


def _needed(module: Module, parts: Iterable[_Part]) -> tuple[Node, ...]:
    """The other modules that a module needs, but for the MPI that it stands on."""
    nodes = module.graph.nodes
    edges = (edge for part in parts for edge in part.node.edges if edge.in_use and edge.to in module.shown)
    keys = {edge.to for edge in edges} - {module.node.hash}
    needed = [nodes[key] for key in keys if _name(nodes[key]) != module.level]
    return tuple(sorted(needed, key=lambda node: (node.name, node.version)))


def _text(plan: Plan, module: Module, described: Mapping[str, Described]) -> str:
    own = described.get(module.node.hash)
    if own is None:
        raise WorkError(f"Spack wrote no module of {module.node}", "look into the log")
    parts = _parts(module)
    effects = tuple(_effects(parts, described))
    return TEMPLATES.get_template("package.lua.j2").render(
        help=_help(module, own, parts),
        whatis=_whatis(module, own),
        relations=_relations(plan, module, parts, effects),
        ascent=f"{'/[^/]+' * (2 + len(module.level.split('/')))}$",
        opens=module.opens,
        below=_below(plan, module),
        marker=f"__{variable_name(plan.namespace)}_PACKAGE_{variable_name(module.node.name)}_",
        effects=[*_calls(module, own, effects)],
    )


def _below(plan: Plan, module: Module) -> str:
    """The level of the site's own that its build of an MPI opens; nothing of another build, or of no MPI."""
    shared = plan.extends if module.opens and module.node.hash in packages_below(plan) else None
    return str(shared.directory / "modules" / module.opens) if shared else ""


def _effects(parts: Iterable[_Part], described: Mapping[str, Described]) -> Iterator[DescribedEffect]:
    for part in (part for part in parts if part.node.hash in described):  # not of compilers
        one = described[part.node.hash]
        programs = part.runs and any(effect.variable == "PATH" for effect in one.effects)
        for effect in one.effects:
            if not part.runs and effect.variable in _OF_PROGRAMS:
                continue
            if effect.kind in _PATHS and one.prefix in _SYSTEM and effect.value.startswith(one.prefix):
                continue
            if programs and effect.variable == "MANPATH":
                continue  # man goes by PATH, and Lmod would not leave a MANPATH as it was
            yield effect


_PATHS: Mapping[str, Literal["prepend", "append"]] = {"PrependPath": "prepend", "AppendPath": "append"}


def _calls(module: Module, own: Described, effects: tuple[DescribedEffect, ...]) -> Iterator[Source]:
    """The calls of the template's Lua functions, each once."""
    calls = [call("set", f"{variable_name(module.node.name)}_ROOT", own.prefix), *map(_call, effects)]
    if any(effect.variable == "MANPATH" for effect in effects):
        calls.insert(0, call("keep_manual"))
    yield from dict.fromkeys(call for call in calls if call)


def _call(effect: DescribedEffect) -> Source | None:
    match effect.kind:
        case "PrependPath" | "AppendPath" if effect.value:  # an empty one would be the current directory
            path = os.path.normpath(effect.value)
            return call(_PATHS[effect.kind], effect.variable, path, effect.separator)
        case "SetEnv" | "SetPath":
            return call("set", effect.variable, effect.value)
        case "AppendFlagsEnv":
            return call("append", effect.variable, effect.value, effect.separator)
        case "UnsetEnv":
            return call("unset", effect.variable)
    return None  # what takes something away: a user's own is not ours to take


def _relations(
    plan: Plan, module: Module, parts: tuple[_Part, ...], effects: tuple[DescribedEffect, ...]
) -> Iterator[Source]:
    """What may not be loaded at once, and what has to be."""
    if module.opens:
        yield call("family", "mpi")
    programs = any(part.runs and part.node.name == "python" for part in parts)
    own_python = programs and any(effect.variable == "PATH" for effect in effects)
    if own_python or any(effect.variable in _OF_PYTHON for effect in effects):
        # Each framework is complete in itself: no other Python gets in front of it.
        names = sorted({f"{plan.namespace}/{framework.about.module}" for framework in plan.frameworks})
        yield call("conflict", *names)
    for node in _needed(module, parts):
        yield call("depends_on", _name(node))


def _whatis(module: Module, own: Described) -> list[str]:
    fields = {
        "Name": module.node.name,
        "Version": module.node.version,
        "Description": own.summary.strip(),
        "URL": own.homepage,
    }
    return [f"{name}: {text}" for name, text in fields.items() if text]


def _help(module: Module, own: Described, parts: tuple[_Part, ...]) -> str:
    about = About(summary=own.summary, homepage=own.homepage, variants=own.variants)
    beside = (part.node for part in parts if part.node is not module.node)
    return package_manual(module.graph, module.node, about, beside)


def _versions(ones: Iterable[Module]) -> str:
    """The default of a package's modules; Lmod itself knows what is meant by 1.14 where 1.14.3 is there."""
    known = {module.version: module for module in ones}
    calls = [call("module_version", known[in_order(known)[-1]].name, "default")]
    return TEMPLATES.get_template("modulerc.lua.j2").render(calls=calls)
