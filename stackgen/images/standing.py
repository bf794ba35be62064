"""What the distribution below a framework brings, as the loader inside sees it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from packaging.version import Version

from stackgen.images.elf import Elf, elf_in, newest_glibc
from stackgen.rootfs import Kind, RootFs

_MULTIARCH = {
    "x86_64": "x86_64-linux-gnu",
    "aarch64": "aarch64-linux-gnu",
    "ppc64le": "powerpc64le-linux-gnu",
}
_MACHINES = {"x86_64": "EM_X86_64 64", "aarch64": "EM_AARCH64 64", "ppc64le": "EM_PPC64 64"}
_C_LIBRARY = "libc.so.6"
_LARGEST = 2**26
"""Bytes; no library of a distribution that others ask for is larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The libraries of an image but for those that are put there from this machine."""

    title: str
    """What messages call it, such as debian:12."""
    remedy: str = ""
    """What to do where it is too old."""
    libraries: Mapping[str, Elf] = field(default_factory=dict)
    """By the name that programs ask for."""

    def offers(self, name: str, versions: Iterable[str]) -> bool:
        """Whether it has a library, and all the versions that somebody needs of it."""
        return name in self.libraries and self.libraries[name].offers.issuperset(versions)

    @property
    def glibc(self) -> Version:
        """Its glibc; 0 where it has none."""
        found = self.libraries.get(_C_LIBRARY)
        return newest_glibc(found.offers) if found else Version("0")


def libraries_of(
    inside: RootFs,
    architecture: str,
    directories: Iterable[str] = (),
    names: Collection[str] | None = None,
) -> Mapping[str, Elf]:
    """What a root file system has where the loader looks, first of all in further directories.

    Only of these names, and of glibc's, where some are given.
    """
    triplet = _MULTIARCH.get(architecture, "")
    own = (f"/lib/{triplet}", f"/usr/lib/{triplet}") if triplet else ()
    places = (*directories, "/usr/local/lib", *own, "/lib64", "/usr/lib64", "/lib", "/usr/lib")
    paths = [
        f"{place}/{name}"
        for place in places
        for name in inside.names(place)
        if ".so" in name and (names is None or name in {*names, _C_LIBRARY}) and _is_read(inside, place, name)
    ]
    contents = inside.read(paths)
    libraries: dict[str, Elf] = {}
    for path in paths:
        elf = elf_in(contents[path]) if path in contents else None
        if elf and _MACHINES.get(architecture, elf.machine) == elf.machine:
            libraries.setdefault(path.rpartition("/")[2], elf)
    return libraries


def _is_read(inside: RootFs, place: str, name: str) -> bool:
    entry = inside.look(f"{place}/{name}")
    return entry is not None and entry.kind == Kind.FILE and entry.size <= _LARGEST
