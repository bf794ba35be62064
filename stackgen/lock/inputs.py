"""What of a plan decides its lock, and what of it has changed since."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import assert_never

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from stackgen.environments import SpackEnvironment, environment_tree, spack_environments
from stackgen.lock.values import Json, Lock
from stackgen.pins import PINS
from stackgen.plan import (
    Archive,
    Base,
    BaseImage,
    ContainerPlan,
    Directory,
    Distribution,
    Dockerfile,
    Packed,
    Plan,
    Pulled,
    WheelsPlan,
)
from stackgen.underlying import INPUT

_DECISIVE = (
    *("spack/config/packages.yaml", "spack/config/concretizer.yaml", "spack/repos/"),
    "spack/python-",  # the only environments with a configuration of their own
)
"""Of what is generated for Spack, what its solutions depend on besides the roots."""
_GENERATED = "spack.files."
"""These follow from what the site wrote: they count where nothing else has changed."""


def inputs(plan: Plan) -> dict[str, Json]:
    """All that a lock is made from, by the keys of the YAML files; prefix, settings and release are not."""
    environments = spack_environments(plan)
    return {
        **({"spack": spack_inputs(plan, environments)} if environments else {}),
        "system": {"architecture": plan.platform.architecture, "glibc": plan.platform.glibc},
        "frameworks": {
            **{framework.name: framework_inputs(framework) for framework in plan.wheels},
            **{one.name: _added_inputs(one) for one in plan.containers if one.requirements},
        },
        **_image_inputs(plan),
        **({INPUT: dict[str, Json](plan.extends.identity)} if plan.extends else {}),
    }


def _image_inputs(plan: Plan) -> dict[str, Json]:
    """What decides the lock of images; nothing where there are none."""
    origins: dict[str, Json] = {
        one.name: {**_origin_inputs(one.origin), **dict(one.files)}
        for one in plan.containers
        if not isinstance(one.origin, Packed)
    }
    return {
        **({"images": origins} if origins else {}),
        **({"base": _base_inputs(plan.base)} if plan.base else {}),
    }


def _origin_inputs(origin: Pulled | Archive | Directory | Dockerfile) -> dict[str, Json]:
    match origin:
        case Pulled(reference=reference, digest=digest):
            return {"image": f"{reference}@{digest}"}
        case Archive(path=path):
            return {"archive": path}
        case Directory(path=path):
            return {"directory": path}
        case Dockerfile(path=path):
            return {"dockerfile": path}
    assert_never(origin)


def _base_inputs(base: Base) -> Json:
    match base:
        case Distribution(name=name, version=version, packages=packages):
            return {"distribution": f"{name}:{version}", "packages": list(packages)}
        case BaseImage(image=image):
            return {"image": f"{image.reference}@{image.digest}"}
    assert_never(base)


def _added_inputs(container: ContainerPlan) -> Json:
    return {"python": container.python, "requires": list(container.requirements), "sdists": {}}


def spack_inputs(plan: Plan, environments: Iterable[SpackEnvironment]) -> Json:
    """All that decides the solutions of some Spack environments of a plan, beside the system's glibc."""
    system = plan.system
    return {
        "commits": {pin.name: pin.commit for pin in PINS},
        "os": system.os,
        "target": system.target,
        "toolchain": dict(plan.toolchain),
        "compilers": [f"{compiler.spec} in {compiler.prefix}" for compiler in system.compilers],
        "externals": [f"{external.spec} in {external.prefix}" for external in system.externals],
        "environments": {environment.name: list(environment.specs) for environment in environments},
        "files": {
            path: hashlib.sha256(file.text.encode()).hexdigest()
            for path, file in environment_tree(plan).items()
            if path.startswith(_DECISIVE)
        },
    }


def framework_inputs(framework: WheelsPlan) -> Json:
    """All that decides the lock of a framework from wheels, beside the system."""
    return {
        "python": framework.python,
        "requires": list(framework.requirements),
        "sdists": {source.name: list(source.build_requires) for source in framework.sdists},
    }


def changes(lock: Lock, plan: Plan) -> tuple[str, ...]:
    """What of the YAML no longer fits the lock, a line each: `frameworks.tensorflow.python: 3.11 -> 3.12`."""
    found = tuple(_mapping_changes("", lock.inputs, inputs(plan)))
    named = tuple(line for line in found if not line.startswith(_GENERATED))
    return named or (("what stackgen generates for Spack has changed",) if found else ())


def _mapping_changes(where: str, old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[str]:
    for key in sorted(old.keys() | new.keys()):
        path = f"{where}.{key}" if where else key
        if key not in old:
            yield f"{path}: added"
        elif key not in new:
            yield f"{path}: removed"
        else:
            yield from _value_changes(path, old[key], new[key])


def _value_changes(where: str, old: Json, new: Json) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _mapping_changes(where, old, new)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _requirement_changes(where, _by_name(old), _by_name(new))
    elif old != new:
        yield f"{where}: {old} -> {new}"


def _requirement_changes(where: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before is None:
            yield f"{where}: {after} added"
        elif after is None:
            yield f"{where}: {before} removed"
        elif before != after:
            yield f"{where}: {before} -> {after}"


def _by_name(requirements: list[Json]) -> dict[str, str]:
    """Requirements by package; several of one package are one text."""
    named: dict[str, list[str]] = {}
    for text in map(str, requirements):
        named.setdefault(_name(text), []).append(text)
    return {name: " and ".join(texts) for name, texts in named.items()}


def _name(text: str) -> str:
    """The package that a requirement is for; a Spack spec, or a compiler with its place, is its own name."""
    try:
        return canonicalize_name(Requirement(text).name)
    except InvalidRequirement:
        return text
