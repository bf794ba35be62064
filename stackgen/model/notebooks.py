"""What an environment asks of its frameworks for notebooks."""

from typing import Annotated

from pydantic import BeforeValidator

from stackgen.model.base import Strict, refuse


class Notebooks(Strict):
    """That every framework with a Python is a kernel of Jupyter."""

    parallel: bool = False
    """Whether notebooks start engines on nodes as well: ipyparallel, for `%%px`."""


def _notebooks(given: object) -> object:
    """`true` says all; `false` is as if nothing were written."""
    if given is None or isinstance(given, dict | Notebooks):
        return given
    known: dict[str, object] = {"true": {}, "yes": {}, "false": None, "no": None}
    word = str(given).lower()
    if word not in known:
        what = "a list" if isinstance(given, list) else repr(given)
        raise refuse(f"{what} is no answer", "write `true`, or `{parallel: true}` for engines on nodes")
    return known[word]


ChosenNotebooks = Annotated[
    Notebooks | None,
    BeforeValidator(_notebooks, json_schema_input_type=bool | Notebooks | None),
]
