"""What images are made from, as the text of `images.json`, and back."""

import json
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError

from stackgen.lock.values import Images, LockedContext, LockedDeb, LockedFile, LockedImage, LockedLayer
from stackgen.model.base import Strict
from stackgen.model.rules import matching

_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
_Text = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x20\x7f]*$", max_length=1000)]
_Path = Annotated[
    str,
    StringConstraints(max_length=1000),
    matching(r"^(?!/)(?!.*(^|/)\.{1,2}(/|$))[^\x00-\x1f\x7f]+$", "path", "leave out '..'"),
]
_Size = Annotated[int, Field(ge=0)]
_Name = Annotated[
    str,
    StringConstraints(max_length=255),
    matching(r"^(?!\.)[^/\x00-\x1f\x7f]+$", "name", "leave out '/'"),
]


class _File(Strict):
    """A file by any path, such as one of a Dockerfile's context."""

    name: _Path
    size: _Size
    sha256: _Sha256


class _Blob(Strict):
    size: _Size
    sha256: _Sha256

    @property
    def file(self) -> LockedFile:
        return LockedFile(name=blob_name(self.sha256), size=self.size, sha256=self.sha256)


class _Layer(_Blob):
    media_type: _Text


class _Image(Strict):
    framework: _Name
    reference: _Text
    digest: _Digest
    architecture: _Name
    manifest: _Blob
    config: _Blob
    layers: Annotated[tuple[_Layer, ...], Field(max_length=1000)]


class _Context(Strict):
    framework: _Name
    files: tuple[_File, ...]


class _Deb(Strict):
    package: _Name
    version: _Name
    name: _Name
    size: _Size
    sha256: _Sha256
    path: _Path


class _Entries(Strict):
    images: tuple[_Image, ...] = ()
    contexts: tuple[_Context, ...] = ()
    base: tuple[_Deb, ...] = ()


def blob_name(sha256: str) -> str:
    """What the file of a blob is called."""
    return f"sha256-{sha256}"


def images_text(images: Images) -> str:
    """The same images give the same bytes; ValueError where they could not be read again."""
    entries = {
        "images": [_image(image) for image in images.images],
        "contexts": [
            {"framework": context.framework, "files": [_file(file) for file in context.files]}
            for context in images.contexts
        ],
        "base": [
            {"package": deb.package, "version": deb.version, **_file(deb.file), "path": deb.path}
            for deb in images.base
        ],
    }
    text = json.dumps(entries, indent=1, sort_keys=True) + "\n"
    _Entries.model_validate_json(text)
    return text


def _image(image: LockedImage) -> dict[str, object]:
    return {
        "framework": image.framework,
        "reference": image.reference,
        "digest": image.digest,
        "architecture": image.architecture,
        "manifest": _blob(image.manifest),
        "config": _blob(image.config),
        "layers": [{**_blob(layer.file), "media_type": layer.media_type} for layer in image.layers],
    }


def _blob(file: LockedFile) -> dict[str, object]:
    return {"size": file.size, "sha256": file.sha256}


def _file(file: LockedFile) -> dict[str, object]:
    return {"name": file.name, **_blob(file)}


def parse_images(text: str) -> Images:
    """The images of a text that `images_text` wrote; ValueError says what is wrong with any other."""
    try:
        entries = _Entries.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f" {key}:" for key in first["loc"])
        raise ValueError(f"is no list of images:{where} {first['msg']}") from None
    images = Images(
        images=tuple(map(_locked, entries.images)),
        contexts=tuple(
            LockedContext(
                framework=context.framework,
                files=tuple(LockedFile(**file.model_dump()) for file in context.files),
            )
            for context in entries.contexts
        ),
        base=tuple(
            LockedDeb(
                package=deb.package,
                version=deb.version,
                file=LockedFile(name=deb.name, size=deb.size, sha256=deb.sha256),
                path=deb.path,
            )
            for deb in entries.base
        ),
    )
    if images_text(images) != text:
        raise ValueError("holds something that stackgen does not write")
    return images


def _locked(image: _Image) -> LockedImage:
    return LockedImage(
        framework=image.framework,
        reference=image.reference,
        digest=image.digest,
        architecture=image.architecture,
        manifest=image.manifest.file,
        config=image.config.file,
        layers=tuple(LockedLayer(file=layer.file, media_type=layer.media_type) for layer in image.layers),
    )
