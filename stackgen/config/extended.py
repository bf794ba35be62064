"""An environment over a site's release: what it does not say itself is said there."""

from dataclasses import dataclass, replace
from pathlib import Path

from pydantic_core import PydanticCustomError

from stackgen import host, underlying
from stackgen.config.join import Reading
from stackgen.config.nodes import Entry, Mapping, Scalar
from stackgen.errors import Fault, InputError
from stackgen.model import Environment, paths
from stackgen.underlying import INPUT, SITE, Underlying

_TAKEN = ("compiler", "mpi", "math", "cuda")
"""What of a toolchain is taken from the release; its `other-mpis` would have all built several times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended:
    """The completed mapping of a file, what it stands on, and the directory whose `systems` it means."""

    root: Mapping
    systems: Path
    underlying: Underlying | None = None


def extended(root: Mapping, path: Path, offered: str, reading: Reading, *, renewed: bool) -> Extended:
    """A file's mapping with what the release says that it extends; as it is where it extends none.

    `offered` is what the system's file offers. A `renewed` one stands on the current release, whatever its
    lock says. Faults are noted.
    """
    own = Extended(root=root, systems=path.parent / "systems")
    asked = _text(root, INPUT)
    if not asked:
        return own
    try:
        below = _below(asked, offered, root, path, renewed=renewed)
        written = _written(below)
    except (InputError, PermissionError) as caught:
        error = caught if isinstance(caught, InputError) else _closed(caught)
        place = root.entries[INPUT].node.place
        reading.faults += [replace(fault, place=fault.place or place) for fault in error.faults]
        return replace(own, root=_filled(root))
    systems = own.systems if "system" in root.entries else written.systems
    return Extended(root=_completed(root, written.root), systems=systems, underlying=below)


def _closed(error: PermissionError) -> InputError:
    what = f"{error.filename} may not be read"
    return InputError.of(what, "name another prefix, or ask its owner", where=INPUT)


def misplaced(environment: Environment, below: Underlying) -> list[Fault]:
    """What is wrong with where a stack of one's own is to lie."""
    ours, theirs = Path(environment.prefix).resolve(), Path(below.prefix).resolve()
    if not (ours.is_relative_to(theirs) or theirs.is_relative_to(ours)):
        return []
    said = f"{environment.prefix} and that of the stack which this extends, {below.prefix}"
    what = f"the prefix {said}, lie within each other"
    return [Fault(where="prefix", what=what, remedy="choose a directory of your own")]


def _text(root: Mapping, key: str) -> str:
    entry = root.entries.get(key)
    return (entry.node.text or "") if entry and isinstance(entry.node, Scalar) else ""


def _below(asked: str, offered: str, root: Mapping, path: Path, *, renewed: bool) -> Underlying:
    if asked == SITE and not offered:
        remedy = "name a prefix; or a `system:` whose file says `offers: PREFIX`"
        raise InputError.of("no system's file offers a stack", remedy, where=INPUT)
    try:
        place = paths.prefix(offered if asked == SITE else asked)
    except PydanticCustomError as error:
        said = error.context or {}
        raise InputError.of(str(said.get("what")), str(said.get("remedy")), where=INPUT) from None
    known = {} if renewed else underlying.recorded(path.parent / f"{_text(root, 'name')}.lock")
    return underlying.find(place, known, f"stackgen lock --upgrade {path}")


def _written(below: Underlying) -> Extended:
    """What the site wrote of its release, kept in it."""
    kept = below.directory / "environment"
    for file in sorted(kept.rglob("*.yaml"), key=lambda file: (len(file.parts), file)):
        reading = Reading()
        root = reading.read(file)
        if root and "frameworks" in root.entries and _text(root, "name") == below.environment:
            return Extended(root=root, systems=file.parent / "systems")
    what = f"release {below.release} of {below.prefix} does not say what it was made from"
    raise InputError.of(what, "ask its admin to build it again", where=INPUT)


def _filled(root: Mapping) -> Mapping:
    """The mapping with whatever system: that none is known is no fault of its own."""
    entry = Entry(Scalar(host.THIS, root.place), root.place)
    return Mapping({"system": entry, **root.entries}, root.place)


def _completed(root: Mapping, below: Mapping) -> Mapping:
    entries = dict(root.entries)
    if "system" not in entries and (entry := below.entries.get("system")):
        entries["system"] = Entry(_moved(entry, root), root.entries[INPUT].key)
    theirs, ours = below.entries.get("toolchain"), root.entries.get("toolchain")
    if theirs and isinstance(theirs.node, Mapping):
        if ours is None:
            entries["toolchain"] = Entry(_toolchain(theirs.node, {}, root), root.entries[INPUT].key)
        elif isinstance(ours.node, Mapping):
            entries["toolchain"] = Entry(_toolchain(theirs.node, dict(ours.node.entries), root), ours.key)
    return Mapping(entries, root.place)


def _toolchain(theirs: Mapping, ours: dict[str, Entry], root: Mapping) -> Mapping:
    taken = {
        part: Entry(_moved(theirs.entries[part], root), root.entries[INPUT].key)
        for part in _TAKEN
        if part in theirs.entries and part not in ours
    }
    return Mapping({**taken, **ours}, root.entries[INPUT].node.place)


def _moved(entry: Entry, root: Mapping) -> Scalar:
    """A value as if `extends:` said it: what is wrong with it is wrong with that."""
    place = root.entries[INPUT].node.place
    return Scalar(entry.node.text if isinstance(entry.node, Scalar) else None, place)
