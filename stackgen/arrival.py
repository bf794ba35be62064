"""A file on its way to its final name: what it has to be, and how much of it is there."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BufferedRandom
from pathlib import Path
from threading import Event

from stackgen.errors import WorkError
from stackgen.progress import Advance

CHUNK = 2**16
"""Bytes read at a time; of a connection that breaks off, fewer than that are lost."""

LARGEST = 64 * 2**30
"""Bytes; where nobody says how large a file is, more is not taken."""

Opened = tuple[int, Iterator[bytes]]
"""Where the bytes begin, and the bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A file that is to be brought: what it has to be, where it may be had, the first choice first."""

    sha256: str
    size: int | None
    """Bytes; None where nobody says."""
    addresses: tuple[str, ...]
    to: Path

    @property
    def part(self) -> Path:
        """Where its bytes gather until they are all there."""
        return self.to.with_name(f"{self.to.name}.part")


class StoppedError(Exception):
    """The download was asked to stop; what came is kept."""


@dataclass(slots=True, kw_only=True)
class Arrival:
    """A file on its way, over any number of attempts."""

    order: Order
    advance: Advance
    stopping: Event
    position: int = field(default=0, init=False)

    def attempt(self, open_at: Callable[[int], Opened]) -> str:
        """Go on from what is there; the SHA-256 of it all once the source has no more."""
        with self.order.part.open("ab+") as stream:
            there = stream.tell()
            start, chunks = (there, iter(())) if self._is_all(stream) else open_at(there)
            stream.truncate(start)
            stream.seek(0)
            digest = hashlib.file_digest(stream, "sha256")
            self._reach(start)
            for chunk in chunks:
                digest.update(chunk)
                self._take(chunk, stream)
            stream.flush()
            os.fsync(stream.fileno())
        return digest.hexdigest()

    def _take(self, chunk: bytes, stream: BufferedRandom) -> None:
        if self.stopping.is_set():
            raise StoppedError
        stream.write(chunk)
        self._reach(self.position + len(chunk))
        size = self.order.size
        if self.position > (LARGEST if size is None else 2 * size + CHUNK):
            self.order.part.unlink()
            said = (
                f"{size} bytes that the lock says" if size is not None else f"{LARGEST} bytes of any source"
            )
            raise WorkError(f"it is far longer than the {said}")

    def _is_all(self, stream: BufferedRandom) -> bool:
        """Whether an earlier attempt ended between the last byte and the final name."""
        there = stream.tell()
        if self.order.size is not None:
            return there >= self.order.size
        stream.seek(0)
        return there > 0 and hashlib.file_digest(stream, "sha256").hexdigest() == self.order.sha256

    def _reach(self, position: int) -> None:
        self.advance(position - self.position)
        self.position = position
