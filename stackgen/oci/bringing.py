"""Bring the blobs of locked images here: from their registries, or from what the site has beside its YAML."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from threading import Event, Thread
from typing import BinaryIO

from stackgen import files
from stackgen.errors import StackgenError, WorkError
from stackgen.lock import Lock, LockedContext, LockedImage
from stackgen.oci.contexts import write_context
from stackgen.oci.local import local_image
from stackgen.oci.references import Reference
from stackgen.oci.registries import Registries
from stackgen.plan import Archive, ContainerPlan, Directory, Plan
from stackgen.progress import Advance, Progress
from stackgen.run import Runner
from stackgen.site import Site

_LOOK = 0.5
"""Seconds between two looks at what has come."""
_GONE = "{} is no longer what was locked; lock it again, or bring back what it was"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """Where the images of some environments come from; what a mirror asks for blobs."""

    locked: tuple[tuple[Plan, Lock, Path], ...]
    """Each with the directory that the environment's file lies in."""
    site: Site
    run: Runner
    progress: Progress

    def bring(self, digests: Collection[str], layout: Path) -> Mapping[str, str]:
        """Bring blobs into an OCI layout; why not, for each that does not come, by its SHA-256 in hex.

        What is there already, as an interrupted run left it, is not fetched again.
        """
        blobs = layout / "blobs/sha256"
        with files.reported(f"cannot fill {layout}"):
            blobs.mkdir(parents=True, exist_ok=True)
        reasons: dict[str, str] = {}
        for plan, lock, directory in self.locked:
            bringing = _Bringing(plan=plan, directory=directory, layout=layout, origins=self)
            for image in lock.images.images:
                reasons |= bringing.all_of({file.sha256 for file in image.files} & {*digests}, image)
            for context in lock.images.contexts:
                reasons |= bringing.all_of({file.sha256 for file in context.files} & {*digests}, context)
        unknown = "no lock of these environments names it"
        return {digest: reasons.get(digest, unknown) for digest in digests if not (blobs / digest).is_file()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bringing:
    plan: Plan
    directory: Path
    layout: Path
    origins: Origins

    def all_of(self, digests: Collection[str], source: LockedImage | LockedContext) -> dict[str, str]:
        """Bring these blobs of an image, or archives of a context; why not, for each that did not come."""
        missing = {digest for digest in digests if not self._place(digest).is_file()}
        if not missing:
            return {}
        reason = _GONE.format(self._origin(source.framework))
        try:
            if isinstance(source, LockedContext):
                self._context(source, missing)
            elif source.reference:
                self._fetch(source, missing)
            else:
                self._local(source, missing)
        except StackgenError as error:
            reason = " ".join(str(error).split())
        return {digest: reason for digest in missing if not self._place(digest).is_file()}

    def _place(self, digest: str) -> Path:
        return self.layout / "blobs/sha256" / digest

    def _container(self, framework: str) -> ContainerPlan:
        found = next((one for one in self.plan.containers if one.name == framework), None)
        if found is None:
            raise WorkError(
                f"the lock has an image of {framework}, and the environment has none", "lock it again"
            )
        return found

    def _origin(self, framework: str) -> str:
        """What the site named, for messages."""
        with suppress(WorkError):
            match self._container(framework).origin:
                case Archive(path=path) | Directory(path=path):
                    return str(self.directory / path)
        return f"what the image of {framework} is made from"

    def _fetch(self, image: LockedImage, missing: Collection[str]) -> None:
        """Have a registry give what is missing; skopeo leaves out what lies in the layout."""
        host, _, name = image.reference.partition("/")
        reference = Reference(host=host, name=name, digest=f"sha256:{image.manifest.sha256}")
        registries = Registries(site=self.origins.site, run=self.origins.run)
        if image.manifest.sha256 in missing:
            with self._arriving(image.manifest.sha256) as stream:
                stream.write(registries.manifest(reference))
        wanted = [file for file in image.files if file.sha256 in missing and file != image.manifest]
        if wanted:
            total = sum(file.size for file in wanted)
            with _shown(self.origins.progress, f"fetching {image.reference}", total, self.layout):
                registries.copy(reference, self.layout, total)

    def _local(self, image: LockedImage, missing: Collection[str]) -> None:
        """Copy blobs out of an archive or a directory."""
        match self._container(image.framework).origin:
            case Archive(path=path) | Directory(path=path):
                place = self.directory / path
            case _:
                return
        with local_image(place, image.architecture, f"frameworks.{image.framework}") as found:
            for digest in sorted(missing):
                if f"sha256:{digest}" in found.digests:
                    with self._arriving(digest) as stream:
                        found.write(f"sha256:{digest}", stream)

    def _context(self, context: LockedContext, missing: Collection[str]) -> None:
        container = self._container(context.framework)
        for file in context.files:
            if file.sha256 in missing:
                with self._arriving(file.sha256) as stream:
                    write_context(container, self.directory, file.name, stream)

    @contextmanager
    def _arriving(self, digest: str) -> Iterator[BinaryIO]:
        """A blob in the making, which gets its place if its bytes are right."""
        place = self._place(digest)
        part = place.with_name(f"{digest}.part")
        with files.reported(f"cannot fill {self.layout}"):
            try:
                with part.open("wb") as stream:
                    yield stream
                if files.sha256(part) == digest:
                    part.replace(place)
            finally:
                part.unlink(missing_ok=True)  # it would fill a disk that is full


@contextmanager
def _shown(progress: Progress, title: str, total: int, layout: Path) -> Iterator[None]:
    """Show how much has come: skopeo tells nobody, so what lies there is looked at."""
    ended = Event()
    with progress.task(title, total, unit="bytes") as advance:
        watching = Thread(target=_watch, args=(layout, total, advance, ended), daemon=True)
        watching.start()
        try:
            yield
        finally:
            ended.set()
            watching.join()


def _watch(layout: Path, total: int, advance: Advance, ended: Event) -> None:
    before, told = _size(layout), 0
    while not ended.wait(_LOOK):
        come = min(_size(layout) - before, total)
        if come > told:
            advance(come - told)
            told = come


def _size(directory: Path) -> int:
    """Bytes of all files; what vanishes meanwhile has none."""
    found = 0
    for path in directory.rglob("*"):
        with suppress(OSError):
            status = path.lstat()
            found += status.st_size if S_ISREG(status.st_mode) else 0
    return found
