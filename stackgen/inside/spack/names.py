"""Whether there are recipes for what specs name: packages, virtuals, versions, variants and their values."""

import json
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import spack.config
import spack.error
import spack.repo
import spack.spec
import spack.variant

from stackgen.inside.spack import fits, reach, scopes

_ANYWHERE = frozenset({"commit", "dev_path", "namespace", "patches"})
"""What every package may be asked for."""


def checked(specs: Mapping[str, str], directory: str) -> Iterator[str]:
    """A line of JSON for each fault: `where`, `what`, `remedy`."""
    if directory:
        scopes.activate(Path(directory))
    parsed = {where: _parsed(text) for where, text in specs.items()}
    for where, spec in parsed.items():
        together = {
            one.name for other, one in parsed.items() if _part(other) == _part(where) and _is_spec(one)
        }
        found = _faults(where, spec, together) if _is_spec(spec) else [_unreadable(specs[where], spec)]
        for what, remedy in found:
            yield json.dumps({"where": where, "what": what, "remedy": remedy})


def _part(where: str) -> str:
    """What is solved together: `frameworks.<name>`, or all the rest."""
    first, _, rest = where.partition(".")
    return f"{first}.{rest.partition('.')[0]}" if first == "frameworks" else ""


def _parsed(text: str) -> Any:
    """The spec, or why there is none."""
    try:
        return spack.spec.Spec(text)
    except (spack.error.SpackError, spack.error.SpecSyntaxError, ValueError) as error:
        return str(error).splitlines()[0].rstrip(":")
    except AttributeError:  # Spack's own, of a `%` that ends a spec
        return "a `%` or `^` names no package"


def _is_spec(spec: Any) -> bool:
    return not isinstance(spec, str)


def _unreadable(text: str, said: str) -> tuple[str, str]:
    return f"{text!r} is no spec: {said}", "write it as `spack spec` takes it"


def _faults(where: str, spec: Any, together: Collection[str]) -> Iterator[tuple[str, str]]:
    misfits = [fault for node in spec.traverse() for fault in fits.misfits(node)]
    if misfits:
        yield from misfits
        return
    for node in spec.traverse():
        if not spack.repo.PATH.is_virtual(node.name):
            yield from _of_package(node)
    yield from fits.misplaced(where, spec.name)
    yield from reach.unreached(spec, together)


def _of_package(node: Any) -> Iterator[tuple[str, str]]:
    if not spack.repo.PATH.exists(node.name):
        every = spack.repo.PATH.all_package_names(include_virtuals=True)
        yield f"Spack has no package {node.name}", _near(node.name, every, "see `spack list`")
        return
    recipe = spack.repo.PATH.get_pkg_class(node.name)
    yield from _version(node, recipe)
    known = recipe.variant_names()
    for name, asked in node.variants.items():
        if name in _ANYWHERE or asked.propagate:
            continue
        if name not in known:
            remedy = _near(name, known, f"it has {', '.join(sorted(known))}")
            yield f"{node.name} has no variant {name}", remedy
        else:
            yield from _value(node.name, asked, recipe.variant_definitions(name))


def _version(node: Any, recipe: Any) -> Iterator[tuple[str, str]]:
    """Exact ones and ranges; commits, and what `@=` calls a version of the user's own, are not looked up."""
    asked = node.versions
    exact = "=" in str(asked) or "git." in str(asked)
    if (
        exact
        or not recipe.versions
        or any(version.intersects(asked) for version in (*recipe.versions, *_there(node.name)))
    ):
        return
    listed = [str(version) for version in sorted(recipe.versions, reverse=True)]
    more = ", ..." if len(listed) > 8 else ""
    yield f"{node.name} has no version {asked}", f"it has {', '.join(listed[:8])}{more}"


def _there(package: str) -> Iterator[Any]:
    """The versions that the system has of a package, which its recipe need not know."""
    for external in spack.config.get("packages").get(package, {}).get("externals", ()):
        yield spack.spec.Spec(external["spec"]).versions


def _value(package: str, asked: Any, definitions: Any) -> Iterator[tuple[str, str]]:
    possible: set[str] = set()
    for _, definition in definitions:
        if definition.values is None:
            return
        if isinstance(definition.values, spack.variant.DisjointSetsOfValues):
            possible |= {str(value) for group in definition.values.sets for value in group}
        else:
            possible |= {str(getattr(value, "value", value)) for value in definition.values}
    for value in asked.values:
        if str(value) not in possible | {"*"}:
            remedy = _near(str(value), possible, f"it takes {', '.join(sorted(possible))}")
            yield f"the variant {asked.name} of {package} cannot be {value}", remedy


def _near(word: str, known: Collection[str], remedy: str) -> str:
    matches = get_close_matches(word, known, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(matches)}?" if matches else remedy
