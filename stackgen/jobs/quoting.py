"""Values as words of a shell: whatever a text holds, it stays one word."""

import shlex

from jinja2 import Environment, PackageLoader, StrictUndefined

from stackgen.jobs.starting import RANKS


class Words(str):
    """A text that is shell already."""

    __slots__ = ()


def word(value: object) -> str:
    """A text or a number as one word of a POSIX shell.

    Raises TypeError for anything else, so that a template cannot print what has not been thought of.
    """
    match value:
        case Words():
            return value
        case str():
            return shlex.quote(value)
        case int() if not isinstance(value, bool):
            return str(value)
    raise TypeError(f"{type(value).__name__} is no word of a shell")


def words(values: tuple[str, ...]) -> Words:
    """Several words."""
    return Words(shlex.join(values))


def starting(values: tuple[str, ...]) -> Words:
    """The words of a launcher, with the number of ranks from the script's own variable."""
    return Words(" ".join('"$ranks"'.join(map(_part, value.split(RANKS))) for value in values))


def _part(text: str) -> str:
    return shlex.quote(text) if text else ""


def note(text: object) -> Words:
    """A text in a comment, which ends with its line."""
    return Words(" ".join(str(text).split()))


def shell_templates(package: str) -> Environment:
    """The templates of a package for scripts of a shell: every value in them comes out as one word."""
    made = Environment(
        loader=PackageLoader(package, "templates"),
        undefined=StrictUndefined,
        finalize=word,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - HTML is not what comes out; `finalize` quotes for a shell
    )
    made.filters["words"] = words
    return made
