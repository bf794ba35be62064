"""What a kit says to whoever unpacks it, and the program that it brings along."""

from collections.abc import Collection
from pathlib import Path

from stackgen import __version__

_INSIDE = Path(__file__).parents[1] / "inside"
_IMPORT = "from stackgen.inside.verdict import gpg_words, verdict\n"
_README = """\
A kit of stackgen {version}: all that a machine without internet needs to build

{environments}

There, with KIT for this directory and DIR for one of your choice:

    python3 KIT/install.py --prefix DIR
{commands}

The first puts stackgen, with Spack where it is needed, into DIR and nothing anywhere else. Any Python from
3.6 on runs it; it looks for the Python from 3.11 on that stackgen needs, or `--python PROGRAM` names it. The
second builds, tests and publishes at the prefix that the environment's file names, or `--prefix`.

KIT may be read-only. `DIR/bin/stackgen mirror verify KIT` tells whether all of it came over. Whether it was
signed, and by whom, is asked by `--require-signature`, which each of these commands takes.
"""


def readme(environments: Collection[str]) -> bytes:
    """The README of a kit for environments by name."""
    names = sorted(environments)
    lines = [
        f"    DIR/bin/stackgen build KIT/environments/{name}.yaml --mirror KIT --offline" for name in names
    ]
    return _README.format(
        version=__version__,
        environments="\n".join(f"    {name}" for name in names),
        commands="\n".join(lines),
    ).encode()


def installer_text() -> bytes:
    """The program `install.py`, one file: what it shares with stackgen is put inside."""
    program = (_INSIDE / "install.py").read_text(encoding="utf-8")
    shared = (_INSIDE / "verdict.py").read_text(encoding="utf-8")
    body = shared[shared.index("\n_REFUSALS") :]
    imports = "import re\nfrom typing import List, NamedTuple\n"
    assert program.count(_IMPORT) == 1
    assert imports in shared
    place = program.index("\n_FORMAT")
    return (program[:place].replace(_IMPORT, "") + body + "\n" + program[place:]).encode()
