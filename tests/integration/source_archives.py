"""The sources of environments/proof.yaml as a site may have them: under Debian's names, or the index's."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from stackgen import files
from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner, succeed

DEBIAN: Mapping[str, tuple[str, ...]] = {
    "bookworm": ("bzip2", "examl", "libaio", "lz4", "tree", "xxhash", "zip", "zopfli"),
    "trixie": ("armci-mpi",),
}
"""Debian's source packages whose archives are those of Spack's recipes, by release."""
SDISTS = ("coverage==7.10.7",)
WHEELS = ("pip==25.1.1", "setuptools==80.9.0", "wheel==0.45.1")
"""What Spack builds Python packages with."""

_COMPLETE = "complete"
_RUN = LoggedRunner(Silent())


def sources() -> Path:
    """A directory with all of them, kept for the next run; skips with the reason where they cannot be had."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stackgen-tests/sources"
    cache.mkdir(parents=True, exist_ok=True)
    with files.exclusive(cache, Silent()):
        if not (cache / _COMPLETE).exists():
            _debian(cache)
            _index(cache)
            (cache / _COMPLETE).touch()
    return cache


def _debian(cache: Path) -> None:
    if not shutil.which("apt-get"):
        pytest.skip("the sources of the proof come from Debian's archives, and there is no apt-get here")
    apt = cache.parent / "apt"
    (apt / "lists/partial").mkdir(parents=True, exist_ok=True)
    (apt / "archives/partial").mkdir(parents=True, exist_ok=True)
    (apt / "source.list").write_text("\n".join(_lines()) + "\n", encoding="utf-8")
    (apt / "apt.conf").write_text(
        f'Dir::Etc::SourceList "{apt}/source.list";\nDir::Etc::SourceParts "-";\n'
        f'Dir::State::Lists "{apt}/lists";\nDir::Cache "{apt}";\nAPT::Sandbox::User "";\n',
        encoding="utf-8",
    )
    _ran(cache, "apt-get", "update", "-qq", APT_CONFIG=str(apt / "apt.conf"))
    named = [f"{name}/{release}" for release, names in DEBIAN.items() for name in names]
    words = ("apt-get", "source", "-qq", "--download-only", "--tar-only", *named)
    _ran(cache, *words, APT_CONFIG=str(apt / "apt.conf"))


def _lines() -> Iterator[str]:
    """Where this machine's Debian comes from, asked for sources."""
    told = _ran(Path("/"), "apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)")
    places = {place for place, release in map(str.split, told.splitlines()) if release in DEBIAN}
    if not places:
        pytest.skip("the sources of the proof come from Debian's archives, and apt has none of them here")
    for place in sorted(places):
        yield from (f"deb-src {place} {release} main" for release in DEBIAN)


def _index(cache: Path) -> None:
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache))
    _ran(cache, *pip, "--no-binary", ":all:", *SDISTS)
    _ran(cache, *pip, "--only-binary", ":all:", *WHEELS)


def _ran(directory: Path, *words: str, **more: str) -> str:
    """What a program prints, with all that leads to the archives and the index on this machine."""
    command = Command(argv=words, environment={**os.environ, **more}, directory=directory, timeout=300)
    return succeed(_RUN, command, f"{words[0]} failed").stdout
