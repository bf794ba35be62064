"""What a killed build has left running: a compiler may go on for hours, and write where we are about to."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from stackgen.errors import WorkError

_PATIENCE = 30.0
"""Seconds until what was killed has to be gone; a file system that hangs can keep it for ever."""


def end_orphans(home: Path) -> None:
    """End every process with this HOME, which nothing but our own builds has; the caller holds the prefix.

    A sandbox ends its processes with itself, but not at once, and there may be none.
    """
    until = time.monotonic() + _PATIENCE
    while left := tuple(_with_home(home)):
        if time.monotonic() > until:
            numbers = ", ".join(map(str, left))
            what = f"a build that was killed before is still at work for {home.parent}"
            raise WorkError(f"{what}, and cannot be ended", f"look what holds up process {numbers}")
        for number in left:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        time.sleep(0.02)


def _with_home(home: Path) -> Iterator[int]:
    wanted = os.fsencode(f"HOME={home}")
    for process in Path("/proc").glob("[0-9]*"):
        # Other people's may not be read, and one that has ended has no environment.
        with suppress(OSError):
            if wanted in (process / "environ").read_bytes().split(b"\0"):
                yield int(process.name)
