"""A locked image as what a root file system is merged from, each blob checked before it is used."""

from collections.abc import Sequence
from pathlib import Path

from stackgen import files
from stackgen.from_wheels import require_intact
from stackgen.lock import LockedContext, LockedFile, LockedImage
from stackgen.mirror import Mirror
from stackgen.oci.contexts import ADDED
from stackgen.oci.manifests import ImageConfig, read_config
from stackgen.rootfs import Layer, Layers, Opener


def config_of(image: LockedImage, mirror: Mirror) -> ImageConfig:
    """How the programs of an image are started; WorkError where the mirror has not what the lock names."""
    require_intact(mirror, (image.config,))
    with files.reported(f"cannot read {mirror.root}"):
        content = mirror.path(image.config).read_bytes()
    return read_config(content, _name(image), image.architecture, f"frameworks.{image.framework}")


def layers_of(image: LockedImage, mirror: Mirror) -> Layers:
    """The layers of an image; WorkError where the mirror has not, byte by byte, what the lock names."""
    require_intact(mirror, image.files)
    diff_ids = config_of(image, mirror).diff_ids
    known: Sequence[str] = diff_ids if len(diff_ids) == len(image.layers) else [""] * len(image.layers)
    return Layers(
        image=_name(image),
        layers=tuple(
            Layer(
                name=f"layer {number}",
                open=_opener(mirror.path(layer.file)),
                diff_id=diff_id,
            )
            for number, (layer, diff_id) in enumerate(zip(image.layers, known, strict=True), 1)
        ),
    )


def added_files(framework: str, contexts: Sequence[LockedContext], mirror: Mirror) -> tuple[Layers, ...]:
    """The files that a site adds to the image of a framework, as one layer; none where it adds none."""
    found = [
        file for one in contexts if one.framework == framework for file in one.files if file.name == ADDED
    ]
    return tuple(_one_layer(f"the files of {framework}", file.as_blob, mirror) for file in found)


def _one_layer(name: str, blob: LockedFile, mirror: Mirror) -> Layers:
    require_intact(mirror, (blob,))
    return Layers(image=name, layers=(Layer(name="layer 1", open=_opener(mirror.path(blob))),))


def _opener(path: Path) -> Opener:
    return lambda: path.open("rb")


def _name(image: LockedImage) -> str:
    return f"{image.reference}@{image.digest}" if image.reference else f"the image of {image.framework}"
