"""What rules of text are made of: a pattern, what editors are shown, and the remedy for breaking it."""

import re

from pydantic import AfterValidator, WithJsonSchema

from stackgen.model.base import refuse

NUMBER = ("string", "number")


def matching(pattern: str, kind: str, remedy: str) -> AfterValidator:
    """The rule that a text fits a pattern, the same that the JSON schema shows to editors."""
    compiled = re.compile(pattern.removesuffix("$") + r"\Z", re.ASCII)

    def check(text: str) -> str:
        if not compiled.match(text):
            raise refuse(f"{text!r} is no {kind}", remedy)
        return text

    return AfterValidator(check)


def shown(*examples: str, pattern: str = "", kinds: tuple[str, ...] = ("string",)) -> WithJsonSchema:
    """What the JSON schema says of a text; numbers pass as well where people leave the quotes out."""
    kind = kinds[0] if len(kinds) == 1 else list(kinds)
    schema = {"type": kind, "pattern": pattern, "examples": list(examples)}
    return WithJsonSchema({key: value for key, value in schema.items() if value})


def as_text(value: object) -> object:
    """Let YAML's own types in where a value is built from Python; the loader hands over text only."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
