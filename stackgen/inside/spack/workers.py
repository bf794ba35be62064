"""Work on several things at once, each in a process of its own, forked from one that has all loaded."""

import ctypes
import os
import selectors
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

_MEMORY_OF_A_SOLVE = 2 * 2**30
"""Bytes; the largest that was measured (PyTorch with CUDA and Horovod) took 1.9 GiB."""

_PR_SET_PDEATHSIG = 1


def answers(tasks: Sequence[Callable[[], str]]) -> Iterator[str]:
    """What each task answers, in the order in which they end; one that dies is a RuntimeError."""
    waiting, watched = list(reversed(tasks)), selectors.DefaultSelector()
    room = workers(len(tasks))
    while waiting or watched.get_map():
        while waiting and len(watched.get_map()) < room:
            _start(waiting.pop(), watched)
        for key, _ in watched.select():
            if part := os.read(key.fd, 2**20):
                key.data[1].append(part)
            else:
                watched.unregister(key.fd)
                yield _ended(key.fd, *key.data)


def workers(tasks: int) -> int:
    """How many fit: at most one for a processor, and none that memory is missing for."""
    return max(1, min(tasks, len(os.sched_getaffinity(0)), _free_memory() // _MEMORY_OF_A_SOLVE))


def die_with_parent() -> None:
    """Let the kernel end this process when the one that started it ends, however that comes about."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _start(task: Callable[[], str], watched: selectors.BaseSelector) -> None:
    reading, writing = os.pipe()
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        os.close(writing)
        watched.register(reading, selectors.EVENT_READ, (child, []))
        return
    die_with_parent()
    if os.getppid() == parent:
        _work(task, writing)
    os._exit(1)


def _work(task: Callable[[], str], writing: int) -> None:
    """In the child: nothing that its parent would do at its end may happen here."""
    try:
        with open(writing, "w", encoding="utf-8") as stream:
            stream.write(task())
        os._exit(0)
    except BaseException:  # or the child would go on as a second parent
        traceback.print_exc()
        sys.stderr.flush()


def _ended(reading: int, child: int, parts: list[bytes]) -> str:
    os.close(reading)
    _, status = os.waitpid(child, 0)
    if code := os.waitstatus_to_exitcode(status):
        reason = "the machine's memory may be too small" if code == -signal.SIGKILL else f"exit status {code}"
        raise RuntimeError(f"a worker ended early: {reason}")
    return b"".join(parts).decode()


def _free_memory() -> int:
    """Bytes that can still be had, as the kernel estimates it, and the control group allows."""
    lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text("ascii").splitlines())
    free = int(lines["MemAvailable"].split()[0]) * 1024
    group = Path("/sys/fs/cgroup")
    try:
        limit, used = (int((group / f"memory.{name}").read_text("ascii")) for name in ("max", "current"))
    except (OSError, ValueError):  # no such file, or `max`
        return free
    return min(free, limit - used)
