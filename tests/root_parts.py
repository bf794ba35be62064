"""Layers and Debian packages of a few members, for tests of root file systems."""

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Iterable
from typing import BinaryIO

from backports import zstd

from stackgen.rootfs import Layer, Opener, RootFs

Part = tuple[tarfile.TarInfo, bytes]


def tar(
    name: str,
    content: bytes = b"",
    *,
    target: str = "",
    hard: str = "",
    mode: int = 0,
    seconds: int = 0,
    kind: bytes = b"",
) -> Part:
    """A member: a directory where the name ends with `/`, a link where it has a target."""
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.linkname = len(content), seconds, target or hard
    if kind:
        member.type = kind
    elif target or hard:
        member.type = tarfile.SYMTYPE if target else tarfile.LNKTYPE
    elif name.endswith("/"):
        member.type = tarfile.DIRTYPE
    member.mode = mode or (0o755 if member.isdir() else 0o644)
    return member, content


def packed(content: bytes, packing: str) -> bytes:
    """As `gz`, `xz`, `zst`, `bz2` or nothing."""
    how = {"gz": gzip.compress, "xz": lzma.compress, "zst": zstd.compress, "bz2": bz2.compress, "": bytes}
    return how[packing](content)


def archive(*members: Part, form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar archive."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form, errors="surrogateescape") as target:
        for member, content in members:
            target.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def layer(*members: Part, name: str = "layer 1", packing: str = "", diff_id: str = "") -> Layer:
    """A layer of an image."""
    content = packed(archive(*members), packing)
    return Layer(name=name, open=lambda: io.BytesIO(content), diff_id=diff_id)


def deb(packing: str, *members: Part) -> Opener:
    """A Debian package."""
    content = b"!<arch>\n"
    for name, part in (
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", b"odd"),
        (f"data.tar.{packing}".rstrip("."), packed(archive(*members), packing)),
    ):
        content += f"{name:16}{0:<12}{0:<6}{0:<6}{'100644':8}{len(part):<10}`\n".encode()
        content += part + b"\n" * (len(part) % 2)

    def opened() -> BinaryIO:
        return io.BytesIO(content)

    return opened


def described(root: RootFs) -> list[str]:
    """Each entry on a line: mode, path, size; or what a link says."""
    return list(_lines(root))


def _lines(root: RootFs) -> Iterable[str]:
    for entry in root:
        if entry.target:
            yield f"{entry.path} -> {entry.target}"
        else:
            size = f" {entry.size}" if entry.kind == "file" else ""
            yield f"{entry.mode:04o} {entry.path}{size}"
