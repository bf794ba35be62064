"""Variants that keep their defaults in every best solution: what only other values bring is left out.

Nobody asks for such a value: neither a spec, nor the configuration, nor a recipe that may be in a
solution. And no recipe has a rule that holds for the default alone, so that another value could ease
anything; one of several that a rule gives as a choice is such a rule, and so is a default that not every
version has. Nor has anything that is there already, and may be taken as it is, such a value. Take any
solution with another value, give it the default, and drop what only that value had brought: every rule still
holds, and the solution is better, for defaults and smaller graphs are preferred.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import spack.deptypes as dt
import spack.repo
import spack.spec

_EVERYWHERE = ""
"""Stands for all packages."""

_Values = frozenset[str]


class Asleep:
    """What is known of which variants, from the recipes that were read so far: reading more only wakes."""

    def __init__(self, configuration: Mapping[str, Any], specs: Any, reused: Iterable[Any] = ()) -> None:
        self._asked: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._eased: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._wanted: dict[str, set[str]] = defaultdict(set)
        self._sure: dict[str, frozenset[str]] = {}
        self._found = frozenset(name for name, entry in configuration.items() if entry.get("externals"))
        self._read: set[str] = set()
        self._defaults: dict[tuple[str, str], _Values | None] = {}
        for spec in specs:
            self._ask(spec, _EVERYWHERE)
        for spec in reused:  # which is taken as it is, or not at all
            for name, variant, values in _named(spec, _EVERYWHERE):
                self._asked[name, variant] |= values
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
                spec = spack.spec.Spec(text)
                if how in {"any_of", "conflict", "one_of", "when"}:
                    self._ease(spec, package)
                if how not in {"conflict", "when"}:
                    self._ask(spec, package)
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
                    if len(specs) > 1:
                        self._ease(spec, name)
        for when in (*recipe.provided, *recipe.provided_together):
            self._ask(when, name)
        for when in recipe.variants:
            self._ease(when, name)

    def _follow(self, package: str, recipe: Any) -> None:
        """Who asks for a variant, a value, or a package that may not come, asks for its condition."""
        missing = self._wanted[_EVERYWHERE] | self._wanted[package]
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
        for edge in spec.traverse_edges(root=False):
            names = {edge.spec.name, *_provided(edge.spec.name)}
            if edge.direct:
                above = edge.parent.name or package
                self._wanted[above] |= names - _always(edge.parent, above)
            else:
                sure = _always(spec, package)
                self._wanted[_EVERYWHERE] |= names - sure.union(*map(self._always_below, sure))
        for name, variant, values in _named(spec, package):
            self._asked[name, variant] |= values

    def _ease(self, spec: Any, package: str) -> None:
        for name, variant, values in _named(spec, package):
            self._eased[name, variant] |= values

    def _always_below(self, package: str) -> frozenset[str]:
        """What comes with a package whatever its variants are; what the system may have brings nothing."""
        if package not in self._sure:
            found: set[str] = set()
            waiting = [package]
            while waiting:
                name = waiting.pop()
                below = _always(spack.spec.Spec(), name) - found if name not in self._found else ()
                found.update(below)
                waiting.extend(below)
            self._sure[package] = frozenset(found)
        return self._sure[package]

    def _weight(self) -> int:
        kinds = (self._asked, self._eased, self._wanted)
        return sum(len(names) for kind in kinds for names in kind.values())


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
    if variant == "build_system" or not _has_recipe(package):
        return None
    definitions = [one for _, one in spack.repo.PATH.get_pkg_class(package).variant_definitions(variant)]
    found = {_texts_of(one.make_default().values) for one in definitions}
    sometimes = {text for one in definitions for text in _texts_of(_conditional(one.values))}
    return found.pop() if len(found) == 1 and sometimes.isdisjoint(*found) else None


def _conditional(values: Any) -> Iterator[Any]:
    """The values that a variant has under a condition only."""
    for value in () if values is None else values:
        if hasattr(value, "when"):
            yield value.value


def _always(spec: Any, package: str) -> frozenset[str]:
    """What a package that is so depends on, whatever else it is; virtual packages by their own names."""
    name = spec.name or package
    if not _has_recipe(name):
        return frozenset()
    conditions = spack.repo.PATH.get_pkg_class(name).dependencies.items()
    sure = [dependencies for when, dependencies in conditions if spec.satisfies(when)]
    return frozenset(name for one in sure for name, edge in one.items() if edge.depflag & ~dt.TEST)


def _provided(package: str) -> frozenset[str]:
    """The virtual packages that a package may come as."""
    if not _has_recipe(package):
        return frozenset()
    return frozenset(spack.repo.PATH.get_pkg_class(package).provided_virtual_names())


def _has_recipe(package: str) -> bool:
    return bool(package) and not spack.repo.PATH.is_virtual(package) and spack.repo.PATH.exists(package)


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
