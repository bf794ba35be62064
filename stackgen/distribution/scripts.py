"""What maintainer scripts would do and an image needs, read from them; none of them runs."""

import io
import re
import shlex
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stackgen.rootfs.deb import control_archive
from stackgen.rootfs.sources import Deb
from stackgen.rootfs.unpacked import Unpacked, sound

_LARGEST = 2**20
"""Bytes; the longest script of a distribution has a tenth of it."""
_ALTERNATIVES = re.compile(r"(?:^|[\s;&|])update-alternatives\s([^;&|\n]*)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Alternative:
    """One program or library that may be what a name stands for."""

    priority: int
    link: str
    """The name by which it is started or loaded, as an absolute path."""
    path: str
    """What the name would stand for."""


def chosen(packages: Iterable[Deb]) -> dict[str, str]:
    """What each name stands for that several packages may bring: of the highest priority, the first.

    Scripts that compute their names are passed over.
    """
    found: dict[str, Alternative] = {}
    for package in packages:
        for one in alternatives(after_unpacking(package)):
            if one.link not in found or one.priority > found[one.link].priority:
                found[one.link] = one
    return {link: found[link].path for link in sorted(found)}


def alternatives(script: str) -> Iterator[Alternative]:
    """What a script tells `update-alternatives` to install, with what goes along."""
    for call in _ALTERNATIVES.finditer(script.replace("\\\n", " ")):
        try:
            words = shlex.split(call[1], comments=True)
        except ValueError:
            continue
        if "--install" in words:
            yield from _installed(words[words.index("--install") + 1 :])


def _installed(words: list[str]) -> Iterator[Alternative]:
    match words:
        case [link, _, path, priority, *rest] if priority.removeprefix("-").isdigit():
            yield from _plain(int(priority), link, path)
            while rest[:1] == ["--slave"] and len(rest) >= 4:
                yield from _plain(int(priority), rest[1], rest[3])
                rest = rest[4:]


def _plain(priority: int, link: str, path: str) -> Iterator[Alternative]:
    """Nothing where the script would compute one of the paths."""
    if all(text.startswith("/") and not set(text) & set("$`*?(){}") for text in (link, path)):
        yield Alternative(priority=priority, link=link, path=path)


def after_unpacking(package: Deb) -> str:
    """The script to run once a package is unpacked; empty where it has none, WorkError where it is broken."""
    with sound(f"package {package.name}"), control_archive(package)() as stream:
        unpacked = Unpacked(stream)
        unpacked.allowance = 16 * _LARGEST
        content = b"".join(iter(lambda: unpacked.read(_LARGEST), b""))
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            for member in archive:
                if member.name.removeprefix("./") == "postinst" and member.size <= _LARGEST:
                    script = archive.extractfile(member)
                    return script.read().decode(errors="replace") if script else ""
    return ""
