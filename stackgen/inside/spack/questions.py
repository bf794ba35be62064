"""The questions that can be put, and who answers each."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stackgen.inside.spack import archives, names, scopes, solve, sources, standin, workers


def answered(question: Mapping[str, Any]) -> Iterator[str]:
    """The lines of the answer, each as soon as it is known."""
    workers.die_with_parent()
    scopes.keep_to(Path(question["scratch"]))
    if host := question["host"]:
        standin.stand_in(**host)
    match question["ask"]:
        case "solve":
            scopes.reuse(question.get("reused", ()))
            yield from solve.solved(question["directories"], plainly=question.get("plainly", False))
        case "sources":
            yield from sources.listed(question["environments"])
        case "archive":
            yield from archives.archived(question["environments"], question["paths"], question["into"])
        case "names":
            yield from names.checked(question["specs"], question["directory"])
