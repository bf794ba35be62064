"""Build a small framework in a process of its own, which may be killed: `building.py DIRECTORY [SANDBOX]`.

It prints what it says and, before each program that it starts, that program's words.
"""

import sys
from pathlib import Path

from wheelhouse import Wheelhouse

from stackgen import files
from stackgen.errors import StackgenError
from stackgen.progress import Silent
from stackgen.sandbox import Sandbox


class Printing(Silent):
    """A progress that prints at once."""

    def say(self, line: str) -> None:
        print(line, flush=True)  # noqa: T201

    def log(self, text: str) -> None:
        if text.startswith("$ "):
            print(text, flush=True)  # noqa: T201


def main() -> None:
    house = Wheelhouse(Path(sys.argv[1]))
    sandbox = Sandbox(sys.argv[2]) if len(sys.argv) > 2 else None
    packages = (house.module("greeter", "1.0"), house.module("bulky", "1.0", f"X = {'x' * 20_000_000!r}"))
    progress = Printing()
    try:
        with files.exclusive(house.prefix, progress):
            lock = house.lock(*packages, framework="greeter")
            print(house.build(lock, progress=progress, sandbox=sandbox)[0].prefix)  # noqa: T201
    except StackgenError as error:
        sys.exit(f"refused: {error}")


if __name__ == "__main__":
    main()
