"""Values in the files that OnDemand reads: each stays what it is, for Ruby and for its YAML."""

import re
from collections.abc import Iterable, Mapping, Sequence

import yaml

Value = str | int | bool | Sequence["Value"] | Mapping[str, "Value"]

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*([ .,/()-]+[A-Za-z0-9_()]+)*[.,]?")
"""Texts that no YAML takes for anything else, if not PyYAML does."""
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _.,:;/=@+-()")


class _Dumper(yaml.SafeDumper):
    """Quotes what Ruby's YAML might take for a number, a symbol or a tag: 1e3, 1,000 and :x are texts."""

    def ignore_aliases(self, data: object) -> bool:
        """Write every value where it stands."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if _PLAIN.fullmatch(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def document(content: Mapping[str, Value]) -> str:
    """The text of a YAML file, in the order of its values."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=4096)


def ruby(value: object) -> str:
    """A value as Ruby writes it, in characters that mean nothing to ERB.

    Raises TypeError for what a template should not print.
    """
    match value:
        case bool() | int():
            return str(value).lower()
        case str():
            return '"' + "".join(map(_character, value)) + '"'
        case Mapping():
            return "{" + ", ".join(f"{ruby(key)} => {ruby(one)}" for key, one in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(ruby, value)) + "]"
    raise TypeError(f"{type(value).__name__} is no literal of Ruby")


def _character(character: str) -> str:
    return character if character in _SAFE else f"\\u{{{ord(character):x}}}"


def distinct(texts: Iterable[str]) -> dict[str, str]:
    """Names of directories for texts, each another one, in characters that need no quoting anywhere."""
    names: dict[str, str] = {}
    for text in texts:
        name = wanted = plain_name(text) or "unnamed"
        number = 1
        while name in names.values():
            number += 1
            name = f"{wanted}-{number}"
        names.setdefault(text, name)
    return names


def plain_name(text: str) -> str:
    """A text with `-` for what is neither letter, digit nor `_`; empty where nothing is left of it."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-")
