"""What a site says of versions that are to go, or are gone: the sentences, and to whom they apply."""

import time
from typing import Iterable, NamedTuple, Optional, Tuple


class Deprecation(NamedTuple):
    """What a site says of a version of a module."""

    module: str
    """With the namespace, such as hpai/tensorflow."""
    version: str
    """2.9 is also every 2.9.x."""
    state: str
    """`deprecated` or `withdrawn`."""
    on: str
    """The day from which it is, or may be, withdrawn: 2026-12-01."""
    reason: str
    instead: str
    """What users are to load, with the namespace."""


def deprecation_of(found: Iterable[Deprecation], module: str) -> Optional[Deprecation]:
    """What is said of a module, by its full name; of several that apply, the one that names most of it."""
    fitting = [one for one in found if covers("{}/{}".format(one.module, one.version), module)]
    return max(fitting, key=lambda one: len(one.version)) if fitting else None


def covers(named: str, whole: str) -> bool:
    """Whether a version is meant by its first numbers: 2.9 by 2.9, of all 2.9.x and 2.9+cu128."""
    return whole == named or whole.startswith((named + ".", named + "+"))


def is_withdrawn(one: Deprecation, today: str) -> bool:
    """Whether it can no longer be loaded; days in ISO 8601."""
    return one.state == "withdrawn" and today >= one.on


def deprecation_sentence(one: Deprecation, module: str, today: str) -> str:
    """What users are told who load a module on a day."""
    if today < one.on:
        what = f"is deprecated and will be withdrawn on {one.on}"
    elif one.state == "withdrawn":
        what = f"was withdrawn on {one.on}"
    else:
        what = "is deprecated and may be withdrawn any day"
    reason = one.reason.strip().rstrip(".")
    return f"{module} {what}: {reason}. Load {one.instead} instead."


def sentence_today(found: Iterable[Deprecation], module: str) -> Tuple[str, bool]:
    """What users are told today of a module, by its full name, or nothing; and whether it is withdrawn."""
    said = deprecation_of(found, module)
    return (deprecation_sentence(said, module, today()), is_withdrawn(said, today())) if said else ("", False)


def today() -> str:
    """The day in ISO 8601, where we are."""
    return time.strftime("%Y-%m-%d")
