"""What a release's own files say, as far as pages need it: of any stackgen's, older and newer."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from stackgen.errors import WorkError
from stackgen.inside.launcher.description import DESCRIPTION
from stackgen.inside.launcher.kernelspec import KERNELSPECS
from stackgen.release_files import read_told


class _Lenient(BaseModel):
    """Unlike what people write, this is written by stackgens that know more or less than this one."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Loadable(_Lenient):
    """A framework in `share/launcher.json`."""

    module: str
    name: str = ""
    title: str = ""
    summary: str = ""
    homepage: str = ""
    default: bool = False
    features: tuple[str, ...] = ()


class Queue(_Lenient):
    """A partition there."""

    name: str
    least: int = 1
    most: int = 1
    seconds: int = 0
    default: bool = False


class Launcher(_Lenient):
    """`share/launcher.json`."""

    site: str = ""
    unsupported: dict[str, str] = {}
    queues: tuple[Queue, ...] = ()
    frameworks: tuple[Loadable, ...] = ()
    wheelhouse: str | None = None
    """Told where the launcher makes virtual environments; None of older ones, which do not."""


class _Stackgen(_Lenient):
    module: str = ""


class _Metadata(_Lenient):
    stackgen: _Stackgen = _Stackgen()


class Kernel(_Lenient):
    """`kernel.json` of a kernelspec."""

    display_name: str
    metadata: _Metadata = _Metadata()


def read_launcher(release: Path) -> Launcher:
    """What a release tells its launcher; nothing where it has none."""
    return read_told(release / DESCRIPTION, Launcher) or Launcher()


def read_kernels(release: Path) -> tuple[Kernel, ...]:
    """The kernels of a release, by their names."""
    places = sorted((release / KERNELSPECS).glob("*/kernel.json"))
    return tuple(kernel for path in places if (kernel := read_told(path, Kernel)))


def read_json(path: Path) -> dict[str, Any]:
    """A file of `stackgen bench`; WorkError where it cannot be read."""
    try:
        value = json.loads(path.read_bytes())
        if isinstance(value, dict):
            return value
        details = "it holds no object"
    except (OSError, ValueError) as error:
        details = str(error)
    raise WorkError(f"{path} cannot be read", "remove it, or measure again", details=details)
