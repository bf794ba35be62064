"""Variants that keep their defaults in every best solution: what only other values bring is left out.

Nobody asks for such a value: neither a spec, nor the configuration, nor a recipe that may be in a
solution. And no recipe has a rule that holds for the default alone, so that another value could ease
anything. Take any solution with another value, give it the default, and drop what only that value had
brought: every rule still holds, and the solution is better, for defaults and smaller graphs are preferred.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import spack.repo
import spack.spec

_EVERYWHERE = ""
"""Stands for all packages."""

_Values = frozenset[str]


class Asleep:
    """What is known of which variants, from the recipes that were read so far: reading more only wakes."""

    def __init__(self, configuration: Mapping[str, Any], specs: Any) -> None:
        self._asked: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._eased: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._wanted: set[str] = set()
        self._read: set[str] = set()
        self._defaults: dict[tuple[str, str], _Values | None] = {}
        for spec in specs:
            self._ask(spec, _EVERYWHERE)
        for name, entry in configuration.items():
            self._configure(_EVERYWHERE if name == "all" else name, entry)

    def read(self, packages: set[str]) -> bool:
        """Take in what the recipes of these packages ask for; whether that could wake anything."""
        before = self._weight()
        for name in sorted(packages - self._read):
            self._read_recipe(name, spack.repo.PATH.get_pkg_class(name))
        self._read |= packages
        for name in self._read:
            self._follow(name, spack.repo.PATH.get_pkg_class(name))
        return self._weight() != before

    def forbids(self, package: str, when: Any) -> bool:
        """Whether a condition in a package's recipe holds in no best solution."""
        return any(self._fails(*named) for named in _named(when, package))

    def _fails(self, package: str, variant: str, values: _Values) -> bool:
        default = self._default(package, variant)
        if default is None or default & values:
            return False
        return not any(self._is_awake(name, variant, default) for name in (package, _EVERYWHERE))

    def _is_awake(self, package: str, variant: str, default: _Values) -> bool:
        asked, eased = self._asked[package, variant], self._eased[package, variant]
        return bool(asked - default) or bool(eased & default)

    def _default(self, package: str, variant: str) -> _Values | None:
        """The default of a variant; None where it has none, or different ones."""
        key = (package, variant)
        if key not in self._defaults:
            self._defaults[key] = _default(package, variant)
        return self._defaults[key]

    def _configure(self, package: str, entry: Mapping[str, Any]) -> None:
        for key in ("require", "prefer", "variants", "conflict"):
            for how, text in _strings(entry.get(key, ()), key):
                take = self._ease if how in {"conflict", "when"} else self._ask
                take(spack.spec.Spec(text), package)
        for external in entry.get("externals", ()):
            self._ask(spack.spec.Spec(external["spec"]), package)

    def _read_recipe(self, name: str, recipe: Any) -> None:
        for when, dependencies in recipe.dependencies.items():
            self._ease(when, name)
            for dependency in dependencies.values():
                self._ask(dependency.spec, name)
        for when, conflicts in recipe.conflicts.items():
            self._ease(when, name)
            for conflict, _ in conflicts:
                self._ease(conflict, name)
        for when, requirements in recipe.requirements.items():
            self._ease(when, name)
            for specs, _, _ in requirements:
                for spec in specs:
                    self._ask(spec, name)
        for when in (*recipe.provided, *recipe.provided_together):
            self._ask(when, name)
        for when in recipe.variants:
            self._ease(when, name)

    def _follow(self, package: str, recipe: Any) -> None:
        """Who asks for a variant, a value, or a package that nothing else brings, asks for its condition."""
        missing = self._wanted - self._read
        for when, dependencies in recipe.dependencies.items():
            if not missing.isdisjoint(dependencies):
                self._ask(when, package)
        for when, variants in recipe.variants.items():
            for name, variant in variants.items():
                if not self._asked[package, name] and not self._asked[_EVERYWHERE, name]:
                    continue
                self._ask(when, package)
                for value in () if variant.values is None else variant.values:
                    if isinstance(getattr(value, "when", None), spack.spec.Spec):
                        self._ask(value.when, package)

    def _ask(self, spec: Any, package: str) -> None:
        self._wanted |= {node.name for node in spec.traverse(root=False)}
        for name, variant, values in _named(spec, package):
            self._asked[name, variant] |= values

    def _ease(self, spec: Any, package: str) -> None:
        for name, variant, values in _named(spec, package):
            self._eased[name, variant] |= values

    def _weight(self) -> int:
        return sum(map(len, self._asked.values())) + sum(map(len, self._eased.values())) + len(self._wanted)


def _named(spec: Any, package: str) -> Iterator[tuple[str, str, _Values]]:
    """The variants that a spec names, of which package, and their values."""
    for node in spec.traverse():
        for variant, asked in node.variants.items():
            name = _EVERYWHERE if asked.propagate else node.name or package
            if spack.repo.PATH.is_virtual(name):
                name = _EVERYWHERE
            yield name, variant, _texts_of(asked.values)


def _texts_of(values: Any) -> _Values:
    return frozenset(str(value).lower() for value in values)


def _default(package: str, variant: str) -> _Values | None:
    if variant == "build_system" or not package or not spack.repo.PATH.exists(package):
        return None
    recipe = spack.repo.PATH.get_pkg_class(package)
    found = {_texts_of(one.make_default().values) for _, one in recipe.variant_definitions(variant)}
    return found.pop() if len(found) == 1 else None


def _strings(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """The specs in a setting, each with the nearest key above it."""
    match value:
        case str():
            yield key, value
        case Mapping():
            for below, more in value.items():
                if below not in {"message", "policy"}:
                    yield from _strings(more, key if key == "conflict" else below)
        case _:
            for more in value:
                yield from _strings(more, key)
