"""What a kit says to whoever unpacks it, and the program that it brings along."""

from collections.abc import Collection
from pathlib import Path

from stackgen import __version__
from stackgen.one_file import joined

_PACKAGE = Path(__file__).parents[1] / "inside" / "installer"
_MODULES = ("telling", "kit", "machine", "verdict", "signature", "place", "putting", "command")
"""In the order of their needs."""
_BEGINNING = '''\
#!/usr/bin/env python3
"""Put stackgen where this kit is all that there is: `python3 KIT/install.py --prefix DIR`.

It runs on Python 3.6 with nothing installed, and needs a Python from 3.11 on for stackgen; it writes into DIR
alone and asks no network. Again, it does nothing, or mends what is not whole; killed at any moment, it leaves
what the next run removes.
"""
'''
_END = """

if __name__ == "__main__":
    sys.exit(main(os.path.dirname(os.path.realpath(__file__)), sys.argv[1:]))
"""
_README = """\
A kit of stackgen {version}: all that a machine without internet needs to build

{environments}

There, with KIT for this directory and DIR for one of your choice:

    python3 KIT/install.py --prefix DIR
{commands}

The first puts stackgen, with Spack where it is needed, into DIR and nothing anywhere else. Any Python from
3.6 on runs it; it looks for the Python from 3.11 on that stackgen needs, or `--python PROGRAM` names it. The
second builds, tests and publishes at the prefix that the environment's file names, or `--prefix`.

KIT may be read-only. `DIR/bin/stackgen mirror verify KIT` tells whether all of it came over, and
`DIR/bin/stackgen doctor` what that machine itself lacks, such as Lmod or bubblewrap.

Whether it was signed, and by whom, is asked by `--require-signature`, which each of these commands takes. As
install.py comes with the kit, who does not trust the way that it came lets GnuPG say so before it is run:

    gpg --verify KIT/manifest.json.asc KIT/manifest.json
    grep -A 1 '"install.py"' KIT/manifest.json; sha256sum KIT/install.py
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
    """The program `install.py`, one file."""
    return joined(_PACKAGE, _MODULES, _BEGINNING, _END).encode()
