"""How what this machine has is seen inside: binds, links to what they show, and whether it fits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stackgen.images.description import HOST, Bind
from stackgen.images.host import HostParts
from stackgen.images.lacking import refuse_older_glibc
from stackgen.images.loader import Library
from stackgen.images.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What an image says about the host's libraries."""

    binds: tuple[Bind, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    """Where each library appears inside, by name."""


def seen(parts: HostParts, standing: Standing, whose: str) -> Seen:
    """How the parts of this machine are seen on a distribution; WorkError where its glibc is too old."""
    taken = [library for library in parts.libraries if not _is_left(library, parts, standing)]
    refuse_older_glibc(((library.path, library.elf) for library in taken), standing, whose)
    places = {library.name: _place(library) for library in taken}
    numbers = {directory: f"{HOST}/{at}" for at, directory in enumerate(sorted({*_directories(places)}))}
    return Seen(
        binds=(
            *(Bind(source=str(directory), target=target) for directory, target in numbers.items()),
            *(Bind(source=path, target=path) for path in parts.directories),
        ),
        links={name: f"{numbers[directory]}/{file}" for name, (directory, file) in sorted(places.items())},
    )


def _is_left(library: Library, parts: HostParts, standing: Standing) -> bool:
    """Whether the distribution's own serves; of a library without versions nobody can tell."""
    own = standing.libraries.get(library.name)
    asked = {version for other in parts.libraries for version in other.elf.asks.get(library.name, ())}
    return own is not None and bool(own.offers) and own.offers >= asked


def _directories(places: Mapping[str, tuple[Path, str]]) -> set[Path]:
    return {directory for directory, _ in places.values()}


def _place(library: Library) -> tuple[Path, str]:
    """The directory to be bound, and the library's name in it: one that stays when it is updated."""
    directory = library.path.parent.resolve()
    real = library.path.resolve()
    if real.parent == directory:
        return directory, library.path.name
    return real.parent, real.name
