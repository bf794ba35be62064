"""Values as Lua source: whatever a text holds, it stays a text."""

import re

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}
_SPECIAL = re.compile(r'["\\\x00-\x1f\x7f]')
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


class Source(str):
    """A text that is Lua source already."""

    __slots__ = ()


def literal(value: object) -> str:
    """A string or a truth value as a Lua literal; a text of several lines keeps its lines.

    Raises TypeError for anything else, so that a template cannot print what has not been thought of.
    """
    match value:
        case Source():
            return value
        case bool():
            return "true" if value else "false"
        case str() if "\n" in value and not _CONTROL.search(value):
            return _long_bracket(value)
        case str():
            return '"' + _SPECIAL.sub(_escaped, value) + '"'
    raise TypeError(f"{type(value).__name__} has no Lua literal here")


def call(function: str, *arguments: object) -> Source:
    """A call of a Lua function with literal arguments."""
    return Source(f"{function}({', '.join(map(literal, arguments))})")


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    return _ESCAPES.get(character, f"\\{ord(character):03d}")


def _long_bracket(text: str) -> str:
    """`[==[ … ]==]` of a level whose end does not occur; Lua drops the line break after the opening."""
    level = 0
    while f"]{'=' * level}]" in f"{text}]":
        level += 1
    return f"[{'=' * level}[\n{text}]{'=' * level}]"
