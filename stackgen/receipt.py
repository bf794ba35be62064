"""What the last complete build of an environment saw: nothing of it changed, nothing is to be done.

Nothing here imports pydantic or reads YAML: that alone would take longer than all the rest of such a build.
A receipt decides nothing by itself; it says which release must still be the current and a whole one.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackgen import __version__
from stackgen.errors import WorkError

Content = Mapping[str, Any]
"""A JSON object as it was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A release that is published, current and whole: where, and its `release.json`."""

    prefix: Path
    release: Content


def remember(
    environment: Path, option: str | None, read: Iterable[Path], listed: Iterable[Path], receipt: Receipt
) -> None:
    """Note what a build, called with `--prefix option`, had read and listed, and its result."""
    from stackgen import files  # noqa: PLC0415 - who only recalls need not wait for it

    content = {
        "machine": _machine(),
        "files": {str(path): _sha256(path) for path in read},
        "directories": {str(path): _names(path) for path in listed},
        "prefix": str(receipt.prefix),
        "release": receipt.release,
    }
    with suppress(WorkError, RuntimeError):  # without it, the next build only takes longer
        files.write(_place(environment, option), json.dumps(content, sort_keys=True))


def recall(environment: Path, option: str | None) -> Receipt | None:
    """The result of the last build, if nothing that it read or made has changed since."""
    try:
        content = json.loads(_place(environment, option).read_bytes())
        receipt = Receipt(prefix=Path(content["prefix"]), release=content["release"])
        same = (
            content["machine"] == _machine()
            and all(_sha256(Path(path)) == digest for path, digest in content["files"].items())
            and all(_names(Path(path)) == names for path, names in content["directories"].items())
        )
        return receipt if same and _is_current(receipt) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError):
        return None


def _is_current(receipt: Receipt) -> bool:
    release = json.loads((receipt.prefix / "current/release.json").read_bytes())
    return (
        bool(release == receipt.release)
        and (receipt.prefix / "releases" / release["name"]).is_dir()
        and (receipt.prefix / "current/modules/Core" / release["namespace"]).is_dir()
        and all(map(_is_there, receipt.release["frameworks"]))
    )


def _is_there(framework: Content) -> bool:
    """Whether what a release needs of a framework is there: programs that Spack has installed are links."""
    if framework.get("image"):
        return Path(framework["image"]).is_file()
    prefix = Path(framework["prefix"])
    if framework["python"] and not ((prefix / "bin/python").exists() and (prefix / "lib").is_dir()):
        return False
    return framework.get("source") != "spack" or all(path.exists() for path in (prefix / "bin").iterdir())


def _place(environment: Path, option: str | None) -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    key = json.dumps([str(environment.absolute()), option, str(Path.home())])
    return Path(cache) / "stackgen" / "receipts" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


def _machine() -> list[str | None]:
    """What else a plan depends on: stackgen itself, the host where it is `system: this`, the home."""
    return [__version__, os.uname().machine, os.confstr("CS_GNU_LIBC_VERSION"), os.environ.get("HOME")]


def _names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
