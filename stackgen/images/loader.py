"""Which libraries a file would load on this machine, and where they lie."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stackgen.images.elf import Elf, elf_of, is_of_glibc
from stackgen.run import Command, Runner

_ENTRY = re.compile(r"^\s+(\S+) \(.*\) => (/\S+)$", flags=re.MULTILINE)
_USUAL = tuple(map(Path, ("/lib64", "/usr/lib64", "/lib", "/usr/lib")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A library of this machine, by the name that somebody asks for."""

    name: str
    path: Path
    elf: Elf


@dataclass(frozen=True, slots=True, kw_only=True)
class Loader:
    """This machine's, as far as it can be foreseen."""

    cached: Mapping[str, tuple[Path, ...]]
    """What `ldconfig` knows, by name."""
    directories: tuple[Path, ...] = ()
    """Where it looks before, as LD_LIBRARY_PATH has it."""
    _read: dict[Path, Elf | None] = field(default_factory=dict)

    def elf(self, path: Path) -> Elf | None:
        """What a file says, read once."""
        if path not in self._read:
            self._read[path] = elf_of(path)
        return self._read[path]

    def find(self, name: str, asking: Elf, directory: Path) -> Library | None:
        """The library of a name that a file in a directory would get; None where there is none."""
        for path in self._candidates(name, asking, directory):
            found = self.elf(path)
            if found and found.machine == asking.machine:
                return Library(name=name, path=path, elf=found)
        return None

    def _candidates(self, name: str, asking: Elf, directory: Path) -> Iterable[Path]:
        if "/" in name:
            return (Path(name),)
        own = searched(asking, directory)
        before = (place / name for place in (*own, *self.directories))
        return (*before, *self.cached.get(name, ()), *(place / name for place in _USUAL))

    def closure(self, roots: Iterable[Library]) -> dict[str, Library]:
        """The libraries with all that they load, by name, glibc's left out; each name is found once.

        What is not there is not there outside of an image either.
        """
        found: dict[str, Library] = {}
        waiting = list(roots)
        while waiting:
            library = waiting.pop(0)
            if library.name in found:
                continue
            found[library.name] = library
            for name in library.elf.needed:
                if name not in found and not is_of_glibc(name):
                    below = self.find(name, library.elf, library.path.resolve().parent)
                    waiting += [below] if below else []
        return found

    def library(self, path: Path) -> Library | None:
        """The library in a file, by the name that others ask for it; None where the file holds none."""
        elf = self.elf(path)
        return Library(name=elf.soname or path.name, path=path, elf=elf) if elf else None


def searched(elf: Elf, directory: Path) -> tuple[Path, ...]:
    """Where a file itself says that its libraries are, the file lying in a directory."""
    own = str(directory)
    filled = (text.replace("${ORIGIN}", own).replace("$ORIGIN", own) for text in elf.search)
    return tuple(Path(os.path.normpath(text)) for text in filled if text.startswith("/"))


def loader_here(run: Runner, directories: tuple[Path, ...] = ()) -> Loader:
    """The loader of this machine."""
    command = Command(
        argv=("ldconfig", "-p"),
        environment={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin", "LC_ALL": "C"},
        directory=Path("/"),
    )
    outcome = run(command)
    cached: dict[str, tuple[Path, ...]] = {}
    for name, path in _ENTRY.findall(outcome.stdout):
        cached[name] = (*cached.get(name, ()), Path(path))
    return Loader(cached=cached, directories=directories)
