"""Why there is no solution, in a few lines that name what the user wrote."""

import re
from typing import Any

_ENOUGH = 6
"""Lines; the rest is in the details."""

_NUMBER = re.compile(r"^\s+\d+\. ", re.MULTILINE)
_ROOT = re.compile(r"required because (.+) requested explicitly")


def reasons(error: Any, environment: Any) -> list[str]:
    """The user's own lines that collide, then what Spack gives as the first of its reasons."""
    head, *told = _NUMBER.split(str(error.message))
    if not told:
        return [" ".join(head.split())]
    written = {str(spec): str(spec.name) for spec in environment.user_specs}
    blamed = {root for text in told for root in _ROOT.findall(text)}
    packages = {written[root] for root in blamed & written.keys()}
    collide = [spec for spec, package in written.items() if package in packages] or [*written]
    lines = [f"these cannot be had together: {', '.join(collide)}"] if len(collide) > 1 else []
    lines = lines or [f"{collide[0]} cannot be had"]
    return [*lines, *_distinct(text.splitlines()[0] for text in told)][:_ENOUGH]


def _distinct(lines: Any) -> list[str]:
    return list(dict.fromkeys(" ".join(line.split()).removesuffix(".") for line in lines))
