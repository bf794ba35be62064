"""What is told of a framework's kernel that does not work."""

import subprocess
import sys
from pathlib import Path

from stackgen.smoke.trial import VERIFY

LATE = """\
import runpy, sys
import jupyter_client.channels

def create(channel):
    raise OSError("Too many open files")

jupyter_client.channels.HBChannel._create_socket = create
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Has a heartbeat begin when the sockets of a kernel that has ended are closed already."""


def test_of_a_kernel_that_ends_nothing_else_is_told(tmp_path: Path):
    start = tmp_path / "start"
    start.write_text("#!/bin/sh\nexit 1\n")
    start.chmod(0o755)
    words = (sys.executable, "-c", LATE, str(VERIFY / "kernel.py"), str(start), "", "{}")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "the kernel ended as soon as it was started\n")
