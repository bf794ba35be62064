"""How much memory processes have had at most, as the kernel remembers it of each."""

import os
from collections.abc import Iterator
from pathlib import Path

_PROCESSES = Path("/proc")


def serving(file: Path, job: str) -> tuple[int, ...]:
    """Who keeps an image mounted for a job: processes that have its file open, and those of their sessions.

    A job is known by a variable that it was started with, `NAME=value`.
    """
    real = file.resolve()
    sessions = {_session(pid) for pid in _all() if _has_open(pid, real) and _is_of(pid, job)} - {0}
    return tuple(pid for pid in _all() if _session(pid) in sessions)


def most_memory(pid: int) -> int:
    """The most bytes that a process has had; 0 where it is gone, or another user's."""
    try:
        lines = (_PROCESSES / str(pid) / "status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def _all() -> Iterator[int]:
    own = os.getsid(0)
    for entry in _PROCESSES.iterdir():
        if entry.name.isdigit() and _session(int(entry.name)) != own:
            yield int(entry.name)


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def _is_of(pid: int, job: str) -> bool:
    try:
        return job.encode() in (_PROCESSES / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _has_open(pid: int, file: Path) -> bool:
    try:
        return any(entry.readlink() == file for entry in (_PROCESSES / str(pid) / "fd").iterdir())
    except OSError:
        return False
