"""Spack and its packages as archives: what is pinned and nothing else, the same bytes every time."""

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from stackgen import files
from stackgen.errors import WorkError
from stackgen.mirror import Content
from stackgen.mirror.manifest import read_manifest
from stackgen.pins import PINS, Pin, Pins
from stackgen.progress import Progress
from stackgen.spack.content import difference, paths
from stackgen.spack.home import SpackHome

_CREATED = 315_532_800
"""1980 began, in seconds of Unix: `tar` finds anything older strange."""


def spack_archives(
    kit: Path, home: SpackHome, progress: Progress, pins: Pins = PINS
) -> Mapping[str, Content]:
    """The archives of a bootstrapped Spack by their paths in a kit; those that it has are not made again.

    WorkError where the Spack is not what is pinned.
    """
    found: dict[str, Content] = {}
    for pin in pins:
        path = _kept_archive(kit, pin)
        if path:
            found[path] = kit / path
            continue
        with progress.task(f"archive of {pin.title}", 0):
            content = archive(home.spack.parent / pin.name, pin)
        found[f"spack/{hashlib.sha256(content).hexdigest()}/{_name(pin)}"] = content
    return found


def _name(pin: Pin) -> str:
    return f"{pin.name}-{pin.version}.tar.gz"


def _kept_archive(kit: Path, pin: Pin) -> str:
    """The path of the archive of a pin in a kit that has one, whole; else empty."""
    for entry in read_manifest(kit).files:
        named = f"spack/{entry.sha256}/{_name(pin)}"
        if entry.path == named and _commit(kit / named) == pin.commit:
            return named
    return ""


def _commit(archive: Path) -> str:
    """The commit that an archive says to be of; empty where it says none, or is none."""
    with suppress(OSError, EOFError, tarfile.TarError, ValueError), tarfile.open(archive, "r|gz") as source:
        return source.pax_headers.get("comment", "")
    return ""


def archive(tree: Path, pin: Pin) -> bytes:
    """The archive of a directory; WorkError where that is not what is pinned."""
    differs = difference(tree, pin)
    if differs:
        place = tree.parent
        raise WorkError(f"{tree} was altered: {differs}", f"remove {place}, and run `stackgen bootstrap`")
    stream = io.BytesIO()
    with (
        files.reported(f"cannot read {tree}"),
        gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as packed,
        tarfile.open(
            fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT, pax_headers={"comment": pin.commit}
        ) as target,
    ):
        for path in sorted(os.path.relpath(path, tree) for path in paths(tree)):
            _add(target, tree / path, f"{pin.name}-{pin.version}/{path}")
    return stream.getvalue()


def _add(target: tarfile.TarFile, path: Path, name: str) -> None:
    member = tarfile.TarInfo(name)
    member.mtime, member.mode = _CREATED, 0o644
    if path.is_symlink():
        member.type, member.linkname = tarfile.SYMTYPE, os.readlink(path)  # noqa: PTH115
        target.addfile(member)
        return
    content = path.read_bytes()
    member.size = len(content)
    member.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
    target.addfile(member, io.BytesIO(content))
