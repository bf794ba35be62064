"""Every key of a kind of YAML file: what it may hold, its default, what it means, and an example."""

import ast
import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

import yaml

from _reference.examples import Examples
from _reference.kinds import Schema, kind, references


class _Plain(yaml.SafeDumper):
    """Texts without quotes even where they look like numbers: stackgen takes them as they are written."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - so it is declared there


_NOTHING: tuple[object, ...] = (None, [], {}, ())


def keys_page(of: str, schema: Schema, examples: Examples, titles: Mapping[str, str]) -> str:
    """Markdown with a heading for the file itself and one for each definition that it uses.

    `of` is the kind of file; `titles` has the headings of definitions that are not named by the first key
    that refers to them.
    """
    levels = {"": "The file", **_levels(schema, schema.get("$defs", {})), **titles}
    anchors = {name: f"{of}-{_anchor(title)}" for name, title in levels.items()}
    definitions = {"": schema, **schema.get("$defs", {})}
    parts = []
    for name, title in levels.items():
        if "properties" not in definitions[name]:  # the page has a section of its own for it
            continue
        text = definitions[name].get("description", "") if name else ""
        entries = _entries(definitions[name], name, schema, anchors, examples)
        parts += [f"({anchors[name]})=", f"## {title}", text, *entries]
    return "\n\n".join(filter(None, parts)) + "\n"


def members_page(members: type[StrEnum]) -> str:
    """What each member of an enumeration means, by the docstrings below them."""
    (body,) = ast.parse(inspect.getsource(members)).body
    assert isinstance(body, ast.ClassDef)
    texts = [text for node in body.body if (text := _text(node))][1:]
    pairs = zip(members, texts, strict=True)
    return "\n\n".join(f"`{member}`\n: {_line(text)}" for member, text in pairs) + "\n"


def _levels(one: Schema, definitions: Mapping[str, Schema]) -> dict[str, str]:
    """The definitions that a schema uses, with the keys that refer to them; each comes before its own."""
    found: dict[str, str] = {}
    for key, value in one.get("properties", {}).items():
        for name in references(value):
            if name not in found:
                found |= {name: f"{key}:"} | _levels(definitions[name], definitions) | found
    return found


def _text(node: ast.stmt) -> str:
    """The text that a statement is, or nothing."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return str(node.value.value)
    return ""


def _anchor(title: str) -> str:
    words = "".join(letter if letter.isalnum() else " " for letter in title.lower()).split()
    return "-".join(words)


def _entries(
    one: Schema, name: str, whole: Schema, anchors: Mapping[str, str], examples: Examples
) -> Iterator[str]:
    required = one.get("required", () if name else whole.get("else", {}).get("required", ()))
    for key, value in one["properties"].items():
        facts = [kind(value, anchors), "required" if key in required else _default(value)]
        about = value.get("description") or _of_definition(value, whole)
        if not about:
            raise LookupError(f"{name or 'the file'} says nothing of its key {key}")
        lines = [f"`{key}` --- {', '.join(facts)}", f": {_line(about)}"]
        lines += _example(examples.of(name, key, value))
        yield "\n".join(lines)


def _line(text: str) -> str:
    return " ".join(text.split())


def _of_definition(value: Schema, whole: Schema) -> str:
    name = next(references(value), "")
    return str(whole["$defs"][name].get("description", "")) if name else ""


def _default(value: Schema) -> str:
    default = value.get("default")
    if default in _NOTHING or (
        isinstance(default, Mapping) and set(map(str, default.values())) <= {"None", "()"}
    ):
        return "optional"
    shown = "that of each of its keys" if isinstance(default, Mapping) else f"`{_flow(default)}`"
    return f"default: {shown}"


def _flow(value: Any) -> str:  # noqa: ANN401 - whatever YAML can hold
    if isinstance(value, str | bool | int | float):
        return json.dumps(value) if isinstance(value, bool) else str(value)
    return yaml.safe_dump(value, default_flow_style=True, width=1000, sort_keys=False).strip()


def _example(example: Mapping[str, Any] | None) -> Sequence[str]:
    if example is None:
        return ()
    text = yaml.dump(dict(example), Dumper=_Plain, sort_keys=False, width=88).rstrip()
    return ("", "  ```yaml", *(f"  {line}" for line in text.splitlines()), "  ```")
