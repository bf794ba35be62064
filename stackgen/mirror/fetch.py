"""Fetch files into a mirror, several at a time, each checked before it gets its name."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from threading import Lock as Mutex

from stackgen import files
from stackgen.arrival import Order
from stackgen.mirror.keep import refuse_links
from stackgen.mirror.wanted import Wanted
from stackgen.progress import Progress
from stackgen.site import Site

Arrived = Callable[[Wanted, str], None]
"""Told of a file that has its name now, and the address that had it."""


@dataclass(slots=True, kw_only=True)
class _Board:
    """What the threads of one run write to."""

    arrived: Arrived
    failures: dict[Wanted, tuple[str, ...]] = field(default_factory=dict)
    stopping: Event = field(default_factory=Event)
    mutex: Mutex = field(default_factory=Mutex)


def fetch(
    found: Mapping[Wanted, tuple[str, ...]], root: Path, site: Site, arrived: Arrived, progress: Progress
) -> dict[Wanted, tuple[str, ...]]:
    """Fetch files from the first of their addresses that has them; for each that failed, the reasons."""
    from stackgen.download import AT_ONCE, Client, NotHadError  # noqa: PLC0415 - slow

    client, board = Client(site), _Board(arrived=arrived)
    sized = all(want.size is not None for want in found)

    def one(want: Wanted) -> None:
        order = Order(
            sha256=want.sha256,
            size=want.size,
            addresses=found[want],
            to=refuse_links(root, want.path),
        )
        try:
            address = client.fetch(order, advance if sized else lambda _: None, board.stopping)
        except NotHadError as error:
            board.failures[want] = error.reasons or ("site.yaml names nobody who may have it",)
        else:
            with board.mutex:
                board.arrived(want, address)
        if not sized:
            advance(1)

    def advance(count: int) -> None:
        with board.mutex:
            show(count)

    largest_first = sorted(found, key=lambda want: (-(want.size or 0), want.path))
    total = sum(want.size or 0 for want in found) if sized else len(found)
    title = f"fetching {len(found)} files" if sized else "fetching files"
    with (
        files.reported(f"cannot fill {root}"),
        progress.task(title, total, unit="bytes" if sized else "files") as show,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        _await(pool, [pool.submit(one, want) for want in largest_first], board.stopping)
    return board.failures


def _await(pool: Executor, jobs: Iterable[Future[None]], stopping: Event) -> None:
    """Wait for all; the first that raises, or an interrupt, ends the others."""
    try:
        for job in as_completed(jobs):
            job.result()
    except BaseException:
        stopping.set()
        pool.shutdown(cancel_futures=True)
        raise
