"""The release of a site that a stack of one's own stands on: found by what `extends:` says, and by a lock.

Nothing here plans or reads a lock as such: a release says of itself what is asked of it.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackgen.errors import InputError

SITE = "site"
"""What `extends:` says for the prefix that the system's file offers."""
INPUT = "extends"
"""Under this key a lock says what it stands on."""
RECORD = "extends.json"
"""In a release: what it stands on."""
_RELEASES = "releases"


@dataclass(frozen=True, slots=True, kw_only=True)
class Underlying:
    """A release of another prefix; what lies there is used as it is, and nothing is written to it."""

    prefix: str
    release: str
    request: str
    """SHA-256 in hex of all that it was built from."""
    environment: str
    """Its environment's name."""
    namespace: str
    """What stands before the slash in its modules: loading one of ours replaces one of those."""
    places: tuple[str, ...] = ()
    """The prefixes and the images of its frameworks, sorted."""

    @property
    def directory(self) -> Path:
        """Where the release lies."""
        return Path(self.prefix) / _RELEASES / self.release

    @property
    def lock(self) -> Path:
        """Where its lock lies."""
        return self.directory / "lock"

    @property
    def mirror(self) -> Path:
        """Where its prefix has what it was built from, unless that lies elsewhere."""
        return Path(self.prefix) / "mirror"

    @property
    def identity(self) -> dict[str, str]:
        """How a lock names it."""
        return {"prefix": self.prefix, "release": self.release, "digest": self.request}

    def holds(self, place: str) -> bool:
        """Whether a framework lies in a place of it."""
        return place in self.places


def recorded(lock: Path) -> Mapping[str, str]:
    """What the lock in a directory stands on; nothing where there is none, or it cannot be read."""
    try:
        found = json.loads((lock / "lock.json").read_bytes())["inputs"][INPUT]
        return {key: str(found[key]) for key in ("prefix", "release", "digest")}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def find(asked: str, known: Mapping[str, str], again: str) -> Underlying:
    """What `extends: ASKED` stands for: the release that a lock has `known`, or else the current one.

    `again` is the command that takes another one. InputError where there is no such release, or not any more.
    """
    place = Path(asked)
    if place.parent.name == _RELEASES:
        return _named(place.parents[1], place.name)
    if "prefix" in known and _is_same(known["prefix"], place):
        return _kept(place, known["release"], again)
    if not (place / "current").is_symlink():
        raise _refusal(f"nothing is published in {place}", "name the prefix of a site's stack")
    return read(place, _current(place))


def _is_same(one: str, other: Path) -> bool:
    return one == str(other) or os.path.realpath(one) == os.path.realpath(other)


def _current(prefix: Path) -> str:
    return str(_said(prefix / "current")["name"])


def _named(prefix: Path, release: str) -> Underlying:
    if not (prefix / _RELEASES / release).is_dir():
        others = ", ".join(_published(prefix))
        remedy = f"name one of {others}" if others else "name the prefix of a site's stack"
        raise _refusal(f"there is no release {release} in {prefix}", remedy)
    return read(prefix, release)


def _published(prefix: Path) -> Iterator[str]:
    for place in sorted((prefix / _RELEASES).glob("[!.]*")):
        if (place / "release.json").is_file():
            yield place.name


def _kept(prefix: Path, release: str, again: str) -> Underlying:
    if (prefix / _RELEASES / release).is_dir():
        return read(prefix, release)
    what = f"release {release} of {prefix}, which this stands on, is gone"
    if (prefix / "current").is_symlink():
        remedy = f"to stand on the current one, give this a new `release:`, then run `{again}` and build"
    else:
        remedy = f"name another prefix, then run `{again}` and build"
    raise _refusal(what, remedy)


def read(prefix: Path, release: str) -> Underlying:
    """What a release says of itself; InputError where it is none."""
    said = _said(prefix / _RELEASES / release)
    if (prefix / _RELEASES / release / RECORD).exists():
        raise _refusal(
            f"{prefix} extends another stack itself",
            "name the one below it, or ask its owner what it stands on",
        )
    places = tuple(sorted(str(one.get("image") or one["prefix"]) for one in said["frameworks"]))
    return Underlying(
        prefix=_own_name(prefix, places),
        release=release,
        request=str(said["request"]),
        environment=str(said["environment"]),
        namespace=str(said["namespace"]),
        places=places,
    )


def _own_name(prefix: Path, places: Iterable[str]) -> str:
    """A prefix as what lies in it has it, which a link, too, may lead to: there paths are looked for."""
    named = (str(Path(place).parents[1]) for place in places)
    return next((name for name in named if _is_same(name, prefix)), str(prefix))


def _said(directory: Path) -> Mapping[str, Any]:
    try:
        said = json.loads((directory / "release.json").read_bytes())
        _ = [said[key] for key in ("name", "request", "environment", "namespace")]
        _ = [one["prefix"] for one in said["frameworks"]]
    except (OSError, ValueError, KeyError, TypeError):
        remedy = "name the prefix of a site's stack, or ask its admin"
        raise _refusal(f"{directory} is no release that can be read", remedy) from None
    return dict(said)


def _refusal(what: str, remedy: str) -> InputError:
    return InputError.of(what, remedy, where=INPUT)
