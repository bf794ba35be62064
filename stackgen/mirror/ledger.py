"""What a mirror is to hold for some locks, and what of it is known to be there."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from stackgen.errors import WorkError
from stackgen.lock import Lock
from stackgen.mirror.complete import tools_wanted
from stackgen.mirror.flaws import flaw
from stackgen.mirror.layout import TOOLS, area
from stackgen.mirror.manifest import Holding, Manifest, read_manifest, updated, write_manifest
from stackgen.mirror.memory import Stamp, recall, remember, stamp
from stackgen.mirror.wanted import Wanted, wanted
from stackgen.progress import Progress

_PAUSE = 1.0
"""Seconds between two writes of a manifest while files come; a kill loses the names of no more."""


@dataclass(slots=True, kw_only=True)
class Ledger:
    """Kept by the one process that fills a mirror."""

    root: Path
    needs: Mapping[str, Mapping[str, Wanted]]
    """By environment and path."""
    _before: Manifest = field(init=False)
    _stamps: dict[str, Stamp] = field(init=False)
    _come: dict[str, Holding] = field(default_factory=dict, init=False)
    _written: float = field(default=0, init=False)

    @classmethod
    def of(cls, root: Path, locks: Mapping[str, Lock]) -> "Ledger":
        """The ledger of a directory, whatever is in it.

        The tools that a kit has for an environment need theirs, too.
        """
        needs = {name: wanted([lock]) for name, lock in locks.items()}
        for entry in read_manifest(root).files:
            if area(entry.path) == TOOLS and not needs.keys().isdisjoint(entry.needed_by):
                with suppress(OSError, ValueError):  # `verify` names it
                    tools = tools_wanted(root / entry.path)
                    for name in needs.keys() & set(entry.needed_by):
                        needs[name] = {**tools, **needs[name]}
        return cls(root=root, needs=needs)

    def __post_init__(self) -> None:
        self.read_again()

    def read_again(self) -> None:
        """Another process may have worked on the mirror."""
        self._before, self._stamps = read_manifest(self.root), recall(self.root)

    @property
    def wants(self) -> tuple[Wanted, ...]:
        """Everything that is needed, each place once, sorted."""
        found = {path: want for wants in self.needs.values() for path, want in wants.items()}
        return tuple(found[path] for path in sorted(found))

    def is_written(self) -> bool:
        """Whether the manifest says it all."""
        return self._manifest() == self._before

    def _manifest(self) -> Manifest:
        return updated(self._before, self.needs, self._come)

    def unfit(self, progress: Progress) -> tuple[Wanted, ...]:
        """What is not there, or not whole; bytes are read of what may have changed since the last time."""
        unfit, unread = [], []
        entries = {entry.path: entry for entry in self._before.files}
        for want in self.wants:
            entry, now = entries.get(want.path), stamp(self.root / want.path)
            size = want.size if want.size is not None or entry is None else entry.size
            sha256 = want.sha256 or (entry.sha256 if entry else "")
            if now is None or size not in {now[0], None} or not sha256:
                unfit.append(want)
            elif entry is None or self._stamps.get(want.path) != now:
                unread.append((want, now, sha256))
        return (*unfit, *self._altered(unread, progress))

    def _altered(self, unread: list[tuple[Wanted, Stamp, str]], progress: Progress) -> Iterator[Wanted]:
        if not unread:
            return
        unread.sort(key=lambda one: -one[1][0])
        title, total = f"checking {len(unread)} files", sum(now[0] for _, now, _ in unread)
        with progress.task(title, total, unit="bytes") as advance, ThreadPoolExecutor() as threads:
            examined = threads.map(lambda one: flaw(self.root / one[0].path, one[1][0], one[2]), unread)
            for (want, now, sha256), found in zip(unread, examined, strict=True):
                advance(now[0])
                if found:
                    yield want
                else:
                    self._note(want, now, Holding(size=now[0], sha256=sha256, origin=self._origin(want)))
        remember(self.root, self._stamps)

    def _origin(self, want: Wanted) -> str:
        return next((entry.origin for entry in self._before.files if entry.path == want.path), "")

    def _note(self, want: Wanted, now: Stamp, holding: Holding) -> None:
        self._stamps[want.path], self._come[want.path] = now, holding

    def arrived(self, want: Wanted, sha256: str, origin: str) -> None:
        """Enter a file that has just got its name, checked."""
        now = stamp(self.root / want.path)
        if now:
            self._note(want, now, Holding(size=now[0], sha256=sha256, origin=origin))
        if time.monotonic() - self._written > _PAUSE:
            with suppress(WorkError, OSError):  # the last write tells
                self._write()

    def _write(self) -> None:
        write_manifest(self.root, self._manifest())
        self._written = time.monotonic()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Write the manifest before and after what is done inside the block, however that ends."""
        self._write()
        try:
            yield
        except BaseException:
            with suppress(WorkError, OSError):
                self._write()
            raise
        finally:
            remember(self.root, self._stamps)
        self._write()
