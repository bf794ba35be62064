"""Examples of keys: what the environments and systems that come with stackgen have there."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from _reference.kinds import Schema, referred

Example = Mapping[str, Any]
_LINES = 6
_LONG = 40
"""A longer example shows less of a key than a shorter one."""


class Examples:
    """What files have at each key of each definition."""

    def __init__(self, schema: Schema, files: Iterable[Path], more: Iterable[Example] = ()) -> None:
        self._found: dict[tuple[str, str], list[Any]] = {}
        self._definitions = schema.get("$defs", {})
        for content in (*map(_content, sorted(files)), *more):
            self._collect(content, schema, "")

    def of(self, definition: str, key: str, value: Schema) -> Example | None:
        """The key with a value: what shows most in few words of what files have, else the schema's own."""
        found = [one for one in self._found.get((definition, key), ()) if one not in ("", [], {}, None)]
        short = [one for one in found if len(yaml.safe_dump(one).splitlines()) <= _LINES]
        if short:
            return {key: max(short, key=lambda one: (_is_telling(one), min(len(str(one)), _LONG)))}
        own = next(_own(value), None)
        return None if own is None else {key: own}

    def _collect(self, content: Any, schema: Schema, name: str) -> None:  # noqa: ANN401 - whatever YAML can hold
        if not isinstance(content, Mapping):
            return
        for key, value in content.items():
            if (below := schema.get("properties", {}).get(key)) is not None:
                self._found.setdefault((name, key), []).append(value)
                self._descend(value, below)

    def _descend(self, value: Any, schema: Schema) -> None:  # noqa: ANN401
        for choice in schema.get("anyOf", schema.get("oneOf", (schema,))):
            if (named := referred(choice)) and self._fits(value, self._definitions[named]):
                self._collect(value, self._definitions[named], named)
            elif isinstance(value, list) and "items" in choice:
                for one in value:
                    self._descend(one, choice["items"])
            elif isinstance(value, Mapping) and (free := _free(choice)):
                for one in value.values():
                    self._descend(one, free)

    def _fits(self, value: Any, definition: Schema) -> bool:  # noqa: ANN401
        """Whether a framework comes from where this definition is of."""
        own = definition.get("properties", {}).get("from", {}).get("const")
        return own is None or (isinstance(value, Mapping) and value.get("from") == own)


def _content(file: Path) -> Any:  # noqa: ANN401
    return yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506 - it makes text of all


def _free(schema: Schema) -> Schema | None:
    patterns = list(schema.get("patternProperties", {}).values())
    more = schema.get("additionalProperties")
    return patterns[0] if patterns else more or None


def _is_telling(value: Any) -> bool:  # noqa: ANN401
    return not isinstance(value, list | Mapping) or len(value) > 1


def _own(schema: Schema) -> Iterator[Any]:
    """The example of the schema, or of what it has in its list; those that say nothing are left out."""
    for example in schema.get("examples", ()):
        if example not in ("TEXT", "NAME"):
            yield example
    yield from [schema["const"]] if "const" in schema else schema.get("enum", ())
    for choice in schema.get("anyOf", ()):
        yield from _own(choice)
    if "items" in schema:
        yield from ([one] for one in _own(schema["items"]))
    if schema.get("default") not in (None, [], {}) and not isinstance(schema.get("default"), Mapping):
        yield schema["default"]
