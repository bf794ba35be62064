"""What a program or a library says to the loader, read from its file."""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import Dynamic
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection, GNUVerNeedSection
from packaging.version import Version

_MAGIC = b"\x7fELF"
_MOST = 10_000
"""Sections, segments and versions of a file; what counts more is damaged."""
_DAMAGED = (ELFError, ValueError, KeyError, AssertionError, OverflowError)
"""What pyelftools raises of files that are."""
_GLIBC = re.compile(r"GLIBC_(\d+(?:\.\d+)+)")
_OF_GLIBC = re.compile(
    r"(ld-linux|ld64|ld-[0-9]|libnss_|lib(c|m|mvec|dl|rt|pthread|util|resolv|anl|thread_db|BrokenLocale)[.-])"
    r"|libnsl\.so\.1$"
)

_Entry = TypeVar("_Entry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Elf:
    """What the loader reads of a file."""

    machine: str
    """As EM_X86_64, with the bits of an address."""
    soname: str
    """Empty where it has none."""
    needed: tuple[str, ...]
    search: tuple[str, ...]
    """Where it looks for them, `$ORIGIN` and all."""
    asks: Mapping[str, frozenset[str]]
    """Versions that it needs, by the library that has to offer them."""
    offers: frozenset[str]

    @property
    def glibc(self) -> Version:
        """The newest glibc that it needs something of; 0 where it needs none."""
        return newest_glibc(version for asked in self.asks.values() for version in asked)


def newest_glibc(versions: Iterable[str]) -> Version:
    """Of names like GLIBC_2.34, the newest; 0 where there is none."""
    found = (match[1] for version in versions if (match := _GLIBC.fullmatch(version)))
    return max(map(Version, found), default=Version("0"))


def is_of_glibc(name: str) -> bool:
    """Whether a library belongs to glibc, and so has to fit the loader and the distribution."""
    return bool(_OF_GLIBC.match(name))


def elf_of(path: Path) -> Elf | None:
    """What a file of this machine says; None where it is no ELF file, or cannot be read."""
    try:
        with path.open("rb") as stream:
            return read_elf(stream)
    except OSError:
        return None


def elf_in(content: bytes) -> Elf | None:
    """What the content of a file says; None where it is no ELF file."""
    return read_elf(io.BytesIO(content))


def read_elf(stream: BinaryIO) -> Elf | None:
    """What an open file says; None where it is no ELF file that can be read."""
    if stream.read(len(_MAGIC)) != _MAGIC:
        return None
    try:
        return _read(ELFFile(stream))
    except _DAMAGED:  # or of no machine that is known
        return None


def _read(file: ELFFile) -> Elf:
    if max(file.num_sections(), file.num_segments()) > _MOST:
        raise ValueError(f"more than {_MOST} parts")
    needed, search, soname = [], "", ""
    for tag in _tags(file):
        match tag.entry.d_tag:
            case "DT_NEEDED":
                needed.append(str(tag.needed))
            case "DT_SONAME":
                soname = str(tag.soname)
            case "DT_RUNPATH":
                search = str(tag.runpath)
            case "DT_RPATH":
                search = search or str(tag.rpath)
    return Elf(
        machine=f"{file['e_machine']} {file.elfclass}",
        soname=soname,
        needed=tuple(needed),
        search=tuple(filter(None, search.split(":"))),
        asks=_asks(file),
        offers=_offers(file),
    )


def _tags(file: ELFFile):  # type: ignore[no-untyped-def]  # noqa: ANN202 - pyelftools makes its tags' attributes up
    for segment in file.iter_segments("PT_DYNAMIC"):
        if isinstance(segment, Dynamic):
            yield from segment.iter_tags()


def _asks(file: ELFFile) -> dict[str, frozenset[str]]:
    section = file.get_section_by_name(".gnu.version_r")
    if not isinstance(section, GNUVerNeedSection):
        return {}
    found: dict[str, set[str]] = {}
    entries = ((one, version) for one, versions in _few(section.iter_versions()) for version in versions)
    for library, version in _few(entries):
        found.setdefault(str(library.name), set()).add(str(version.name))
    return {library: frozenset(versions) for library, versions in found.items()}


def _offers(file: ELFFile) -> frozenset[str]:
    section = file.get_section_by_name(".gnu.version_d")
    if not isinstance(section, GNUVerDefSection):
        return frozenset()
    entries = (name for _, names in _few(section.iter_versions()) for name in names)
    return frozenset(str(name.name) for name in _few(entries))


def _few(entries: Iterable[_Entry]) -> Iterator[_Entry]:
    """As they come; ValueError where they are more than can be, as a damaged header may say billions."""
    for number, entry in enumerate(entries):
        if number >= _MOST:
            raise ValueError(f"more than {_MOST} entries")
        yield entry
