"""What the user is told, and how words of a command line are read and shown."""

import difflib
import os
import re
import shlex
import sys
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What moves a terminal's cursor, or has it show words in another order."""


class LauncherError(Exception):
    """What is wrong and what to do, in one sentence; `status` is what the program ends with."""

    def __init__(self, text: str, status: int = 2) -> None:
        super().__init__(text)
        self.status = status


def open_standard_streams() -> None:
    """Have streams that the caller has closed lead nowhere, for us and what we start."""
    while True:
        number = os.open(os.devnull, os.O_RDWR)
        if number > 2:
            break
        os.set_inheritable(number, True)  # noqa: FBT003
    os.close(number)
    sys.stdin = sys.stdin or open(0, closefd=False)
    sys.stdout = sys.stdout or open(1, "w", closefd=False)
    sys.stderr = sys.stderr or open(2, "w", closefd=False)


def tell(text: str) -> None:
    """Say something to the user, where the output of the program that runs is not disturbed."""
    sys.stderr.write(harmless(text) + "\n")
    sys.stderr.flush()


def put(text: str) -> None:
    """Print lines; what the user's locale cannot show is a question mark."""
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write((harmless(text) + "\n").encode(encoding, "replace").decode(encoding))


def harmless(text: str) -> str:
    """A text as a terminal may get it, whoever has written parts of it."""
    return _CONTROL.sub("?", text)


def shown(words: Sequence[str]) -> str:
    """A command as one may type it."""
    return " ".join(shlex.quote(word) for word in words)


def nearest(word: str, known: Iterable[str], otherwise: str) -> str:
    """A remedy that names what was meant, or what there is."""
    names = list(known)
    lowered = {name.lower(): name for name in names}
    close = difflib.get_close_matches(word.lower(), lowered, n=2, cutoff=0.6)
    if close:
        return "did you mean {}?".format(" or ".join(lowered[name] for name in close))
    return otherwise.format(", ".join(names) or "none")


class Option(NamedTuple):
    """An option of a command; one without a `value` is a switch."""

    letter: str
    name: str
    value: str
    meaning: str


def parsed(words: Sequence[str], options: Sequence[Option]) -> Tuple[Dict[str, str], List[str]]:
    """The options before the first other word, by name, and the words from there on.

    What follows belongs to the program that is started: its options are never ours.
    """
    found = {}  # type: Dict[str, str]
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        option, value = _recognised(word, options)
        if not option.value:
            if value is not None:
                raise LauncherError(f"--{option.name} takes no value")
            found[option.name] = "yes"
            continue
        if value is None:
            if not rest:
                raise LauncherError(f"{word} wants {option.value} after it")
            value = rest.pop(0)
        if option.name in found and option.name != "option":
            raise LauncherError(f"--{option.name} is given twice")
        found[option.name] = value if option.name not in found else found[option.name] + "\n" + value
    return found, rest


def _recognised(word: str, options: Sequence[Option]) -> Tuple[Option, Optional[str]]:
    """The option that a word is, and the value that is written in one with it."""
    name, equals, value = word.partition("=")
    for option in options:
        if name in ("--" + option.name, option.letter and "-" + option.letter):
            return option, value if equals else None
        if option.letter and word.startswith("-" + option.letter) and option.value:
            return option, word[2:]
    known = ["--" + option.name for option in options]
    raise LauncherError("there is no option {}; {}".format(name, nearest(name, known, "there are {}")))


def options_help(options: Sequence[Option]) -> str:
    """The options with their meanings, a line each."""
    lines = []
    for option in options:
        head = f"-{option.letter}, " if option.letter else "    "
        head += "--{}{}".format(option.name, " " + option.value if option.value else "")
        lines.append(f"  {head:<28}{option.meaning}")
    return "\n".join(lines)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows in even columns; the first row is their heads."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)
    return "\n".join(lines)
