"""What the user is told, and the programs that are asked."""

import subprocess
import sys
from typing import Dict, Sequence

USUAL_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


class RefusalError(Exception):
    """What is wrong and what to do, in one sentence; `status` is what the program ends with."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


def say(text: str) -> None:
    """Tell the user."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def started(
    words: Sequence[str], environment: Dict[str, str], given: bytes = b""
) -> "subprocess.CompletedProcess[bytes]":
    """A program that has ended, whatever its status; what this process holds, it holds too."""
    try:
        return subprocess.run(
            list(words),
            check=False,
            close_fds=False,
            env=environment,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise RefusalError("{} cannot be started: {}".format(words[0], error.strerror)) from None
