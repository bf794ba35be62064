"""What pip is configured to fetch from: its files and variables, in its own order of precedence.

https://pip.pypa.io/en/stable/topics/configuration/
"""

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stackgen.errors import InputError, Place

_SECTIONS = ("global", "install", "download")
"""Later ones win."""
_KEYS = ("index-url", "extra-index-url", "find-links", "no-index")


@dataclass(frozen=True, slots=True, kw_only=True)
class PipSettings:
    """Addresses may hold credentials, so they are not shown."""

    origins: tuple[str, ...] = ()
    """The files and variables that say so."""
    index: str | None = field(default=None, repr=False)
    extra_indexes: tuple[str, ...] = field(default=(), repr=False)
    find_links: tuple[str, ...] = field(default=(), repr=False)
    no_index: bool = False


def pip_settings(environment: Mapping[str, str], etc: Path) -> PipSettings:
    """pip's settings for a user; a later file wins over an earlier one, a variable over every file."""
    values: dict[str, str] = {}
    origins: list[str] = []
    for origin, found in (*_file_settings(environment, etc), *_variable_settings(environment)):
        values |= found
        origins.append(origin)
    return PipSettings(
        origins=tuple(origins),
        index=values.get("index-url") or None,
        extra_indexes=tuple(values.get("extra-index-url", "").split()),
        find_links=tuple(_link(link, environment) for link in values.get("find-links", "").split()),
        no_index=values.get("no-index", "").lower() in {"1", "true", "yes", "on", "y", "t"},
    )


def _link(link: str, environment: Mapping[str, str]) -> str:
    if link == "~" or link.startswith("~/"):
        return (environment.get("HOME") or "~") + link[1:]
    return link


def _file_settings(environment: Mapping[str, str], etc: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for path in _files(environment, etc):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            raise InputError.of(
                "pip's configuration cannot be read",
                "mend it, or say in /etc/stackgen/site.yaml where files come from",
                place=Place(file=str(path)),
            ) from None
        found = {
            key.replace("_", "-"): value
            for section in _SECTIONS
            if parser.has_section(section)
            for key, value in parser.items(section)
        }
        if relevant := {key: value for key, value in found.items() if key in _KEYS}:
            yield str(path), relevant


def _files(environment: Mapping[str, str], etc: Path) -> tuple[Path, ...]:
    named = environment.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return ()
    home = Path(environment.get("HOME") or "/")
    user = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    files = (
        etc / "xdg" / "pip" / "pip.conf",
        etc / "pip.conf",
        home / ".pip" / "pip.conf",
        user / "pip" / "pip.conf",
        Path(sys.prefix) / "pip.conf",
        *([Path(named)] if named else []),
    )
    return tuple(path for path in files if path.is_file())


def _variable_settings(environment: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    for key in _KEYS:
        variable = f"PIP_{key.replace('-', '_').upper()}"
        if variable in environment:
            yield variable, {key: environment[variable]}
