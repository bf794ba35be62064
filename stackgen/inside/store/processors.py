"""How packages that are built side by side share the processors: by the tokens of one GNU make."""

import fcntl
import os

_FIRST = 10
"""The lowest descriptor: Spack itself passes on those of one digit, and closes them after a package."""


def share_processors(jobs: int) -> None:
    """Let all `make` and `ninja` together start about so many compilers; each alone would start as many."""
    if jobs < 2:
        return
    reading, writing = os.pipe()
    shared = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, _FIRST) for descriptor in (reading, writing)]
    os.close(reading)
    os.close(writing)
    os.write(shared[1], b"+" * (jobs - 1))  # each `make` has one of its own
    os.environ["MAKEFLAGS"] = f" -j{jobs} --jobserver-auth={shared[0]},{shared[1]}"
