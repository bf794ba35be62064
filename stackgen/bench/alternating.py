"""Several sides measured in turn, so that whatever else the machine does meets all of them."""

import json
import statistics
from collections.abc import Callable, Mapping, Sequence

from stackgen.errors import WorkError
from stackgen.progress import Progress
from stackgen.run import Outcome

Values = dict[str, float]
"""By what was measured."""
Side = Callable[[], Outcome]
"""Runs a measuring program, whose last line of output is its result."""


def measured(
    sides: Mapping[str, Side], rounds: int, key: str, title: str, progress: Progress
) -> dict[str, list[Values]]:
    """What each side has measured in each round; `key` names the values in the programs' results.

    Raises WorkError where a program fails.
    """
    found: dict[str, list[Values]] = {name: [] for name in sides}
    with progress.task(title, rounds * len(sides), unit="runs") as advance:
        for number in range(rounds):
            order = list(sides) if number % 2 == 0 else list(sides)[::-1]
            for name in order:
                found[name].append(result(sides[name](), name)[key])
                advance(1)
    return found


def result(outcome: Outcome, name: str) -> dict[str, Values]:
    """The last line of a measuring program's output, as values."""
    lines = outcome.stdout.strip().splitlines()
    try:
        if outcome.status == 0:
            told: dict[str, Values] = json.loads(lines[-1])
            return told
    except (ValueError, IndexError):
        pass
    words = (outcome.stderr.strip() or outcome.stdout.strip() or "it said nothing").splitlines()
    what = f"{name} cannot be measured (exit status {outcome.status}): {words[-1][:200]}"
    raise WorkError(what, details=outcome.stdout + outcome.stderr)


def median(found: Sequence[Values], what: str) -> float | None:
    """Over all rounds; None where nobody has measured it."""
    values = [one[what] for one in found if what in one]
    return statistics.median(values) if values else None


def paired(ours: Sequence[Values], theirs: Sequence[Values], what: str) -> float | None:
    """The median of ours over theirs of the same round; None where one of them has not been measured."""
    both = zip(ours, theirs, strict=False)
    ratios = [one[what] / other[what] for one, other in both if what in one and what in other]
    return statistics.median(ratios) if ratios else None
