"""Bring every file of locked environments into a mirror, each checked against its hash."""

import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from stackgen import files
from stackgen.errors import WorkError
from stackgen.lock import Lock, LockedFile
from stackgen.mirror.addresses import Addresses, addresses
from stackgen.mirror.fetch import fetch
from stackgen.mirror.given import find
from stackgen.mirror.keep import move, put, refuse_links
from stackgen.mirror.lacking import IncompleteError, Lacking
from stackgen.mirror.layout import COMING, IMAGES, PACKAGES, SOURCES, WHEELS, area
from stackgen.mirror.ledger import Ledger
from stackgen.mirror.manifest import Mirror
from stackgen.mirror.packages import NOWHERE as NO_MIRROR
from stackgen.mirror.packages import package_addresses, with_advice
from stackgen.mirror.pages import on_indexes
from stackgen.mirror.upstream import BlobSource, Unknown, Upstream
from stackgen.mirror.wanted import Wanted
from stackgen.progress import Progress, Silent
from stackgen.run import Runner
from stackgen.site import Site, without_credentials

_BY_HAND = "it may not be fetched: get it from its makers, and name its directory by --from, or put it at {}"
_NOWHERE = "site.yaml lets nobody be asked for it"
_Failures = dict[Wanted, tuple[str, ...]]


def mirror(  # noqa: PLR0913 - the stages share the order of their arguments
    locks: Mapping[str, Lock],
    into: Path,
    site: Site,
    run: Runner,
    progress: Progress,
    *,
    upstream: Upstream | None = None,
    images: BlobSource | None = None,
    given: Collection[Path] = (),
) -> Mirror:
    """The mirror in a directory, complete for these locks by environment name.

    What is there whole stays as it is. Whole is what has its size and was not written to since its bytes
    were last found right, on this machine; the bytes of all else are read. What a disk loses without a
    write is for `verify` to find, and for the build. Files below the `given` directories are taken from
    there. IncompleteError lists everything that could not be had; the rest is kept.
    """
    ledger = Ledger.of(into, locks)
    unfit = ledger.unfit(progress)
    if unfit or not ledger.is_written():
        with files.exclusive(into, progress):
            ledger.read_again()
            unfit = ledger.unfit(Silent())  # another process may have just brought them
            collecting = _Collecting(
                ledger=ledger,
                locks=locks,
                site=site,
                run=run,
                progress=progress,
                upstream=upstream or Unknown(),
                images=images or Unknown(),
                given=tuple(given),
            )
            with ledger.kept():
                failures = collecting.complete(unfit)
        if failures:
            rows = [Lacking.of(want, *reasons) for want, reasons in failures.items()]
            raise IncompleteError(rows, len(unfit))
    return Mirror(root=into)


