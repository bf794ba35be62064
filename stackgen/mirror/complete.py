"""What a kit has to hold, told by the locks that lie in it and by nothing else."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from stackgen.errors import InputError
from stackgen.lock import WheelLock, read_lock
from stackgen.lock.pylock import parse_pylock
from stackgen.mirror.layout import ENVIRONMENTS, TOOLS
from stackgen.mirror.wanted import Wanted, wanted, wheels_wanted

_TOOLS = re.compile(r".*-(?P<python>\d+\.\d+)(?:-build)?\.toml")


@dataclass(slots=True, kw_only=True)
class Demanded:
    """What the locks of a kit name, and what of them cannot be read."""

    wants: dict[str, Wanted] = field(default_factory=dict)
    needed_by: dict[str, set[str]] = field(default_factory=dict)
    """Environments, or files of the kit, by path."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """Why, by the path of the lock."""

    def add(self, who: str, wants: dict[str, Wanted]) -> None:
        """Take in what one lock names."""
        self.wants |= wants
        for path in wants:
            self.needed_by.setdefault(path, set()).add(who)


def demanded(root: Path) -> Demanded:
    """Everything that the locks in a kit need; nothing is read but these."""
    found = Demanded()
    for directory in _regular(root / ENVIRONMENTS, "*.lock"):
        try:
            lock = read_lock(directory)
        except InputError as error:
            found.unreadable[f"{ENVIRONMENTS}/{directory.name}"] = error.faults[0].what
        else:
            found.add(lock.environment, wanted([lock]))
    for file in _regular(root / TOOLS, "*.toml"):
        path = f"{TOOLS}/{file.name}"
        try:
            found.add(path, tools_wanted(file))
        except (OSError, ValueError) as error:
            found.unreadable[path] = str(error)
    return found


def _regular(directory: Path, pattern: str) -> Iterator[Path]:
    """What is there and no link."""
    if directory.is_dir() and not directory.is_symlink():
        yield from sorted(path for path in directory.glob(pattern) if not path.is_symlink())


def tools_wanted(file: Path) -> dict[str, Wanted]:
    """What the lock of stackgen's own tools names; ValueError where it is none."""
    name = _TOOLS.fullmatch(file.name)
    if name is None:
        raise ValueError("its name says no Python")
    if not file.is_file():
        raise ValueError("it is no file")
    packages = parse_pylock(file.read_text(encoding="utf-8"), name["python"])
    lock = WheelLock(framework="stackgen", python=name["python"], packages=packages)
    return {want.path: want for want in wheels_wanted(lock)}
