"""The seconds of an import, and the files that Python itself opens for it, by its audit hook."""

from __future__ import annotations

import json
import sys
import time

NAME, COUNTED = sys.argv[1], sys.argv[2] == "count"
OPENED: set[str] = set()


def hook(event: str, given: tuple[object, ...]) -> None:
    """Note what is opened; libraries that the loader opens beside do not come by here."""
    if event == "open" and isinstance(given[0], (str, bytes)):
        OPENED.add(str(given[0]))


if COUNTED:
    sys.addaudithook(hook)
START = time.perf_counter()
__import__(NAME)
TAKEN = time.perf_counter() - START
FOUND = {"seconds": TAKEN, "opened": len(OPENED), "modules": len(sys.modules)}
sys.stdout.write(json.dumps({"start": FOUND}) + "\n")
