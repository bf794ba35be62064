"""Variants that keep their defaults in every best solution, and so whatever only their other values would bring.

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
        self._awake: set[tuple[str, str]] = set()
        self._read: set[str] = set()
        self._defaults: dict[tuple[str, str], _Values | None] = {}
        for spec in specs:
            self._wake(spec, _EVERYWHERE)
        for name, entry in configuration.items():
            for text in _texts(entry):
                self._wake(spack.spec.Spec(text), _EVERYWHERE if name == "all" else name)

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
        return any(
            self._default(name, variant) is not None
            and not self._default(name, variant) & values
            and self._sleeps(name, variant)
            for name, variant, values in _named(when, package)
        )

    def _sleeps(self, package: str, variant: str) -> bool:
        default = self._default(package, variant)
        if default is None:
            return False
        keys = ((package, variant), (_EVERYWHERE, variant))
        return not any(
            key in self._awake
            or self._asked.get(key, set()) - default
            or self._eased.get(key, set()) & default
            for key in keys
        )

    def _default(self, package: str, variant: str) -> _Values | None:
        """The default of a variant; None where it has none, or different ones."""
        key = (package, variant)
        if key not in self._defaults:
            self._defaults[key] = _default(package, variant)
        return self._defaults[key]

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
        """Whoever asks for a variant, or a value of one, asks for the condition on which it exists."""
        for when, variants in recipe.variants.items():
            for name, variant in variants.items():
                asked = self._asked.get((package, name)) or self._asked.get((_EVERYWHERE, name))
                if not asked and not {(package, name), (_EVERYWHERE, name)} & self._awake:
                    continue
                self._ask(when, package)
                for value in () if variant.values is None else variant.values:
                    if isinstance(getattr(value, "when", None), spack.spec.Spec):
                        self._ask(value.when, package)

    def _ask(self, spec: Any, package: str) -> None:
        for name, variant, values in _named(spec, package):
            self._asked[name, variant] |= values

    def _ease(self, spec: Any, package: str) -> None:
        for name, variant, values in _named(spec, package):
            self._eased[name, variant] |= values

    def _wake(self, spec: Any, package: str) -> None:
        self._awake |= {(name, variant) for name, variant, _ in _named(spec, package)}

    def _weight(self) -> int:
        return sum(map(len, self._asked.values())) + sum(map(len, self._eased.values())) + len(self._awake)


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


def _texts(entry: Mapping[str, Any]) -> Iterator[str]:
    """The specs in what the configuration says of a package."""
    for key in ("require", "prefer", "conflict", "variants"):
        yield from _strings(entry.get(key, ()))
    for external in entry.get("externals", ()):
        yield external["spec"]


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for key, more in value.items():
                if key not in {"message", "policy"}:
                    yield from _strings(more)
        case _:
            for more in value:
                yield from _strings(more)
