"""YAML as values that know where they were written."""

from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass

from stackgen.errors import Place


@dataclass(frozen=True, slots=True)
class Scalar:
    """Text as written, whatever YAML would make of it; None where nothing or `null` was written."""

    text: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple["Node", ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Entry:
    """The value of a key, and the place of the key itself."""

    node: "Node"
    key: Place


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and their values, in the order of the file."""

    entries: ReadOnly[str, Entry]
    place: Place


Node = Scalar | Sequence | Mapping


def plain(node: Node) -> object:
    """The same as dictionaries, lists and text, for pydantic."""
    match node:
        case Scalar():
            return node.text
        case Sequence():
            return [plain(item) for item in node.items]
        case Mapping():
            return {key: plain(entry.node) for key, entry in node.entries.items()}


def merged(base: Mapping, over: Mapping) -> Mapping:
    """Both mappings, joined as deep as both have mappings; elsewhere `over` wins."""
    entries = dict(base.entries)
    for key, entry in over.entries.items():
        below = entries.get(key)
        if below and isinstance(below.node, Mapping) and isinstance(entry.node, Mapping):
            entries[key] = Entry(merged(below.node, entry.node), entry.key)
        else:
            entries[key] = entry
    return Mapping(entries, over.place)


def without(mapping: Mapping, key: str) -> Mapping:
    """The mapping less one key."""
    return Mapping({name: entry for name, entry in mapping.entries.items() if name != key}, mapping.place)


def key_path(where: str, part: str | int) -> str:
    """One step further along a path such as `frameworks.tensorflow.requires[0]`."""
    if isinstance(part, int):
        return f"{where}[{part}]"
    return f"{where}.{part}" if where else part


def places(node: Node, where: str = "") -> dict[str, Place]:
    """The place of every key and list item by its path."""
    found: dict[str, Place] = {}
    match node:
        case Mapping():
            for key, entry in node.entries.items():
                below = key_path(where, key)
                found |= {below: entry.key, **places(entry.node, below)}
        case Sequence():
            for index, item in enumerate(node.items):
                below = key_path(where, index)
                found |= {below: item.place, **places(item, below)}
    return found
