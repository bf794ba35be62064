"""What the documents of an image say: index, manifest, configuration (OCI image 1.1, Docker schema 2)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, StringConstraints, ValidationError

from stackgen.errors import InputError
from stackgen.lock import Json

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64le"}
"""What images call the architectures of systems; others have the same name."""
PLAIN_LAYER = "application/vnd.oci.image.layer.v1.tar"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
INDEXES = frozenset(
    ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
)
_LAYERS = frozenset(
    (
        *(f"{PLAIN_LAYER}{ending}" for ending in ("", "+gzip", "+zstd")),
        *(f"application/vnd.docker.image.rootfs.diff.tar{ending}" for ending in ("", ".gzip", ".zstd")),
    )
)
_MOST_LAYERS = 500
"""Docker makes 127 at most."""
_LARGEST_CONFIG = 8 * 2**20
"""Bytes."""
_REMEDY = "take another image, or have this one made again"

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class _Document(BaseModel):
    """Others write it, and may write more into it than is known here."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Platform(_Document):
    """What an image of an index is for."""

    architecture: str = ""
    os: str = ""


class Descriptor(_Document):
    """A blob, as a manifest or an index names it."""

    digest: Digest
    size: NonNegativeInt
    media_type: Annotated[str, Field(alias="mediaType")] = ""
    urls: tuple[str, ...] = ()
    """Where else it lies; such blobs may not be passed on."""
    platform: Platform | None = None


class Index(_Document):
    """Manifests of one image for several architectures."""

    manifests: tuple[Descriptor, ...]

    def choice(self, architecture: str, image: str, where: str) -> Descriptor:
        """The manifest for an architecture of systems; InputError names those that there are."""
        wanted = ARCHITECTURES.get(architecture, architecture)
        known = [one for one in self.manifests if one.platform and one.platform.os == "linux"]
        for one in known:
            if one.platform and one.platform.architecture == wanted:
                return one
        names = sorted({one.platform.architecture for one in known if one.platform} - {"unknown"})
        there = f"it has {', '.join(names)}" if names else "it has none for Linux"
        raise InputError.of(f"{image} is not to be had for {architecture} ({wanted})", there, where=where)


class Manifest(_Document):
    """An image: its configuration, and its layers, the lowest first."""

    config: Descriptor
    layers: tuple[Descriptor, ...]


class _Settings(_Document):
    Env: tuple[str, ...] | None = None
    WorkingDir: str | None = None
    Entrypoint: tuple[str, ...] | None = None
    Cmd: tuple[str, ...] | None = None


class _Contents(_Document):
    diff_ids: tuple[Digest, ...] = ()


class _Config(_Document):
    architecture: str
    os: str
    config: _Settings | None = None
    rootfs: _Contents = _Contents()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """What an image says of how its programs are started."""

    environment: Mapping[str, str] = field(default_factory=dict)
    directory: str = "/"
    """Where its programs start."""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    diff_ids: tuple[str, ...] = ()
    """The digests of its layers without compression."""

    @property
    def path(self) -> tuple[str, ...]:
        """The directories where its programs are looked for."""
        usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return tuple(part for part in self.environment.get("PATH", usual).split(":") if part.startswith("/"))


def digest_of(content: bytes) -> str:
    """With `sha256:` before it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def read_document(content: bytes, image: str, where: str) -> Index | Manifest:
    """An index or a manifest; InputError where it is neither, or of a kind that is not taken."""
    document = _parsed(content, image, where)
    if document.get("schemaVersion") == 1:
        what = f"{image} has a manifest of the schema 1 of 2013, which names no hashes of its layers"
        raise InputError.of(what, "push it again with a newer tool, and take that digest", where=where)
    try:
        if str(document.get("mediaType")) in INDEXES or "manifests" in document:
            return Index.model_validate(document)
        manifest = Manifest.model_validate(document)
    except ValidationError as error:
        raise _damaged(image, error, where) from None
    _refuse_layers(manifest, image, where)
    return manifest


def read_config(content: bytes, image: str, architecture: str, where: str) -> ImageConfig:
    """A configuration; InputError where it is none, or that of an image for another machine."""
    try:
        config = _Config.model_validate(_parsed(content, image, where))
    except ValidationError as error:
        raise _damaged(image, error, where) from None
    wanted = ARCHITECTURES.get(architecture, architecture)
    if (config.os, config.architecture) != ("linux", wanted):
        what = (
            f"{image} is for {config.os}/{config.architecture}, and the system has {architecture} ({wanted})"
        )
        raise InputError.of(what, "name the digest of the image for this system", where=where)
    settings = config.config or _Settings()
    return ImageConfig(
        environment=_variables(settings.Env or ()),
        directory=settings.WorkingDir or "/",
        entrypoint=settings.Entrypoint or (),
        command=settings.Cmd or (),
        diff_ids=config.rootfs.diff_ids,
    )


def plain_image(
    architecture: str, layers: Sequence[tuple[str, int]], config: bytes | None = None
) -> tuple[bytes, bytes]:
    """Configuration and manifest of an image of layers without compression, each with digest and size."""
    described: Json = {
        "architecture": ARCHITECTURES.get(architecture, architecture),
        "config": {},
        "os": "linux",
        "rootfs": {"diff_ids": [digest for digest, _ in layers], "type": "layers"},
    }
    own = config or _written(described)
    manifest: Json = {
        "config": {"digest": digest_of(own), "mediaType": CONFIG, "size": len(own)},
        "layers": [{"digest": digest, "mediaType": PLAIN_LAYER, "size": size} for digest, size in layers],
        "mediaType": MANIFEST,
        "schemaVersion": 2,
    }
    return own, _written(manifest)


def _written(document: Json) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _variables(texts: tuple[str, ...]) -> dict[str, str]:
    pairs = (text.partition("=") for text in texts)
    return {name: value for name, _, value in pairs if name and _is_text(name) and _is_text(value)}


def _is_text(text: str) -> bool:
    """Whether programs and files can be given it: JSON has halves of characters, too."""
    return "\0" not in text and text.encode(errors="replace").decode() == text


def _parsed(content: bytes, image: str, where: str) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise InputError.of(
            f"what {image} has for its manifest or configuration is no JSON", _REMEDY, where=where
        )
    return document


def _damaged(image: str, error: ValidationError, where: str) -> InputError:
    first = error.errors()[0]
    at = ".".join(map(str, first["loc"]))
    return InputError.of(f"{image} is no image that can be read: {at}: {first['msg']}", _REMEDY, where=where)


def _refuse_layers(manifest: Manifest, image: str, where: str) -> None:
    if len(manifest.layers) > _MOST_LAYERS:
        what = f"{image} has {len(manifest.layers)} layers, and at most {_MOST_LAYERS} are taken"
        raise InputError.of(what, "have it made with fewer", where=where)
    if manifest.config.size > _LARGEST_CONFIG:
        raise InputError.of(
            f"{image} has a configuration of {manifest.config.size} bytes", _REMEDY, where=where
        )
    for layer in manifest.layers:
        if layer.urls or "nondistributable" in layer.media_type or "foreign" in layer.media_type:
            what = f"{image} has a layer that may not be passed on ({layer.digest})"
            raise InputError.of(what, "take an image whose layers are all in its registry", where=where)
        if layer.media_type not in _LAYERS:
            kind = ascii(layer.media_type)
            raise InputError.of(
                f"{image} has a layer of the kind {kind}, which cannot be read", _REMEDY, where=where
            )
