"""Programs of the machine, asked with a time limit; one that fails is noted and no more."""

import os
import select
import shutil
import signal
import subprocess
import time
from typing import List, Mapping, Set, Tuple

_SECONDS = 10
_MOST_BYTES = 8 << 20


class Programs:
    """Asks programs, and remembers in `remarks` what went wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment, LC_ALL="C", LANG="C")
        self._environment["PATH"] = environment.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
        self._silent: Set[str] = set()
        self.remarks: List[str] = []

    def has(self, program: str) -> bool:
        """Whether PATH, or /usr/sbin, has a program."""
        return shutil.which(program, path=self._environment["PATH"]) is not None

    def __call__(self, *words: str) -> str:
        """What a program prints; nothing where it is missing, fails or does not end in time."""
        if not self.has(words[0]) or words[0] in self._silent:
            return ""
        outcome, answer = self._outcome(words)
        if outcome:
            self.remarks.append("`{}` {}".format(" ".join(words), outcome))
        return "" if outcome else answer

    def _outcome(self, words: Tuple[str, ...]) -> Tuple[str, str]:
        try:
            process = subprocess.Popen(
                words,
                env=self._environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return "cannot be started: {}".format(error.strerror), ""
        with process:
            answer, problem = _answer_of(process, time.monotonic() + _SECONDS)
            _end_with_children(process)
        if problem:
            self._silent.add(words[0])  # once is enough to wait for
            return problem, ""
        status = process.returncode
        return ("ends with status {}".format(status) if status else ""), answer


def _answer_of(process: "subprocess.Popen[bytes]", deadline: float) -> Tuple[str, str]:
    """What a process prints until it ends, and what keeps it from ending."""
    stream = process.stdout
    parts: List[bytes] = []
    size = 0
    while stream is not None and size <= _MOST_BYTES:
        remaining = deadline - time.monotonic()
        if remaining <= 0 or not select.select([stream], [], [], remaining)[0]:
            return "", "does not end within {} s".format(_SECONDS)
        part = os.read(stream.fileno(), 1 << 16)
        if not part:
            break
        parts.append(part)
        size += len(part)
    if size > _MOST_BYTES:
        return "", "prints without end"
    try:
        process.wait(max(deadline - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired:
        return "", "does not end within {} s".format(_SECONDS)
    return b"".join(parts).decode("utf-8", "replace"), ""


def _end_with_children(process: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        pass  # all of them have ended
