"""What locks need of a mirror, each file by its place in it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stackgen.lock import (
    Images,
    Lock,
    LockedContext,
    LockedFile,
    LockedImage,
    LockedSource,
    WheelLock,
    blob_name,
)
from stackgen.mirror.layout import IMAGES, PACKAGES, SOURCES, WHEELS


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A file that a lock needs."""

    package: str
    """With its version."""
    name: str
    """What its makers call the file."""
    path: str
    """Relative to the mirror."""
    sha256: str
    """Empty where only whoever fetches it can tell that it is the right one."""
    size: int | None
    """Bytes; None where nobody says."""
    commit: str = ""
    manual: bool = False

    @property
    def known_by(self) -> str:
        """Its hash or commit in words."""
        if self.sha256:
            return f"sha256 {self.sha256}"
        return f"commit {self.commit}" if self.commit else "neither hash nor commit"


def relative_path(file: LockedFile) -> str:
    """The place of a wheel, a source distribution, a package or a blob of an image below a mirror's root.

    Blobs lie as in the `blobs` of an OCI layout, so that tools for images can read them there.
    """
    if file.name == blob_name(file.sha256):
        return f"{IMAGES}/sha256/{file.sha256}"
    where = PACKAGES if file.name.endswith(".deb") else WHEELS
    return f"{where}/{file.sha256[:2]}/{file.sha256}/{file.name}"


def source_path(source: LockedSource) -> str:
    """The place of one of Spack's sources below a mirror's root."""
    return f"{SOURCES}/{source.path}"


def wanted(locks: Iterable[Lock]) -> dict[str, Wanted]:
    """Everything that some locks need, by its place; each place once, sorted."""
    found = {want.path: want for lock in locks for want in _of(lock)}
    return dict(sorted(found.items()))


def _of(lock: Lock) -> Iterator[Wanted]:
    for wheels in lock.wheels:
        yield from wheels_wanted(wheels)
    for spack in lock.spack:
        yield from map(_source_wanted, spack.sources)
    yield from images_wanted(lock.images)


def wheels_wanted(wheels: WheelLock) -> Iterator[Wanted]:
    """What one framework needs."""
    for package in (*wheels.packages, *wheels.build_packages):
        yield Wanted(
            package=f"{package.name} {package.version}",
            name=package.file.name,
            path=relative_path(package.file),
            sha256=package.file.sha256,
            size=package.file.size,
        )


def images_wanted(images: Images) -> Iterator[Wanted]:
    """The blobs of all images, what Dockerfiles are built with, and the packages that images stand on."""
    for image in images.images:
        yield from _image_wanted(image)
    for context in images.contexts:
        yield from _context_wanted(context)
    for deb in images.base:
        yield _blob_wanted(f"{deb.package} {deb.version}", deb.file.name, deb.file)


def _image_wanted(image: LockedImage) -> Iterator[Wanted]:
    package = f"{image.framework} {image.reference}".strip()
    yield _blob_wanted(package, "manifest", image.manifest)
    yield _blob_wanted(package, "configuration", image.config)
    for number, layer in enumerate(image.layers, 1):
        yield _blob_wanted(package, f"layer {number} of {len(image.layers)}", layer.file)


def _context_wanted(context: LockedContext) -> Iterator[Wanted]:
    for file in context.files:
        yield _blob_wanted(context.framework, file.name, file.as_blob)


def _blob_wanted(package: str, name: str, file: LockedFile) -> Wanted:
    return Wanted(package=package, name=name, path=relative_path(file), sha256=file.sha256, size=file.size)


def _source_wanted(source: LockedSource) -> Wanted:
    return Wanted(
        package=f"{source.package} {source.version}",
        name=source.name,
        path=source_path(source),
        sha256=source.sha256,
        size=None,
        commit=source.commit,
        manual=source.manual,
    )
