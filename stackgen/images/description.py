"""What lies beside an image, as `<image>.json`: all that a start inside has to know, without opening it."""

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from stackgen import files
from stackgen.errors import WorkError
from stackgen.model.base import Strict

INTERNAL = "/.stackgen"
"""What of an image is ours: no distribution has a directory of this name."""
HOST = f"{INTERNAL}/host"
"""Where directories of the host appear, by number."""
LIBRARIES = f"{INTERNAL}/lib"
"""Libraries beside the distribution's: copies, and links to those of the host."""
SECOND = f"{INTERNAL}/prefix"
"""What of a prefix a bind would cover, under a second name."""


class Bind(Strict):
    """A directory of this machine that is seen inside, wherever it lies there."""

    source: str
    target: str


class Description(Strict):
    """What an image is; every path but those of `binds` and `host` is one inside."""

    format: Literal[1] = 1
    name: str
    """The framework's."""
    version: str
    sha256: str
    """Of the image, in hex."""
    size: int
    """Bytes."""
    architecture: str
    """As x86_64."""
    commands: dict[str, str]
    """What users start, by name: the program's path."""
    python: str
    """The path of its Python; empty where it has none."""
    environment: dict[str, str]
    """The image's own whatever the caller has: PATH, LD_LIBRARY_PATH, and what its makers have set."""
    mount_points: tuple[str, ...]
    """Empty directories and files that something may be bound to, sorted."""
    binds: tuple[str, ...]
    """Of the system: seen at the same path; one that a node has not is left out."""
    host: tuple[Bind, ...]
    """Libraries of the host, and what they load by themselves; bound after `binds`."""
    links: dict[str, str]
    """Libraries of the host by name: where they appear below `HOST`."""
    prefix: str
    """The prefix of the framework that was packed, inside as outside; empty where none was."""
    covered: tuple[Bind, ...] = ()
    """What one of the binds hides, to be bound last of all: `source` is its second name in the mounted image,
    `target` where it belongs."""


def description_path(image: Path) -> Path:
    """Where the description of an image lies."""
    return image.with_suffix(".json")


def read_description(image: Path) -> Description:
    """The description of an image; WorkError where there is none that can be read."""
    path = description_path(image)
    try:
        return Description.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        what = f"{path} does not describe an image"
        raise WorkError(what, "run `stackgen build` again, which makes it", details=str(error)) from None


def write_description(image: Path, description: Description) -> None:
    """Put the description of an image beside it."""
    text = description.model_dump_json(indent=2) + "\n"
    files.write(description_path(image), text, mode=0o444)
