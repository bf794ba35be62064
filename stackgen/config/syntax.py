"""What PyYAML finds wrong with a text, in plain sentences."""

import re

import yaml
from yaml.reader import ReaderError

from stackgen.errors import Fault, Place

_AT_PROBLEM: tuple[tuple[str, str, str], ...] = (
    (r"character '\\t' that cannot", "a tab where only spaces can be", "indent with spaces"),
    (r"character '(.+)' that cannot", r"text cannot begin with \1", "put it in quotes"),
    (
        r"mapping values are not allowed",
        "a ':' where none can be",
        "put the text in quotes, or mend the indentation",
    ),
    (r"sequence entries are not", "a '-' where none can be", "begin the list on a line of its own"),
    (r"mapping keys are not allowed", "a '?' where none can be", "put the text in quotes"),
    (
        r"expected <block end>, but found",
        "this line does not fit the ones above",
        "indent the keys of one mapping, or the dashes of one list, alike",
    ),
    (r"unknown escape character '(.+)'", r"unknown escape \\\1 in a quoted text", "use single quotes"),
    (r"expected escape sequence", "an escape in a quoted text that does not end", "use single quotes"),
    (r"undefined tag handle", "tags are refused", "write the value alone"),
)
_AT_BEGINNING: tuple[tuple[str, str, str], ...] = (
    (r"could not find expected ':'", "a key without ':'", "write `key: value`"),
    (
        r"expected ',' or '\]'",
        "a list in [ ] that does not end",
        "separate its items by ',' and close it with ]",
    ),
    (
        r"expected ',' or '\}'",
        "a mapping in { } that does not end",
        "separate its keys by ',' and close it with }",
    ),
    (r"unexpected (end of stream|document)", "a quoted text that does not end", "close the quotes"),
)
"""What PyYAML notices late: the fault lies where the text, list or key in question begins."""


def place_of(mark: yaml.Mark | None, file: str) -> Place:
    """The place that a mark of PyYAML stands for, which counts from 0."""
    return Place(file=file, line=mark.line + 1, column=mark.column + 1) if mark else Place(file=file)


def explained(error: yaml.YAMLError, text: str, file: str) -> Fault:
    """The fault that an error of PyYAML stands for."""
    if isinstance(error, ReaderError):
        return _forbidden_character(error, text, file)
    assert isinstance(error, yaml.MarkedYAMLError)
    problem = error.problem or str(error)
    for sentences, mark in ((_AT_BEGINNING, error.context_mark), (_AT_PROBLEM, error.problem_mark)):
        for pattern, what, remedy in sentences:
            if found := re.search(pattern, problem):
                return Fault(place=place_of(mark, file), what=found.expand(what), remedy=remedy)
    place = place_of(error.problem_mark, file)
    return Fault(
        place=place, what=f"this is not YAML ({problem})", remedy="mend it, or put the text in quotes"
    )


def _forbidden_character(error: ReaderError, text: str, file: str) -> Fault:
    before = text[: error.position]
    place = Place(file=file, line=before.count("\n") + 1, column=len(before) - before.rfind("\n"))
    what = f"the character U+{ord(text[error.position]):04X} cannot stand in YAML"
    return Fault(place=place, what=what, remedy="remove it")
