"""What every value read from YAML shares: strictness, and refusals that say what to do."""

from collections.abc import Collection
from difflib import get_close_matches

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


class Strict(BaseModel):
    """The base of all that is read from YAML: frozen, and nothing unknown passes."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def refuse(what: str, remedy: str) -> PydanticCustomError:
    """The error of a rule of ours: `config` prints `what; remedy` after the place."""
    return PydanticCustomError("stackgen", "{what}", {"what": what, "remedy": remedy})


def near(word: str, known: Collection[str], remedy: str, *, likeness: float = 0.6) -> str:
    """A remedy that names the nearest known words, or `remedy` where none is near."""
    matches = get_close_matches(word, known, n=3, cutoff=likeness)
    return f"did you mean {' or '.join(matches)}?" if matches else remedy
