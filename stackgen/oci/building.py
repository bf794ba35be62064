"""Images that Dockerfiles make, built by ch-image from what a mirror holds, without a network."""

import json
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from stackgen import files
from stackgen.errors import WorkError
from stackgen.from_wheels import require_intact
from stackgen.lock import Images, LockedImage, WheelLock
from stackgen.mirror import Mirror
from stackgen.oci.contexts import CONTEXT
from stackgen.oci.dockerfiles import dockerfile_text, instructions, read_dockerfile
from stackgen.oci.manifests import ARCHITECTURES, ImageConfig
from stackgen.oci.reading import config_of, layers_of
from stackgen.plan import ContainerPlan, Dockerfile
from stackgen.rootfs import Directory, Texts, root_file_system
from stackgen.tree import File, Tree
from stackgen.workshop import Workshop

WHEELS = "/.stackgen/wheels"
"""Where a Dockerfile's instructions find the wheels of the lock."""
_OFFER = {"PIP_FIND_LINKS": WHEELS, "PIP_NO_INDEX": "1", "UV_FIND_LINKS": WHEELS, "UV_NO_INDEX": "1"}
_MADE = "made"
_LEFT = ("ch", "WEIRD_AL_YANKOVIC")
"""What ch-image itself leaves in an image."""
_ANNOUNCED = re.compile(r"^ *(\d+)[^\w\s] (.*)$")
_NO_PARSER = "No module named 'lark'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """An image as a directory in a workshop, and how its programs are started."""

    source: Directory
    config: ImageConfig


def built_image(  # noqa: PLR0913 - all that it is made from
    container: ContainerPlan,
    images: Images,
    wheels: WheelLock | None,
    mirror: Mirror,
    workshop: Workshop,
    *,
    ch_image: Path | None = None,
) -> Built:
    """Build what a Dockerfile says, in an open workshop.

    WorkError names the instruction that failed, with its line. `ch_image` is whichever the PATH has where
    it is not named.
    """
    assert isinstance(container.origin, Dockerfile)
    program = _program(ch_image)
    context = _unpacked(container, images, mirror, workshop)
    file = context / Path(container.origin.path).name
    names = _import_bases(file, images.of(container.name), mirror, workshop, program)
    rewritten = workshop.root / "Dockerfile"
    files.write(rewritten, _rewritten(file, names))
    offered = _offered(wheels, mirror, workshop)
    start = _Starting(program=program, workshop=workshop)
    start(
        *("build", "--no-cache", "--tag", _MADE, "--bind", f"{offered}:{WHEELS}"),
        *("--file", str(rewritten), str(context)),
        failure=f"{container.origin.path} cannot be built",
    )
    return _finished(start.storage / "img" / _MADE)


def _program(named: Path | None) -> Path:
    found = named or shutil.which("ch-image")
    if not found:
        remedy = "install Charliecloud, or list charliecloud under `packages:`, for Spack to build"
        raise WorkError("no ch-image, which builds Dockerfiles", remedy)
    return Path(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Starting:
    program: Path
    workshop: Workshop

    @property
    def storage(self) -> Path:
        """Where ch-image keeps images: its own of each build."""
        return self.workshop.root / "ch-image"

    def __call__(self, *words: str, failure: str) -> None:
        """Start ch-image; its own directory comes first, as it takes the first Python it finds."""
        variables = {
            "PATH": f"{self.program.parent}:/usr/bin:/bin:/usr/sbin:/sbin",
            "USER": "stackgen",
            "CH_IMAGE_STORAGE": str(self.storage),
        }
        self.workshop.start(
            self.program, *words, failure=failure, variables=variables, telling=_cause, nests=True
        )


def _cause(told: str) -> str:
    """The instruction that failed with its line, and the last words before ch-image gave up."""
    lines = [line for line in told.splitlines() if line.strip()]
    if any(_NO_PARSER in line for line in lines):
        return "ch-image lacks the Python module lark; install it (Debian: python3-lark)"
    found = [(number, match) for number, line in enumerate(lines) if (match := _ANNOUNCED.match(line))]
    errors = [line for line in lines if line.startswith("error: ")]
    last = errors[-1].removeprefix("error: ") if errors else ""
    if not found:
        return last
    number, instruction = found[-1]
    said = [line for line in lines[number + 1 :] if not line.startswith(("error: ", "hint: ", "warning: "))]
    words = f"{said[-1].strip()} ({last})" if said and last else last or (said[-1].strip() if said else "")
    return f"line {instruction[1]}: {instruction[2].strip()}: {words}"


def _unpacked(container: ContainerPlan, images: Images, mirror: Mirror, workshop: Workshop) -> Path:
    """The directory of the Dockerfile, as it was locked."""
    (blob,) = (
        file.as_blob
        for context in images.contexts
        if context.framework == container.name
        for file in context.files
        if file.name == CONTEXT
    )
    require_intact(mirror, (blob,))
    context, archive = workshop.root / "context", workshop.root / CONTEXT
    with files.reported(f"cannot work in {workshop.root}"):
        context.mkdir()
        shutil.copyfile(mirror.path(blob), archive)
    words = ("tar", "--extract", "--file", archive, "--directory", context, "--no-same-owner")
    workshop.start(*words, failure=f"the context of {container.name} cannot be unpacked")
    return context


def _import_bases(
    file: Path, images: tuple[LockedImage, ...], mirror: Mirror, workshop: Workshop, program: Path
) -> Mapping[str, str]:
    """Give ch-image the images that a Dockerfile stands on; their names there, by how FROM names them."""
    known = {f"{image.reference}@{image.digest}": image for image in images}
    names: dict[str, str] = {}
    imported: dict[str, str] = {}
    for stage in read_dockerfile(file):
        if stage.reference is None:
            continue
        if str(stage.reference) not in known:
            raise WorkError(
                f"the lock has no {stage.reference}, which {file.name} stands on", "lock it again"
            )
        if str(stage.reference) not in imported:
            name = f"locked{len(imported)}"
            _import_one(
                known[str(stage.reference)], name, mirror, _Starting(program=program, workshop=workshop)
            )
            imported[str(stage.reference)] = name
        names[stage.base] = imported[str(stage.reference)]
    return names


def _import_one(image: LockedImage, name: str, mirror: Mirror, start: _Starting) -> None:
    layers, config = layers_of(image, mirror), config_of(image, mirror)
    described = {
        "arch": ARCHITECTURES.get(image.architecture, image.architecture),
        "arg": {},
        "cwd": config.directory,
        "env": {**config.environment, **_OFFER},
        "history": [],
        "labels": {},
        "shell": ["/bin/sh", "-c"],
        "volumes": [],
    }
    metadata = Texts(tree=Tree({"ch/metadata.json": File(json.dumps(described, sort_keys=True))}))
    archive = start.workshop.root / f"{name}.tar"
    with files.reported(f"cannot work in {start.workshop.root}"):
        with archive.open("wb") as stream:
            root_file_system((layers, metadata)).write(stream)
        start(*("import", "--no-cache", str(archive), name), failure=f"{layers.image} cannot be imported")
        archive.unlink()


def _rewritten(file: Path, names: Mapping[str, str]) -> str:
    """The Dockerfile with the imported names, each instruction on one line, and that where it began.

    ch-image may take a continued line for an instruction where it begins like one.
    """
    lines: list[str] = []
    for instruction in instructions(dockerfile_text(file)):
        rest = instruction.rest
        if instruction.name == "from":
            rest = " ".join(names.get(word, word) for word in rest.split())
        lines += [""] * (instruction.line - 1 - len(lines))
        lines.append(f"{instruction.name.upper()} {rest}")
    return "\n".join(lines) + "\n"


def _offered(wheels: WheelLock | None, mirror: Mirror, workshop: Workshop) -> Path:
    """A directory with the wheels of the lock, which nothing hides inside."""
    place = workshop.root / "offered"
    with files.reported(f"cannot work in {workshop.root}"):
        place.mkdir()
        if wheels:
            require_intact(mirror, wheels.files)
            for file in wheels.files:
                shutil.copyfile(mirror.path(file), place / file.name)
    return place


def _finished(root: Path) -> Built:
    """What ch-image made, without what is its own."""
    described = root / "ch/metadata.json"
    with files.reported(f"cannot read {root}"):
        content = json.loads(described.read_text(encoding="utf-8"))
        for name in _LEFT:
            files.remove(root / name)
            if (root / name).is_file():
                (root / name).unlink()
        for directory in (root / WHEELS.lstrip("/"), root / ".stackgen"):
            with suppress(OSError):
                directory.rmdir()
    environment = {name: value for name, value in content["env"].items() if _OFFER.get(name) != value}
    return Built(
        source=Directory(path=root, at="/"),
        config=ImageConfig(environment=environment, directory=str(content.get("cwd") or "/")),
    )
