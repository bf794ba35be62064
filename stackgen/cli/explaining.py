"""The command that tells where decided values come from."""

from collections.abc import Iterator
from pathlib import Path

import click

from stackgen.cli.options import as_json, environment, prefix, print_json
from stackgen.explain import Decision, Explanation, Word, narrowed
from stackgen.explain import explain as explained
from stackgen.inside.threads import PLACEHOLDERS
from stackgen.lock import Json
from stackgen.project import fitting_lock, open_project


@click.command()
@environment
@click.argument("framework", default="")
@click.argument("what", metavar="[VARIABLE]", default="")
@prefix
@as_json
def explain(environment: Path, framework: str, what: str, prefix: str | None, *, as_json: bool) -> None:
    """Tell where each value of an environment comes from, and what it overrides.

    \b
    stackgen explain environments/my.yaml
    stackgen explain environments/my.yaml tensorflow
    stackgen explain environments/my.yaml tensorflow OMP_NUM_THREADS

    VARIABLE may also be another value of the framework's, such as `python`.
    """
    project = open_project(environment, prefix)
    found = narrowed(explained(project.loaded, project.plan, fitting_lock(project)), framework, what)
    if as_json:
        print_json(_as_json(found))
        return
    for line in _lines(found):
        click.echo(line)


_Row = tuple[str, str, str]
"""What, its value, and where that comes from."""
_WIDEST = 48
"""Characters of a column; what is longer moves the rest of its row."""


def _lines(found: Explanation) -> Iterator[str]:
    parts = {"environment": found.environment, **found.frameworks} if found.environment else found.frameworks
    tables = {name: [row for decision in part for row in _rows(decision)] for name, part in parts.items()}
    rows = [row for table in tables.values() for row in table]
    first, second = (min(max((len(row[at]) for row in rows), default=0), _WIDEST) for at in (0, 1))
    for number, (name, table) in enumerate(tables.items()):
        yield from ([""] if number else [])
        yield name
        yield from (f"  {what:<{first}}  {value:<{second}}  {origin}" for what, value, origin in table)
    for name, meaning in PLACEHOLDERS.items():
        if any(f"{{{name}}}" in value for _, value, _ in rows):
            yield f"\n{{{name}}} stands for {meaning} in a job; elsewhere it is not set"


def _rows(decision: Decision) -> Iterator[_Row]:
    yield decision.what, decision.word.value, _origin(decision.word)
    for word in decision.instead_of:
        yield "  instead of", word.value, _origin(word)


def _origin(word: Word) -> str:
    return f"{word.origin}, {word.place}" if word.place else word.origin


def _as_json(found: Explanation) -> dict[str, Json]:
    return {
        "environment": [_decision_json(decision) for decision in found.environment],
        "frameworks": {
            name: [_decision_json(decision) for decision in decisions]
            for name, decisions in found.frameworks.items()
        },
    }


def _decision_json(decision: Decision) -> Json:
    others: list[Json] = [_word_json(word) for word in decision.instead_of]
    return {"what": decision.what, **_word_json(decision.word), "instead_of": others}


def _word_json(word: Word) -> dict[str, Json]:
    place = word.place
    return {
        "value": word.value,
        "origin": word.origin,
        "file": place.file if place else "",
        "line": place.line if place else 0,
        "column": place.column if place else 0,
    }
