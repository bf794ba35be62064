"""What `stackgen init` asks."""

import re
from collections.abc import Callable
from pathlib import Path

import click
from pydantic import TypeAdapter, ValidationError

from stackgen.frameworks import KNOWN
from stackgen.model.scalars import Name, Prefix
from stackgen.starter import Answers


def ask(file: Path, *, quiet: bool) -> Answers:
    """The answers for a first environment; with `quiet`, the defaults."""
    name = _name(file)
    defaults = Answers(name=name, prefix=f"~/hpai-{name}", frameworks=("tensorflow",))
    if quiet:
        return defaults
    known = ", ".join(sorted(KNOWN))
    prefix = _answer("Where shall the software go", defaults.prefix, _prefix)
    names = _answer(f"Which frameworks (known: {known})", " ".join(defaults.frameworks), _frameworks)
    return Answers(name=name, prefix=prefix, frameworks=tuple(names.split()))


def _name(file: Path) -> str:
    """The name of an environment in a file of that name."""
    plain = re.sub(r"[^a-z0-9_.-]+", "-", file.stem.lower()).strip("-_.")
    return plain[:63].strip("-_.") or "my"


def _answer(question: str, default: str, rule: Callable[[str], str]) -> str:
    """An answer that fits a rule; asked again until it does."""

    def checked(text: str) -> str:
        try:
            return rule(text)
        except ValidationError as error:
            fault = error.errors()[0]
            context = fault.get("ctx", {})
            words = (context.get("what", fault["msg"]), context.get("remedy", ""))
            raise click.UsageError("; ".join(filter(None, words))) from None

    answer: str = click.prompt(question, default=default, value_proc=checked, err=True)
    return answer


def _prefix(text: str) -> str:
    TypeAdapter(Prefix).validate_python(text)
    return text  # `~` stays what it is


def _frameworks(text: str) -> str:
    names = text.replace(",", " ").split()
    if not names:
        raise click.UsageError("no framework is named; name at least one")
    for name in names:
        TypeAdapter(Name).validate_python(name)
    return " ".join(dict.fromkeys(names))
