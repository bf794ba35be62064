"""What a site says of versions that are to go, or are gone."""

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator

from stackgen.inside.launcher import deprecation
from stackgen.model.base import Strict, refuse
from stackgen.model.rules import matching, shown
from stackgen.model.scalars import Line

_MODULE = r"[a-z0-9]([a-z0-9_.-]{0,61}[a-z0-9])?"
_VERSION = r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,62}"
_WHOLE = rf"^{_MODULE}/{_VERSION}$"
_LOADED = rf"^{_MODULE}(/{_VERSION})?$"
_LONGEST = 400
"""Characters of a reason: it is read in a terminal."""


def _day(text: str) -> str:
    fault = refuse(f"{text!r} is no date", "write year, month and day, such as 2026-12-01")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise fault
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise fault from None


def _brief(text: str) -> str:
    if len(text) > _LONGEST:
        raise refuse(f"the reason has {len(text)} characters", f"say it in {_LONGEST} or fewer")
    return text


ModuleVersion = Annotated[
    str,
    matching(_WHOLE, "version of a module", "write both without the namespace, such as tensorflow/2.9"),
    shown("tensorflow/2.9", pattern=_WHOLE),
]
LoadedModule = Annotated[
    str,
    matching(_LOADED, "module", "write it without the namespace, such as tensorflow/2.21 or tensorflow"),
    shown("tensorflow/2.21", pattern=_LOADED),
]
Day = Annotated[str, AfterValidator(_day), shown("2026-12-01", pattern=r"^\d{4}-\d\d-\d\d$")]


class Deprecation(Strict):
    """Why users should leave a version, until when, and for what."""

    state: Literal["deprecated", "withdrawn"]
    """`deprecated` is loaded with a message, `withdrawn` from its day on no more."""
    on: Day
    """The day: until then users read that the version will be withdrawn on it."""
    reason: Annotated[Line, AfterValidator(_brief)]
    """Why, in one sentence."""
    instead: LoadedModule
    """What to load instead: a module of this release, with its version or without."""


class DeprecatedVersion(Strict):
    """What a release says of a version that users should leave."""

    module: str
    version: str
    state: Literal["deprecated", "withdrawn"]
    on: str
    reason: str
    instead: str

    @property
    def told(self) -> deprecation.Deprecation:
        """The same as the launcher knows it."""
        return deprecation.Deprecation(**self.model_dump())
