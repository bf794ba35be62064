"""What users can start in an image, and which Python it has."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from stackgen.errors import WorkError
from stackgen.model.container import SHELLS
from stackgen.rootfs import Kind, RootFs

_OF_THE_DISTRIBUTION = frozenset({"/bin", "/sbin", "/usr/bin", "/usr/sbin"})
_TYPED = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
"""Names that every shell, file system and document can have; others in an image are nobody's commands."""
_ALWAYS = re.compile(r"(python|pip)[0-9.]*")


def commands_of_prefix(prefix: Path) -> dict[str, str]:
    """All programs of a prefix, by name."""
    found = sorted((prefix / "bin").iterdir())
    programs = (path for path in found if path.is_file() and os.access(path, os.X_OK))
    return {path.name: str(path) for path in programs if path.name not in SHELLS}


def commands_of_image(inside: RootFs, path: Iterable[str]) -> dict[str, str]:
    """Its Python, and what is on its PATH but none of its distribution."""
    every = _on_path(inside, path)
    return {
        name: place
        for name, place in every.items()
        if name not in SHELLS
        and (_ALWAYS.fullmatch(name) or place.rpartition("/")[0] not in _OF_THE_DISTRIBUTION)
    }


def named_commands(inside: RootFs, path: Iterable[str], names: Iterable[str], whose: str) -> dict[str, str]:
    """Commands that a site has named; WorkError where the image has none of a name."""
    every = _on_path(inside, path)
    if absent := [name for name in names if name not in every]:
        near = ", ".join(commands_of_image(inside, path)) or "nothing"
        raise WorkError(
            f"the image of {whose} has no {' and no '.join(absent)} on its PATH",
            f"correct `commands`; beside its distribution it has {near}",
        )
    return {name: every[name] for name in sorted(names)}


def python_of_image(inside: RootFs, path: Iterable[str], version: str, whose: str) -> str:
    """Where its Python of a version lies; WorkError where it has none."""
    every = _on_path(inside, path)
    name = f"python{version}"
    if name not in every:
        known = sorted(name for name in every if re.fullmatch(r"python\d+\.\d+", name))
        remedy = f"correct `python`; it has {', '.join(known) or 'none'}"
        raise WorkError(f"the image of {whose} has no {name} on its PATH", remedy)
    return every[name]


def _on_path(inside: RootFs, path: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for directory in path:
        for name in inside.names(directory):
            place = f"{directory.rstrip('/')}/{name}"
            entry = inside.look(place)
            if entry and entry.kind == Kind.FILE and entry.mode & 0o111 and _TYPED.fullmatch(name):
                found.setdefault(name, place)
    return dict(sorted(found.items()))
