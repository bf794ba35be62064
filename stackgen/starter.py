"""The first environment file of a site, as text."""

from dataclasses import dataclass

import yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a first environment needs to be told."""

    name: str
    prefix: str
    frameworks: tuple[str, ...]


_HEADER = """\
# yaml-language-server: $schema=schema/environment.json
#
# What this site wants on this machine. `stackgen check` tells every fault with its place,
# and editors that know the schema above complete and check this file as you write.
"""


def starter(answers: Answers) -> str:
    """A working environment for the machine that we are on."""
    content = {
        "name": answers.name,
        "release": 1,
        "system": "this",
        "prefix": answers.prefix,
        "modules": {"namespace": "hpai"},
        "frameworks": {name: {"version": "newest", "from": "wheels"} for name in answers.frameworks},
    }
    return _HEADER + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
