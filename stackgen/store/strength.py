"""How much of this machine a build may use."""

import os
from dataclasses import dataclass
from pathlib import Path

_MEMORY_OF_A_COMPILER = 2 * 2**30
"""Bytes; large C++ takes as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    """Compilers at once, and packages at once that share them."""

    jobs: int
    packages: int


def strength(jobs: int = 0) -> Strength:
    """What this process may use: processors, a control group's share of them, memory; or `jobs` where given.

    Configuring keeps one processor busy, so several packages go side by side.
    """
    jobs = jobs or max(1, min(_processors(), _memory() // _MEMORY_OF_A_COMPILER))
    return Strength(jobs=jobs, packages=min(jobs, 2 + jobs // 4))


def _processors() -> int:
    allowed = len(os.sched_getaffinity(0))
    for group in _groups():
        quota, _, period = _text(group / "cpu.max").partition(" ")
        if quota.isdigit() and period.isdigit():
            allowed = min(allowed, max(1, int(quota) // int(period)))
    return allowed


def _memory() -> int:
    """Bytes that are free, for this machine and for each of our control groups."""
    free = [_available()]
    free += [memory for group in _groups() if (memory := free_memory(group)) is not None]
    return min(free)


def free_memory(group: Path) -> int | None:
    """Bytes that a control group has left, or None without a limit; what it has read can make room."""
    limit, used = _text(group / "memory.max"), _text(group / "memory.current")
    if not (limit.isdigit() and used.isdigit()):
        return None
    counts = dict(line.split(" ", 1) for line in _text(group / "memory.stat").splitlines() if " " in line)
    read = sum(int(counts.get(name, 0)) for name in ("active_file", "inactive_file"))
    return int(limit) - int(used) + read


def _available() -> int:
    for line in _text(Path("/proc/meminfo")).splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return _MEMORY_OF_A_COMPILER


def _groups() -> list[Path]:
    """The control groups (version 2) of this process, each within the next."""
    own = _text(Path("/proc/self/cgroup")).removeprefix("0::").strip()
    root = Path("/sys/fs/cgroup")
    group = root / own.lstrip("/")
    return [one for one in (group, *group.parents) if one.is_relative_to(root)] if own.startswith("/") else []


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
