"""Bring every file of locked environments into a mirror, each checked against its hash."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from threading import Event
from threading import Lock as Mutex

from stackgen import files
from stackgen.errors import WorkError
from stackgen.lock import Lock, LockedFile
from stackgen.mirror.addresses import Addresses, addresses
from stackgen.mirror.flaws import flaws
from stackgen.mirror.manifest import Manifest, Mirror, read_manifest, updated, write_manifest
from stackgen.progress import Progress, Silent
from stackgen.run import Runner
from stackgen.site import Site, without_credentials


def mirror(locks: Mapping[str, Lock], into: Path, site: Site, run: Runner, progress: Progress) -> Mirror:
    """The mirror in a directory, complete for these locks by environment name.

    What is there is read, and fetched again only where it is altered. WorkError lists everything that
    could not be had, the rest is kept.
    """
    result = Mirror(root=into)
    wanted = {file for lock in locks.values() for file in lock.files}
    absent = {file for file in wanted if not result.holds(file)}
    suspects = absent | flaws(result, wanted - absent, progress).keys()
    if suspects or _manifest(into, locks, {}) != read_manifest(into):
        with files.exclusive(into, progress):
            unusable = flaws(result, suspects, Silent())  # another process may have just brought them
            _complete(result, locks, frozenset(unusable), site, run, progress)
    return result


def _manifest(root: Path, locks: Mapping[str, Lock], found: Mapping[LockedFile, str]) -> Manifest:
    origins = {file: without_credentials(address) for file, address in found.items()}
    return updated(read_manifest(root), locks, origins)


def _complete(  # noqa: PLR0913, PLR0917 - the stages share the order of their arguments
    mirror: Mirror,
    locks: Mapping[str, Lock],
    wanted: frozenset[LockedFile],
    site: Site,
    run: Runner,
    progress: Progress,
) -> None:
    known = addresses(locks, wanted, site, run) if wanted else Addresses()
    write_manifest(mirror.root, _manifest(mirror.root, locks, known.found))
    fetched = _fetched(mirror, known.found, site, progress) if known.found else {}
    if failures := {**known.failures, **fetched}:
        raise _incomplete(failures, locks, len(wanted))


def _fetched(
    mirror: Mirror, found: Mapping[LockedFile, str], site: Site, progress: Progress
) -> dict[LockedFile, str]:
    """Fetch files, several at a time; why each that failed did so."""
    from stackgen.download import AT_ONCE, Client  # noqa: PLC0415 - slow, and mostly not needed

    client, stopping, mutex = Client(site), Event(), Mutex()
    failures: dict[LockedFile, str] = {}

    def fetch(file: LockedFile) -> None:
        try:
            client.fetch(file, found[file], mirror.path(file), advance, stopping)
        except WorkError as error:
            failures[file] = str(error)

    def advance(count: int) -> None:
        with mutex:
            show(count)

    largest_first = sorted(found, key=lambda file: file.size, reverse=True)
    title, total = f"fetching {len(found)} files", sum(file.size for file in found)
    with (
        files.reported(f"cannot fill {mirror.root}"),
        progress.task(title, total, unit="bytes") as show,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        try:
            for future in as_completed([pool.submit(fetch, file) for file in largest_first]):
                future.result()
        except BaseException:
            stopping.set()
            pool.shutdown(cancel_futures=True)
            raise
    return failures


def _incomplete(failures: Mapping[LockedFile, str], locks: Mapping[str, Lock], wanted: int) -> WorkError:
    """One table of everything that could not be had."""
    packages = {
        package.file: f"{package.name} {package.version}"
        for lock in locks.values()
        for wheels in lock.wheels
        for package in (*wheels.packages, *wheels.build_packages)
    }
    rows = sorted((packages[file], file.name, reason) for file, reason in failures.items())
    table = "".join(f"\n  {package}  {name}  {reason}" for package, name, reason in rows)
    advice = "what came is kept, so run the same command again"
    return WorkError(f"{len(failures)} of {wanted} files could not be had; {advice}:{table}")
