"""Without a command: what there is, what is loaded, and what to type next."""

import os
from typing import List, Mapping, NamedTuple, Sequence, Tuple

from stackgen.inside.launcher.deprecation import Deprecation, sentence_today
from stackgen.inside.launcher.description import Loadable, Site
from stackgen.inside.launcher.surroundings import (
    Loaded,
    again,
    current_name,
    deprecations_told,
    frameworks_told,
    later_release,
    loaded_here,
)

_WIDTH = 79
_LEAST = 30
"""Characters for a few words beside a module; where there are fewer, they get a line of their own."""


class Shown(NamedTuple):
    """What is there to be loaded: the current release's, whichever the launcher is of."""

    release: str
    frameworks: Sequence[Loadable]
    deprecations: Tuple[Deprecation, ...]


def overview(site: Site, environ: Mapping[str, str], commands: Mapping[str, str]) -> str:
    """All of it; `commands` by their names, each with its meaning."""
    loaded, there = loaded_here(site, environ), what_is_there(site)
    site = site._replace(deprecations=there.deprecations)  # the last word on what users should leave
    parts = [
        [_heading(site, there), "", *_framework_lines(site, there, loaded), *_below(site), *_not_here(site)],
        _loaded_lines(site, loaded),
        _next_lines(site, there, loaded, environ),
        [f"  {site.namespace} {name:<10}{meaning}" for name, meaning in commands.items()],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def what_is_there(site: Site) -> Shown:
    """The frameworks that `module load` gives to new shells."""
    current = current_name(site.prefix)
    if current and current != site.release:
        place = os.path.join(site.prefix, "releases", current)
        told, said = frameworks_told(place), deprecations_told(place)
        if told:
            return Shown(current, told, site.deprecations if said is None else said)
    return Shown(site.release, site.frameworks, site.deprecations)


def _heading(site: Site, there: Shown) -> str:
    place = site.system + (f" ({site.site})" if site.site and site.site != site.system else "")
    return f"AI frameworks on {place}, release {there.release}"


def _framework_lines(site: Site, there: Shown, loaded: Sequence[Loaded]) -> List[str]:
    """A line for each, or two; the loaded one is marked."""
    if not there.frameworks:
        return ["  none"]
    widest = max(len(one.module) for one in there.frameworks)
    own = os.path.join(site.prefix, "releases", there.release)
    here = {one.framework.module for one in loaded if one.place == own}
    lines = []
    for one in sorted(there.frameworks, key=_in_order):
        mark = ">" if one.module in here else " "
        words = _few_words(site, one, there.frameworks)
        if _WIDTH - widest - 4 >= _LEAST:
            first, *rest = folded(words, " " * (widest + 4))
            lines += [f"{mark} {one.module:<{widest}}  {first.strip()}".rstrip(), *rest]
        else:
            lines += [f"{mark} {one.module}", *(folded(words, " " * 6) if words else [])]
    return lines


def _in_order(one: Loadable) -> Tuple[str, List[Tuple[int, str]]]:
    """By name, and versions by their numbers."""
    name, _, version = one.module.rpartition("/")
    parts = version.replace("-", ".").replace("+", ".").split(".")
    return name, [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _few_words(site: Site, one: Loadable, beside: Sequence[Loadable]) -> str:
    """What tells a framework from the others, and what it is for."""
    module = one.module.rpartition("/")[0]
    several = [other for other in beside if other.module.rpartition("/")[0] == module]
    tags = ["default"] if one.default and len(several) > 1 else []
    tags += ["GPU"] if one.cuda else []
    tags += ["container"] if one.image else []
    tags += [tag for tag in [_fate(site, one)] if tag]
    summary = one.summary or (one.title if one.title.lower() != one.name else "")
    return " ".join(filter(None, ("({})".format(", ".join(tags)) if tags else "", summary)))


def _fate(site: Site, one: Loadable) -> str:
    sentence, is_gone = sentence_today(site.deprecations, one.module)
    return "withdrawn" if is_gone else "deprecated" if sentence else ""


def _below(site: Site) -> List[str]:
    """Where the frameworks are of a stack of one's own base."""
    prefix = site.extends.rpartition("/releases/")[0]
    core = os.path.join(prefix, "current", "modules", "Core")
    return (
        ["", "This stands on another stack, whose modules come by", f"  module use {core}"] if prefix else []
    )


def _not_here(site: Site) -> List[str]:
    """What a site says of what it does not offer: the names."""
    names = ", ".join(site.unsupported or ())
    text = f"Not here: {names}. `{site.namespace} which NAME` says why, and what to use instead."
    return ["", *folded(text)] if names else []


def _loaded_lines(site: Site, loaded: Sequence[Loaded]) -> List[str]:
    """What is loaded, of which release, and whether that is still the one to use."""
    if not loaded:
        return ["Nothing is loaded."]
    lines: List[str] = []
    for one in loaded:
        module = one.framework.module
        of = f" of the release {one.release}" if one.release else ""
        lines.append(f"Loaded: {module}{of}.")
        lines += _later(one)
        sentence, _ = sentence_today(site.deprecations, module)
        lines += folded(sentence) if sentence else []
    if len(loaded) > 1:
        lines += folded(f"Only one should be: `{site.namespace} doctor` says more.")
    return lines


def _later(one: Loaded) -> List[str]:
    """What to do where another release is current by now."""
    current = later_release(one)
    if not current:
        return []
    lines = folded(f"The current release is {current}. What runs goes on; this shell changes to it by")
    return [*lines, "  " + again(one.framework.module.rpartition("/")[0])]


def _next_lines(site: Site, there: Shown, loaded: Sequence[Loaded], environ: Mapping[str, str]) -> List[str]:
    """Three things to type next."""
    name = site.namespace
    if loaded:
        typed = [
            (f"{name} info", "how to use what is loaded, and what it sets"),
            (f"{name} packages", "what is inside, a package a line"),
            (f"{name} doctor", "why something does not work"),
        ]
    else:
        first = first_to_load(there.frameworks)
        typed = [
            (f"module load {first}", "to use it: `python` is its own then"),
            (f"{name} packages {first.split('/')[-1]}", "what is inside, a package a line"),
            (f"{name} which NAME", "where a command or a package is"),
        ]
        core = os.path.join(site.prefix, "current", "modules", "Core")
        if not sees_modules(site, environ):
            typed.insert(0, (f"module use {core}", ""))
    widest = max(len(words) for words, meaning in typed if meaning)
    return ["Next:", *(f"  {words:<{widest}}  {meaning}".rstrip() for words, meaning in typed)]


def first_to_load(frameworks: Sequence[Loadable]) -> str:
    """A framework to begin with, by the name of its module without a version."""
    plain = [one for one in frameworks if one.python and not one.image] or list(frameworks)
    return plain[0].module.rpartition("/")[0] if plain else "NAME"


def sees_modules(site: Site, environ: Mapping[str, str]) -> bool:
    """Whether `module load` finds the site's modules."""
    entries = [entry.rstrip("/") for entry in environ.get("MODULEPATH", "").split(":")]
    mine = (os.path.join(site.prefix, "current"), os.path.join(site.prefix, "releases"))
    return any(entry.startswith(place + "/") for entry in entries for place in mine)


def folded(text: str, indent: str = "", width: int = _WIDTH) -> List[str]:
    """A text in lines of a terminal's width; words are never cut, for one may want to copy them."""
    lines = [indent]
    for word in text.split(" "):
        if len(lines[-1]) + 1 + len(word) > width and lines[-1].strip():
            lines.append(indent)
        lines[-1] += word if lines[-1] == indent else " " + word
    return lines
