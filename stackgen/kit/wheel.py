"""stackgen's own wheel, made from the package that runs: the same bytes wherever and whenever."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from stackgen import __version__, files
from stackgen.errors import WorkError
from stackgen.lock import LockedFile, LockedPackage

PACKAGE = Path(__file__).parents[1]
_NAME = "stackgen"
_LEFT_OUT = ("__pycache__", ".pyc", ".pyo", "~", ".orig", ".rej")
_CREATED = (1980, 1, 1, 0, 0, 0)
"""The first time that a ZIP archive can hold."""
_WHEEL = "Wheel-Version: 1.0\nGenerator: stackgen\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def requirements() -> tuple[str, ...]:
    """What stackgen needs beside itself, as its own metadata says."""
    return tuple(sorted(_own_metadata().requires or ()))


def own_package(content: bytes) -> LockedPackage:
    """stackgen as a lock names it."""
    sha256 = hashlib.sha256(content).hexdigest()
    file = LockedFile(name=f"{_NAME}-{__version__}-py3-none-any.whl", size=len(content), sha256=sha256)
    return LockedPackage(name=_NAME, version=__version__, file=file)


def own_wheel(package: Path = PACKAGE) -> bytes:
    """The wheel of a directory that is the package stackgen.

    Not compressed: what compression gives depends on the zlib of a machine. WorkError where stackgen runs
    from files that nobody installed.
    """
    described = f"{_NAME}-{__version__}.dist-info"
    members = _modules(package) | {f"{described}/{name}": text for name, text in _described().items()}
    lines = [
        f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in sorted(members.items())
    ]
    record = f"{described}/RECORD"
    members[record] = "".join([*lines, f"{record},,\n"]).encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in sorted(members.items()):
            member = zipfile.ZipInfo(name, _CREATED)
            member.create_system, member.external_attr = 3, 0o100644 << 16  # 3 is Unix
            archive.writestr(member, content)
    return stream.getvalue()


def _modules(package: Path) -> dict[str, bytes]:
    with files.reported("cannot read stackgen's own files"):
        return {
            f"{_NAME}/{path.relative_to(package).as_posix()}": path.read_bytes()
            for path in package.rglob("*")
            if path.is_file() and not _is_left_out(path.relative_to(package))
        }


def _is_left_out(path: Path) -> bool:
    return any(part.startswith(".") or part.endswith(_LEFT_OUT) for part in path.parts)


def _described() -> Mapping[str, bytes]:
    """The metadata without what only people read, which may be older than the package."""
    own = _own_metadata()
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {_NAME}",
        f"Version: {__version__}",
        f"Summary: {own.metadata['Summary']}",
        f"Requires-Python: {own.metadata['Requires-Python']}",
        *(f"Requires-Dist: {line}" for line in requirements()),
    ]
    commands = sorted((entry.name, entry.value) for entry in own.entry_points.select(group="console_scripts"))
    scripts = "[console_scripts]\n" + "".join(f"{name} = {value}\n" for name, value in commands)
    texts = {"METADATA": "\n".join(lines) + "\n", "WHEEL": _WHEEL, "entry_points.txt": scripts}
    return {name: text.encode() for name, text in texts.items()}


def _own_metadata() -> metadata.Distribution:
    try:
        return metadata.distribution(_NAME)
    except metadata.PackageNotFoundError:
        raise WorkError("stackgen runs from files that were not installed", "install it with pip") from None


def _digest(content: bytes) -> str:
    """As RECORD has it (PEP 376)."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
