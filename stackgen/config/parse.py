"""From YAML text to nodes: what YAML allows and we do not is refused here, each with its place."""

from collections.abc import Iterator
from dataclasses import dataclass

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from stackgen.config.nodes import Entry, Mapping, Node, Scalar, Sequence, key_path
from stackgen.config.syntax import explained, place_of
from stackgen.errors import Fault, InputError, Place

MAX_DEPTH = 32
MAX_NODES = 20_000
"""What anchors stand for counts each time they are used."""
MAX_TEXT = 1000
"""Characters of a single key or value."""

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_STANDARD_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Parsed:
    """What could be read of a file, and what is wrong with it as YAML."""

    root: Mapping | None
    faults: tuple[Fault, ...]


def parse(text: str, file: str) -> Parsed:
    """Read one YAML document whose faults are placed in `file`."""
    walk = _Walk(text, file)
    try:
        root = walk.document()
    except InputError as error:
        return Parsed(None, (*walk.faults, *error.faults))
    except yaml.YAMLError as error:
        return Parsed(None, (*walk.faults, explained(error, text, file)))
    except (ValueError, OverflowError):  # an escape such as "\UFFFFFFFF"
        fault = Fault(place=walk.here, what="an escape in the text names no character", remedy="correct it")
        return Parsed(None, (*walk.faults, fault))
    return Parsed(root, tuple(walk.faults))


class _Walk:
    """One walk over the events of a text; faults that do not hide others are collected on the way."""

    def __init__(self, text: str, file: str) -> None:
        self._events: Iterator[Event] = iter(yaml.parse(text, Loader=yaml.BaseLoader))
        self._file = file
        self._count = 0
        self._open: list[str] = []
        self._anchored: dict[str, tuple[Node, int]] = {}
        self.faults: list[Fault] = []
        self.here = Place(file=file)

    def document(self) -> Mapping | None:
        self._next()
        if not isinstance(self._next(), DocumentStartEvent):
            raise InputError.of("the file is empty", "see `stackgen init`", place=Place(file=self._file))
        root = self._node(self._next(), "", 0)
        self._next()
        if isinstance(self._next(), DocumentStartEvent):
            raise InputError.of("a second document begins here", "keep one in a file", place=self.here)
        if not isinstance(root, Mapping):
            raise InputError.of(
                "keys are expected here, such as `name: quickstart`", "see `stackgen init`", place=root.place
            )
        return root

    def _next(self) -> Event:
        event = next(self._events)
        assert isinstance(event.start_mark, yaml.Mark)
        self.here = place_of(event.start_mark, self._file)
        return event

    def _node(self, event: Event, where: str, depth: int) -> Node:
        place = self.here
        self._count += 1
        self._check_size(place, depth)
        if isinstance(event, AliasEvent):
            return self._alias(str(event.anchor), place)
        assert isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent)
        if event.tag:
            self._refuse_tag(event.tag, where, place)
        if not event.anchor:
            return self._content(event, where, depth, place)
        before = self._count
        self._open.append(event.anchor)
        node = self._content(event, where, depth, place)
        self._open.pop()
        self._anchored[event.anchor] = node, self._count - before
        return node

    def _content(
        self,
        event: ScalarEvent | SequenceStartEvent | MappingStartEvent,
        where: str,
        depth: int,
        place: Place,
    ) -> Node:
        match event:
            case ScalarEvent():
                plain = event.style is None and event.value in _NULL
                return Scalar(None if plain else self._checked(event.value, where, place), place)
            case SequenceStartEvent():
                return Sequence(tuple(self._items(where, depth)), place)
            case MappingStartEvent():
                return Mapping(self._entries(where, depth), place)

    def _items(self, where: str, depth: int) -> Iterator[Node]:
        index = 0
        while not isinstance(event := self._next(), SequenceEndEvent):
            yield self._node(event, key_path(where, index), depth + 1)
            index += 1

    def _entries(self, where: str, depth: int) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        while not isinstance(event := self._next(), MappingEndEvent):
            key = self._node(event, where, depth + 1)
            name = key.text or "" if isinstance(key, Scalar) else ""
            value = self._node(self._next(), key_path(where, name), depth + 1)
            if fault := _key_fault(key, name, where, entries):
                self.faults.append(fault)
            else:
                entries[name] = Entry(value, key.place)
        return entries

    def _alias(self, name: str, place: Place) -> Node:
        if self._open:
            raise InputError.of(
                f"the alias *{name} stands inside the anchor &{self._open[-1]}", "write it out", place=place
            )
        if name not in self._anchored:
            raise InputError.of(
                f"the alias *{name} has no anchor &{name} before it", "write the value out", place=place
            )
        node, count = self._anchored[name]
        self._count += count
        self._check_size(place, 0)
        return node

    def _check_size(self, place: Place, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise InputError.of(f"nested deeper than {MAX_DEPTH} levels", "flatten it", place=place)
        if self._count > MAX_NODES:
            raise InputError.of(
                f"more than {MAX_NODES} keys and values, aliases counted as what they stand for",
                "shorten it",
                place=place,
            )

    def _refuse_tag(self, tag: str, where: str, place: Place) -> None:
        short = f"!!{tag.removeprefix(_STANDARD_TAG)}" if tag.startswith(_STANDARD_TAG) else tag
        what = f"the tag {_shown(short)} is refused"
        self.faults.append(Fault(place=place, where=where, what=what, remedy="write the value alone"))

    def _checked(self, text: str, where: str, place: Place) -> str:
        if len(text) > MAX_TEXT:
            what, remedy = f"a text of {len(text)} characters", f"write at most {MAX_TEXT}"
        elif strange := next((character for character in text if not _is_shown(character)), ""):
            what, remedy = f"the text has the invisible character U+{ord(strange):04X}", "remove it"
        else:
            return text
        self.faults.append(Fault(place=place, where=where, what=what, remedy=remedy))
        return _shown(text)


def _shown(text: str) -> str:
    """The text as a message may hold it, whatever was written."""
    return "".join(character if _is_shown(character) else "?" for character in text[:MAX_TEXT])


def _is_shown(character: str) -> bool:
    return character.isprintable() or character in "\n\t"


def _key_fault(key: Node, name: str, where: str, entries: dict[str, Entry]) -> Fault | None:
    if not isinstance(key, Scalar):
        return Fault(place=key.place, where=where, what="a list or mapping as a key", remedy="use text")
    if not name.strip():
        return Fault(place=key.place, where=where, what="a key is empty", remedy="name it")
    where = key_path(where, name)
    if name == "<<":
        what = "merge keys are refused"
        return Fault(
            place=key.place, where=where, what=what, remedy="put what files share into one and `include:` it"
        )
    if name in entries:
        what = f"this key is in line {entries[name].key.line} already"
        return Fault(place=key.place, where=where, what=what, remedy="keep one of the two")
    return None
