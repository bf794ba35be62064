"""What may stand at a place of a YAML file, in words, from its JSON schema."""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_WORDS = {
    "string": "text",
    "number": "number",
    "integer": "whole number",
    "boolean": "`true` or `false`",
    "object": "mapping",
}
_REFERENCE = "#/$defs/"


def referred(schema: Schema) -> str:
    """The name of the definition that a schema refers to, or nothing."""
    return str(schema.get("$ref", "")).removeprefix(_REFERENCE)


def references(schema: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a schema
    """The names of all definitions that a schema refers to, in its order."""
    if isinstance(schema, Mapping):
        yield from filter(None, [referred(schema)])
        for key, part in schema.items():
            if key != "discriminator":
                yield from references(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from references(part)


def kind(schema: Schema, anchors: Mapping[str, str]) -> str:
    """What may stand here; definitions are links to the headings that `anchors` has of them."""
    choices = [
        choice for choice in schema.get("anyOf", schema.get("oneOf", ())) if choice != {"type": "null"}
    ]
    if choices:
        return " or ".join(dict.fromkeys(kind(choice, anchors) for choice in choices))
    if name := referred(schema):
        return f"[{_plain(name)}](#{anchors[name]})"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    return _by_type(schema, anchors)


def _by_type(schema: Schema, anchors: Mapping[str, str]) -> str:
    names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "array" in names:
        return f"list of: {kind(schema['items'], anchors)}"
    if "object" in names and (values := _values(schema)):
        return f"mapping of names to: {kind(values, anchors)}"
    return " or ".join(_WORDS[name] for name in names if name != "number" or "string" not in names)


def _values(schema: Schema) -> Schema | None:
    """The schema of the values of a mapping whose keys are free."""
    patterns = list(schema.get("patternProperties", {}).values())
    more = schema.get("additionalProperties")
    return patterns[0] if patterns else more or None


def _plain(name: str) -> str:
    """The name of a definition as two or three small words: `FrameworkPython` is a framework python."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return words.strip()
