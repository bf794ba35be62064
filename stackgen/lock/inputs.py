"""What of a plan decides its lock, and what of it has changed since."""

from collections.abc import Iterator, Mapping

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from stackgen.lock.values import Json, Lock
from stackgen.plan import Plan, WheelsPlan


def inputs(plan: Plan) -> dict[str, Json]:
    """All that a lock is made from, by the keys of the YAML files; prefix, settings and release are not."""
    return {
        "system": {"architecture": plan.platform.architecture, "glibc": plan.platform.glibc},
        "frameworks": {framework.name: _framework_inputs(framework) for framework in plan.wheels},
    }


def _framework_inputs(framework: WheelsPlan) -> Json:
    return {
        "python": framework.python,
        "requires": list(framework.requirements),
        "sdists": {source.name: list(source.build_requires) for source in framework.sdists},
    }


def changes(lock: Lock, plan: Plan) -> tuple[str, ...]:
    """What of the YAML no longer fits the lock, a line each: `frameworks.tensorflow.python: 3.11 -> 3.12`."""
    return tuple(_mapping_changes("", lock.inputs, inputs(plan)))


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
        named.setdefault(canonicalize_name(Requirement(text).name), []).append(text)
    return {name: " and ".join(texts) for name, texts in named.items()}
