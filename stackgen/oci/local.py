"""An image that lies on this machine, whatever it lies in: its documents, its layers, and their bytes."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from stackgen.errors import InputError
from stackgen.oci.layouts import (
    Members,
    blob_path,
    docker_archive,
    document,
    is_layout,
    members,
)
from stackgen.oci.manifests import Descriptor, Index, Manifest, digest_of, plain_image, read_document
from stackgen.oci.packing import pack

_DEEPEST = 4
"""Lists of manifests that name one another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalImage:
    """An image of one architecture; it can be read until the block that opened it ends."""

    digest: str
    """Of its manifest."""
    manifest: bytes
    config: bytes
    there: Members
    places: dict[str, str]
    """Where each layer lies, by its digest; empty for a directory that is packed."""
    packed: Path | None = None

    @property
    def digests(self) -> frozenset[str]:
        """Of all its blobs."""
        return frozenset((self.digest, digest_of(self.config), *self.places))

    def write(self, digest: str, out: BinaryIO) -> None:
        """Write a blob somewhere; KeyError where the image has none of this digest."""
        if digest == self.digest:
            out.write(self.manifest)
        elif digest == digest_of(self.config):
            out.write(self.config)
        elif self.packed and digest in self.places:
            pack(self.packed, out)
        else:
            with self.there.open(self.places[digest]) as stream:
                shutil.copyfileobj(stream, out, 2**20)


@contextmanager
def local_image(place: Path, architecture: str, where: str) -> Iterator[LocalImage]:
    """The image in a directory or an archive; InputError where there is none for this architecture."""
    with members(place, where) as there:
        if is_layout(there):
            yield _of_layout(there, str(place), architecture, where)
        elif place.is_dir():
            yield _of_root(place, there, architecture, where)
        else:
            yield _of_docker(there, str(place), architecture, where)


def _of_layout(there: Members, image: str, architecture: str, where: str) -> LocalImage:
    digest, manifest = _chosen(there, image, architecture, where)
    config = _blob(there, manifest.config, image, where)
    for layer in manifest.layers:
        size = there.size(blob_path(layer.digest))
        if size != layer.size:
            lacks = "is not there" if size is None else f"has {size} bytes, not {layer.size}"
            raise InputError.of(f"{layer.digest} of {image} {lacks}", "have it copied again", where=where)
    return LocalImage(
        digest=digest,
        manifest=document(there, blob_path(digest), image, where),
        config=config,
        there=there,
        places={layer.digest: blob_path(layer.digest) for layer in manifest.layers},
    )


def _chosen(there: Members, image: str, architecture: str, where: str) -> tuple[str, Manifest]:
    """The only manifest of a layout, or the one for an architecture."""
    found = read_document(document(there, "index.json", image, where), image, where)
    for _ in range(_DEEPEST):
        if isinstance(found, Manifest):
            break
        one = _one_of(found, image, architecture, where)
        found = read_document(_blob(there, one, image, where), image, where)
        if isinstance(found, Manifest):
            return one.digest, found
    raise InputError.of(f"{image} is a list of images without an image", "have it made again", where=where)


def _one_of(index: Index, image: str, architecture: str, where: str) -> Descriptor:
    if len(index.manifests) == 1 and index.manifests[0].platform is None:
        return index.manifests[0]
    if len(index.manifests) > 1 and not any(one.platform for one in index.manifests):
        raise InputError.of(f"{image} holds several images", "copy the one alone", where=where)
    return index.choice(architecture, image, where)


def _blob(there: Members, blob: Descriptor, image: str, where: str) -> bytes:
    content = document(there, blob_path(blob.digest), image, where)
    if digest_of(content) != blob.digest:
        raise InputError.of(f"{blob.digest} of {image} is altered", "have it copied again", where=where)
    return content


def _of_docker(there: Members, image: str, architecture: str, where: str) -> LocalImage:
    """Docker's archives name no hashes of their layers, so these are read."""
    saved = docker_archive(there, image, where)
    config = document(there, saved.config, image, where)
    layers = [(*_measured(there, path, image, where), path) for path in saved.layers]
    _, manifest = plain_image(architecture, [(digest, size) for digest, size, _ in layers], config)
    return LocalImage(
        digest=digest_of(manifest),
        manifest=manifest,
        config=config,
        there=there,
        places={digest: path for digest, _, path in layers},
    )


def _measured(there: Members, path: str, image: str, where: str) -> tuple[str, int]:
    size = there.size(path)
    if size is None:
        raise InputError.of(f"{image} has no {path}", "have it made or copied again", where=where)
    digest = hashlib.sha256()
    with there.open(path) as stream:
        while chunk := stream.read(2**20):
            digest.update(chunk)
    return f"sha256:{digest.hexdigest()}", size


def _of_root(root: Path, there: Members, architecture: str, where: str) -> LocalImage:
    """A root file system, as an image of one layer."""
    if not any((root / name).is_dir() for name in ("usr", "bin", "etc")):
        what = f"{root} is neither an OCI layout nor a root file system"
        raise InputError.of(what, "name a directory with index.json, or with usr and etc", where=where)
    digest, size = pack(root, where=where)
    config, manifest = plain_image(architecture, [(digest, size)])
    return LocalImage(
        digest=digest_of(manifest),
        manifest=manifest,
        config=config,
        there=there,
        places={digest: ""},
        packed=root,
    )