def take(  # noqa: PLR0913, PLR0917 - the stages share the order of their arguments
    locks: Mapping[str, Lock],
    into: Path,
    site: Site,
    run: Runner,
    progress: Progress,
    given: Collection[Path],
) -> Mirror:
    """The mirror in a directory, with what of these locks lies below the `given` ones: nobody is asked."""
    ledger = Ledger.of(into, locks)
    if ledger.unfit(progress):
        with files.exclusive(into, progress):
            ledger.read_again()
            nobody = Unknown()
            collecting = _Collecting(
                ledger=ledger,
                locks=locks,
                site=site,
                run=run,
                progress=progress,
                upstream=nobody,
                images=nobody,
                given=tuple(given),
            )
            with ledger.kept():
                collecting.take(ledger.unfit(Silent()))
    return Mirror(root=into)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Collecting:
    """One run of filling a mirror."""

    ledger: Ledger
    locks: Mapping[str, Lock]
    site: Site
    run: Runner
    progress: Progress
    upstream: Upstream
    images: BlobSource
    given: tuple[Path, ...]

    def complete(self, wants: Collection[Wanted]) -> _Failures:
        """Bring these files; why not, for each that does not come."""
        unhashed = [want for want in wants if not want.sha256]
        found = find([want for want in wants if want.sha256], self.given, self.progress) if wants else {}
        found |= find(unhashed, (*self.given, *self.site.source_directories), self.progress)
        self._put({want: place for want, place in found.items() if not want.sha256})
        known: dict[Wanted, tuple[str, ...]] = {
            want: (place.absolute().as_uri(),) for want, place in found.items() if want.sha256
        }
        rest = [want for want in wants if want not in found]
        wheels, failures = self._wheels([want for want in rest if area(want.path) == WHEELS])
        sources = [want for want in rest if area(want.path) == SOURCES]
        failures |= {want: (_BY_HAND.format(self._place(want)),) for want in sources if want.manual}
        plain = [want for want in sources if want.sha256 and not want.manual]
        debs, unknown = self._debs([want for want in rest if area(want.path) == PACKAGES])
        known |= wheels | self._plain(plain) | debs
        failures |= unknown
        failures |= self._blobs([want for want in rest if area(want.path) == IMAGES])
        if known:
            failures |= fetch(known, self.ledger.root, self.site, self._arrived, self.progress)
        failures |= {want: with_advice(failures[want]) for want in failures.keys() & debs.keys()}
        return failures | self._archived([want for want in sources if not want.sha256 and not want.manual])

    def take(self, wants: Collection[Wanted]) -> None:
        """Bring what of these files somebody has named a directory of."""
        found = find(wants, self.given, self.progress) if wants else {}
        self._put({want: place for want, place in found.items() if not want.sha256})
        known = {want: (place.absolute().as_uri(),) for want, place in found.items() if want.sha256}
        if known:
            fetch(known, self.ledger.root, self.site, self._arrived, self.progress)

    def _place(self, want: Wanted) -> Path:
        return self.ledger.root / want.path

    def _arrived(self, want: Wanted, address: str) -> None:
        self.ledger.arrived(want, want.sha256, without_credentials(address))

    def _put(self, found: Mapping[Wanted, Path]) -> None:
        """Copy what has no hash, and is told by its place alone."""
        for want, place in found.items():
            put(self.ledger.root, want.path, place)
            self.ledger.arrived(want, files.sha256(self._place(want)), place.absolute().as_uri())

    def _wheels(self, wants: Collection[Wanted]) -> tuple[dict[Wanted, tuple[str, ...]], _Failures]:
        """What the site's indexes say of wheels and source distributions."""
        by_file = {
            LockedFile(name=want.name, size=want.size or 0, sha256=want.sha256): want for want in wants
        }
        known = addresses(self.locks, frozenset(by_file), self.site, self.run) if wants else Addresses()
        found: dict[Wanted, tuple[str, ...]] = {
            by_file[file]: (address,) for file, address in known.found.items()
        }
        return found, {
            want: (known.failures.get(file, "no lock of these environments names it"),)
            for file, want in by_file.items()
            if want not in found
        }

    def _debs(self, wants: Collection[Wanted]) -> tuple[dict[Wanted, tuple[str, ...]], _Failures]:
        """Where packages of distributions may be had."""
        found = package_addresses(self.locks, self.site, self.run) if wants else {}
        known = {want: found[want.sha256] for want in wants if found.get(want.sha256)}
        return known, {want: (NO_MIRROR,) for want in wants if want not in known}

    def _plain(self, wants: Collection[Wanted]) -> dict[Wanted, tuple[str, ...]]:
        """Where Spack's sources may be had that are plain files."""
        paths = {want: want.path.removeprefix(f"{SOURCES}/") for want in wants}
        makers: Mapping[str, tuple[str, ...]] = {}
        if paths and self.site.upstream:
            try:
                makers = self.upstream.addresses(frozenset(paths.values()))
            except WorkError as error:
                self.progress.say(f"note: nobody says where the makers of these sources have them: {error}")
        indexed = on_indexes(wants, self.site)
        return {
            want: self.site.source_addresses(path, makers.get(path, ()), indexed.get(want, ()))
            for want, path in paths.items()
        }

    def _blobs(self, wants: Collection[Wanted]) -> _Failures:
        """Have blobs of images brought beside their places, and move them there."""
        if not wants:
            return {}
        layout = self.ledger.root / COMING
        blobs = refuse_links(self.ledger.root, f"{COMING}/blobs/sha256/")
        by_digest = {want.sha256: want for want in wants}
        self._lay_out(blobs, by_digest)
        reasons = dict(self.images.bring(frozenset(by_digest), layout))
        for digest, want in by_digest.items():
            if digest in reasons:
                continue
            found = move(self.ledger.root, want.path, blobs / digest, digest)
            if found:
                reasons[digest] = found
            else:
                self.ledger.arrived(want, digest, "")
        if not reasons:
            files.remove(layout)
        return {by_digest[digest]: (reason,) for digest, reason in reasons.items()}

    def _lay_out(self, blobs: Path, missing: Collection[str]) -> None:
        """Have the blobs that the mirror has already in a layout too, so that nobody fetches them again."""
        with files.reported(f"cannot fill {blobs}"):
            blobs.mkdir(parents=True, exist_ok=True)
            for link in (*(self.ledger.root / COMING).iterdir(), *blobs.iterdir()):
                if link.is_symlink():  # of an earlier run, or of somebody's who wants something overwritten
                    link.unlink()
            for want in self.ledger.wants:
                place = blobs / want.sha256
                if area(want.path) == IMAGES and want.sha256 not in missing:
                    place.unlink(missing_ok=True)
                    place.symlink_to(self._place(want).absolute())

    def _archived(self, wants: Collection[Wanted]) -> _Failures:
        """Have Spack fetch and pack what is no plain file."""
        if not wants:
            return {}
        if not self.site.upstream:
            return dict.fromkeys(wants, (_NOWHERE,))
        by_path = {want.path.removeprefix(f"{SOURCES}/"): want for want in wants}
        with tempfile.TemporaryDirectory(prefix="stackgen-archives-") as scratch:
            into = Path(scratch)
            try:
                reasons = self.upstream.archive(frozenset(by_path), into)
            except WorkError as error:
                reasons = {path: str(error) for path in by_path if not (into / path).is_file()}
            self._put({want: into / path for path, want in by_path.items() if path not in reasons})
        return {by_path[path]: (reason,) for path, reason in reasons.items()}
