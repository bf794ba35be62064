"""What `doctor` finds: sentences, each with its remedy."""

import os
from typing import Iterable, List, Mapping, NamedTuple, Sequence

from stackgen.inside.launcher.overview import folded


class Trouble(NamedTuple):
    """One thing that was found, in sentences, and the command that mends it."""

    text: str
    remedy: str = ""
    wrong: bool = True
    """Whether it is one to be mended, and not only good to know."""


def troubles_text(found: Sequence[Trouble]) -> str:
    """What is wrong first; remedies stand alone, to be copied."""
    wrong = [one for one in found if one.wrong]
    groups = [("Wrong:", wrong), ("Good to know:", [one for one in found if not one.wrong])]
    lines: List[str] = []
    for title, group in groups:
        if group:
            lines += ["", title]
        for one in group:
            first, *rest = folded(one.text, "  ")
            lines += ["- " + first[2:], *rest]
            lines += ["    " + line for line in one.remedy.splitlines()]
    count = "1 thing is" if len(wrong) == 1 else f"{len(wrong)} things are"
    return "\n".join([*lines, "", f"{count} wrong." if wrong else "Nothing is wrong."])


def forgetting(environ: Mapping[str, str], *names: str) -> str:
    """The command of the user's shell that unsets variables."""
    shell = os.path.basename(environ.get("SHELL", ""))
    word = {"csh": "unsetenv", "tcsh": "unsetenv", "fish": "set -e"}.get(shell, "unset")
    return (
        "\n".join(f"{word} {name}" for name in names) if word == "unsetenv" else word + " " + " ".join(names)
    )


def setting(environ: Mapping[str, str], name: str, value: str) -> str:
    """The command of the user's shell that exports a variable."""
    shell = os.path.basename(environ.get("SHELL", ""))
    forms = {"csh": "setenv {} {}", "tcsh": "setenv {} {}", "fish": "set -gx {} {}"}
    return forms.get(shell, "export {}={}").format(name, value)


def enumerated(names: Iterable[str], most: int = 5) -> str:
    """Names in a sentence, and how many more there are."""
    known = list(names)
    if len(known) > most:
        return "{} and {} more".format(", ".join(known[:most]), len(known) - most)
    return " and ".join(filter(None, [", ".join(known[:-1]), *known[-1:]]))
