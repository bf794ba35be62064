"""From what a site names to locked images: each blob by its hash, nothing fetched but a few documents."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

from stackgen.errors import Fault, InputError
from stackgen.lock import Images, LockedContext, LockedFile, LockedImage, LockedLayer, blob_name
from stackgen.oci.contexts import context_archives
from stackgen.oci.dockerfiles import read_dockerfile
from stackgen.oci.local import local_image
from stackgen.oci.manifests import Index, Manifest, digest_of, read_config, read_document
from stackgen.oci.references import Reference, parse_reference
from stackgen.oci.registries import Registries
from stackgen.plan import Archive, BaseImage, ContainerPlan, Directory, Dockerfile, Packed, Plan, Pulled
from stackgen.progress import Progress
from stackgen.run import Runner
from stackgen.site import Site

_NONE = Images()


def lock_images(  # noqa: PLR0913 - the stages share the order of their arguments
    plan: Plan,
    directory: Path,
    site: Site,
    run: Runner,
    progress: Progress,
    *,
    known: Images = _NONE,
) -> Images:
    """The images of an environment whose file lies in a directory; what a distribution gives is not here.

    A digest never means anything else: what is `known` of one, as from an older lock, is not asked again.
    InputError names what cannot be had, in all frameworks at once; WorkError is the network's.
    """
    asking = _Asking(
        registries=Registries(site=site, run=run),
        directory=directory,
        architecture=plan.platform.architecture,
        known={(one.reference, one.digest, one.architecture): one for one in known.images if one.reference},
    )
    images: list[LockedImage] = []
    contexts: list[LockedContext] = []
    faults: list[Fault] = []
    if isinstance(plan.base, BaseImage):
        images.append(asking.pulled("base", plan.base.image, "containers.base"))
    with progress.task("locking images", len(plan.containers), unit="images") as advance:
        for container in plan.containers:
            try:
                images += asking.images(container)
                contexts += asking.contexts(container)
            except InputError as error:
                faults.extend(error.faults)
            advance(1)
    if faults:
        raise InputError(*faults)
    return Images(images=tuple(sorted(images)), contexts=tuple(sorted(contexts)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    registries: Registries
    directory: Path
    architecture: str
    known: Mapping[tuple[str, str, str], LockedImage]

    def images(self, container: ContainerPlan) -> Iterator[LockedImage]:
        """What the image of a framework is made from, or stands on."""
        where = f"frameworks.{container.name}"
        match container.origin:
            case Packed():
                return
            case Pulled():
                yield self.pulled(container.name, container.origin, f"{where}.image")
            case Archive(path=path):
                yield self._local(container.name, path, f"{where}.archive")
            case Directory(path=path):
                yield self._local(container.name, path, f"{where}.directory")
            case Dockerfile(path=path):
                stages = read_dockerfile(self.directory / path)
                for reference in dict.fromkeys(stage.reference for stage in stages if stage.reference):
                    yield self._image(container.name, reference, f"{where}.dockerfile")
            case _:
                assert_never(container.origin)

    def contexts(self, container: ContainerPlan) -> Iterator[LockedContext]:
        """What a Dockerfile is built with, and what is added to an image."""
        found = tuple(
            LockedFile(name=name, size=size, sha256=digest.removeprefix("sha256:"))
            for name, (digest, size) in context_archives(container, self.directory)
        )
        if found:
            yield LockedContext(framework=container.name, files=found)

    def pulled(self, framework: str, origin: Pulled, where: str) -> LockedImage:
        """An image of a registry."""
        reference = parse_reference(f"{origin.reference}@{origin.digest}", where)
        return self._image(framework, reference, where)

    def _image(self, framework: str, reference: Reference, where: str) -> LockedImage:
        if one := self.known.get((reference.repository, reference.digest, self.architecture)):
            return replace(one, framework=framework)
        content = self.registries.manifest(reference)
        document, chosen = read_document(content, str(reference), where), reference
        if isinstance(document, Index):
            chosen = reference.of(document.choice(self.architecture, str(reference), where).digest)
            content = self.registries.manifest(chosen)
            document = read_document(content, str(chosen), where)
        if not isinstance(document, Manifest):
            raise InputError.of(f"{reference} is a list of lists of images", "name one of them", where=where)
        read = _Read(manifest=content, config=self.registries.config(chosen, document.config.digest))
        return self._locked(framework, reference.repository, reference.digest, read, where)

    def _local(self, framework: str, path: str, where: str) -> LockedImage:
        with local_image(self.directory / path, self.architecture, where) as image:
            read = _Read(manifest=image.manifest, config=image.config)
            return self._locked(framework, "", image.digest, read, where)

    def _locked(self, framework: str, reference: str, digest: str, read: "_Read", where: str) -> LockedImage:
        name = f"{reference}@{digest}" if reference else f"the image of {framework}"
        manifest = read_document(read.manifest, name, where)
        assert isinstance(manifest, Manifest)
        read_config(read.config, name, self.architecture, where)
        return LockedImage(
            framework=framework,
            reference=reference,
            digest=digest,
            architecture=self.architecture,
            manifest=_blob(digest_of(read.manifest), len(read.manifest)),
            config=_blob(digest_of(read.config), len(read.config)),
            layers=tuple(
                LockedLayer(file=_blob(layer.digest, layer.size), media_type=layer.media_type)
                for layer in manifest.layers
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """The documents of an image as they are."""

    manifest: bytes
    config: bytes


def _blob(digest: str, size: int) -> LockedFile:
    sha256 = digest.removeprefix("sha256:")
    return LockedFile(name=blob_name(sha256), size=size, sha256=sha256)
