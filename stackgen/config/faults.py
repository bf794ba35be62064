"""Pydantic's errors as faults: our words, the place in the file, and what to do."""

from collections.abc import Collection

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stackgen.config.join import INCLUDE
from stackgen.config.nodes import Mapping, Scalar, Sequence
from stackgen.config.schema import outline
from stackgen.config.spots import Spot
from stackgen.errors import Fault
from stackgen.model.base import Strict, near


def faults(error: ValidationError, root: Mapping, model: type[Strict]) -> list[Fault]:
    """Every fault that pydantic found in a file, in its own order."""
    rules = outline(model)
    start = Spot(node=root, key_place=root.place, rules=rules, definitions=rules.get("$defs", {}))
    return [_fault(details, start) for details in error.errors(include_url=False)]


def _fault(details: ErrorDetails, start: Spot) -> Fault:
    spot = start.at(details["loc"])
    match details["type"]:
        case "stackgen":
            fault = _at_value(spot, details["ctx"]["what"], details["ctx"]["remedy"])
        case "missing":
            fault = _at_key(spot, "this key is missing", f"add `{spot.example}`")
        case "extra_forbidden":
            fault = _unknown_key(spot, start.at(details["loc"][:-1]))
        case "union_tag_not_found":
            remedy = f"add {' or '.join(f'`from: {choice}`' for choice in spot.choices)}"
            fault = _at_key(spot.at(("from",)), "this key is missing", remedy)
        case "union_tag_invalid":
            fault = _unknown_word(spot.at(("from",)), spot.choices)
        case "literal_error" | "enum":
            fault = _unknown_word(spot, spot.rules["enum"])
        case "too_short":
            fault = _at_value(spot, "there is nothing in it", "write at least one entry")
        case _:
            fault = _mistyped(spot)
    return fault


def _at_key(spot: Spot, what: str, remedy: str) -> Fault:
    return Fault(place=spot.key_place, where=spot.where, what=what, remedy=remedy)


def _at_value(spot: Spot, what: str, remedy: str) -> Fault:
    return Fault(place=spot.place, where=spot.where, what=what, remedy=remedy)


def _unknown_key(spot: Spot, parent: Spot) -> Fault:
    known = [*parent.rules["properties"], *([] if parent.where else [INCLUDE])]
    return _at_key(spot, "unknown key", near(spot.key, known, f"use one of {', '.join(known)}"))


def _unknown_word(spot: Spot, known: Collection[str]) -> Fault:
    remedy = f"use one of {', '.join(known)}"
    match spot.node:
        case Scalar(text=str(text)):
            return _at_value(spot, f"{text!r} is unknown", near(text, known, remedy))
        case Scalar():
            return _at_value(spot, "the value is empty", remedy)
    return _at_value(spot, f"{_found(spot)} where one word belongs", remedy)


def _mistyped(spot: Spot) -> Fault:
    match spot.rules.get("type", "object" if spot.choices else "string"):
        case "object":
            belongs, remedy = "keys belong", _keys_remedy(spot)
        case "array":
            belongs, remedy = "a list belongs", _list_remedy(spot)
        case "integer":
            belongs, remedy = "a whole number above 0 belongs", f"write it, such as `{spot.example}`"
        case "boolean":
            belongs, remedy = "true or false belongs", "write one of them"
        case _:
            belongs, remedy = "one value belongs", f"write it, such as `{spot.example}`"
    if isinstance(spot.node, Scalar) and spot.node.text is None:
        return _at_value(spot, "the value is empty", remedy)
    return _at_value(spot, f"{_found(spot)} where {belongs}", remedy)


def _found(spot: Spot) -> str:
    match spot.node:
        case Scalar(text=text):
            return repr(text)
        case Sequence():
            return "a list"
    return "a mapping"


def _keys_remedy(spot: Spot) -> str:
    if spot.choices:
        return "write `from:` and its other keys below it"
    known = spot.rules.get("properties")
    return f"use the keys {', '.join(known)}" if known else "write `key: value` lines below it"


def _list_remedy(spot: Spot) -> str:
    """Most often the one item is there and only the brackets are not."""
    text = spot.node.text if isinstance(spot.node, Scalar) else None
    item = spot.item_example
    return f"write `{spot.key}: [{text or item if spot.takes_text else item}]`"
