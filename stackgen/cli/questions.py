"""What `stackgen init` asks."""

import re
from pathlib import Path

import click

from stackgen.frameworks import KNOWN
from stackgen.starter import Answers


def ask(file: Path, *, quiet: bool) -> Answers:
    """The answers for a first environment; with `quiet`, the defaults."""
    name = re.sub(r"[^a-z0-9_.+-]", "-", file.stem.lower()).strip("-") or "my"
    defaults = Answers(name=name, prefix="~/hpai", frameworks=("tensorflow",))
    if quiet:
        return defaults
    prefix = click.prompt("Where shall the software go", default=defaults.prefix)
    chosen = click.prompt(
        f"Which frameworks, separated by spaces (known: {', '.join(sorted(KNOWN))})",
        default=" ".join(defaults.frameworks),
    )
    return Answers(name=name, prefix=prefix, frameworks=tuple(chosen.replace(",", " ").split()))
