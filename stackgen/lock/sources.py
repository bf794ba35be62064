"""What Spack's packages are built from, as the text of `spack/<name>.sources.json`, and back."""

import json
import re
from typing import Annotated, Literal, Self

from pydantic import StringConstraints, TypeAdapter, ValidationError, model_validator

from stackgen.lock.values import LockedSource
from stackgen.model.base import Strict, refuse

_SHA256 = "[0-9a-f]{64}"
_NAME = r"(?!\.)[^/\\]+"
"""A name that no directory above and no hidden file has."""
_ARCHIVES = "_source-cache/archive"
_BY_DIGEST = re.compile(
    rf"{_ARCHIVES}/(?P<folder>[0-9a-f]{{2}})/(?P<digest>{_SHA256})(?:\.[A-Za-z0-9][A-Za-z0-9.]*)?"
)
_BY_NAME = re.compile(rf"(?!{_ARCHIVES}/[0-9a-f]{{2}}/{_SHA256})(?:{_NAME}/)+{_NAME}")
_LONGEST = 1000
"""Characters; Spack makes none of more."""

_Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=_LONGEST)]
_Name = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f/]+$", max_length=_LONGEST)]


class _Entry(Strict):
    package: _Name
    version: _Line
    kind: Literal["source", "patch", "resource"]
    name: _Name
    sha256: Annotated[str, StringConstraints(pattern=f"^({_SHA256})?$")]
    commit: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40})?$")]
    path: str
    manual: bool

    @model_validator(mode="after")
    def _lies_where_it_may(self) -> Self:
        if not is_source_place(self.path, self.sha256):
            raise refuse(f"{self.name} has no place in a mirror of Spack's", "")
        return self


_Entries = TypeAdapter(tuple[_Entry, ...])


def is_source_place(path: str, sha256: str) -> bool:
    """Whether Spack would look there, below a mirror, for a file of this SHA-256, empty where not known."""
    if len(path) > _LONGEST or not path.isprintable() or path.endswith(".part"):
        return False
    if by_digest := _BY_DIGEST.fullmatch(path):
        return by_digest["digest"] == sha256 and sha256.startswith(by_digest["folder"])
    return _BY_NAME.fullmatch(path) is not None


def sources_text(sources: tuple[LockedSource, ...]) -> str:
    """The same sources give the same bytes, a line each; ValueError where one could not be read again."""
    _Entries.validate_python(list(map(_mapping, sources)))
    return _lines(sources)


def _lines(sources: tuple[LockedSource, ...]) -> str:
    lines = [json.dumps(_mapping(source)) for source in sources]
    return "\n".join(("[", ",\n".join(lines), "]\n")) if lines else "[]\n"


def _mapping(source: LockedSource) -> dict[str, str | bool]:
    return {name: getattr(source, name) for name in LockedSource.__slots__}


def parse_sources(text: str) -> tuple[LockedSource, ...]:
    """The sources of a text that `sources_text` wrote; ValueError says what is wrong with any other."""
    try:
        entries = _Entries.validate_python(json.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f" {key}:" for key in first["loc"])
        raise ValueError(f"is no list of sources:{where} {first['msg']}") from None
    except (ValueError, RecursionError):
        raise ValueError("is no JSON") from None
    sources = tuple(LockedSource(**entry.model_dump()) for entry in entries)
    if sources != tuple(sorted(set(sources))):
        raise ValueError("does not list each source once, in order")
    if _lines(sources) != text:
        raise ValueError("holds something that stackgen does not write")
    return sources
