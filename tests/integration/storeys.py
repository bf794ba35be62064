"""A site's stack of made-up packages, by a stackgen that has their recipes, and users who build upon it."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from desk import Desk
from made_up import PACKAGES, SYSTEM, recipe

import stackgen
from stackgen import files
from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner, Outcome
from stackgen.spack import find_spack
from stackgen.tree import Tree

USER = 65534
"""Who builds upon the site, which is root's."""
_MADE = re.compile(r"^\d+ of \d+: (\S+) (built in|taken from)", re.MULTILINE)
_AS_USER = (
    f'mount --bind "$1" "$2" && shift 2 && exec setpriv --reuid={USER} --regid={USER} --clear-groups "$@"'
)
"""Spack lies in root's home, where nobody else may look: so it is shown elsewhere, to this process alone."""
MORE = Tree(recipe("pebble", "0.3", '"mpi"', '"greeting"', summary="A stone that only users have."))


@dataclass(frozen=True)
class Storeys(Desk):
    """A directory with the site's environment, its prefix, and what users write beside."""

    @property
    def site(self) -> Path:
        return self.directory / "site"

    @property
    def user(self) -> Path:
        """The user's home."""
        return self.directory / "user"

    def prepare(self) -> None:
        """Put a stackgen there that has the recipes, and the site's files."""
        ignored = shutil.ignore_patterns("__pycache__")
        copy = self.directory / "tools/stackgen"
        shutil.copytree(Path(stackgen.__file__).parent, copy, ignore=ignored)
        files.write_tree((PACKAGES | MORE).below("spack_repo/stackgen/packages"), copy / "recipes")
        self.write("systems/here.yaml", yaml.safe_dump(SYSTEM))
        (self.directory / "spack").mkdir()
        pip = Path(super().environment().get("PIP_CONFIG_FILE", os.devnull))
        self.write("pip.conf", pip.read_text())

    def environment(self) -> dict[str, str]:
        """The same for all: what this machine needs lies where everybody may read."""
        own = {
            "PYTHONPATH": str(self.directory / "tools"),
            "PIP_CONFIG_FILE": str(self.directory / "pip.conf"),
            "XDG_CACHE_HOME": str(self.directory / "cache"),
        }
        return {**super().environment(), **own}

    def users(self) -> dict[str, str]:
        """What a user has of it."""
        return {
            **self.environment(),
            "STACKGEN_SPACK": str(self.directory / "spack"),
            "HOME": str(self.directory / "user"),
            "XDG_CACHE_HOME": str(self.directory / "user/cache"),
        }

    def publish(self, release: str, *packages: str, six: str = "1.16.0") -> None:
        """Build and publish a release of the site."""
        asked = {
            "name": "site",
            "release": release,
            "system": "here",
            "prefix": str(self.site),
            "toolchain": {"compiler": "gcc@12.2.0", "mpi": "openmpi@4.1.4"},
            "packages": list(packages),
            "frameworks": {"six": {"from": "wheels", "version": six}},
        }
        self.write("site.yaml", yaml.safe_dump(asked))
        done = self("lock", "site.yaml")
        assert done.status == 0, done.stderr
        done = self("build", "site.yaml")
        assert done.status == 0, done.stderr

    def ask(self, name: str, *packages: str, release: str = "1", **frameworks: str) -> Path:
        """A user's environment over the site's stack."""
        asked = {
            "name": name,
            "release": release,
            "extends": str(self.site),
            "prefix": str(self.directory / "user" / name),
            "packages": list(packages),
            "frameworks": {
                key: {"from": "wheels", "version": version} for key, version in frameworks.items()
            },
        }
        path = self.write(f"user/{name}.yaml", yaml.safe_dump(asked))
        os.chown(path.parent, USER, USER)
        return path

    def as_user(self, *words: str) -> Outcome:
        """Run `stackgen` in the user's home, as the user."""
        return LoggedRunner(Silent())(
            Command(
                argv=(*self._as_user, sys.executable, "-m", "stackgen", *words),
                environment=self.users(),
                directory=self.directory / "user",
                timeout=300,
            )
        )

    @property
    def _as_user(self) -> tuple[str, ...]:
        places = (str(find_spack().spack.parent), str(self.directory / "spack"))
        return ("unshare", "--mount", "--propagation=private", "sh", "-c", _AS_USER, "sh", *places)

    def looks(self) -> dict[str, tuple[int, ...]]:
        """All that lies in the site, with what tells whether it was touched."""
        found = {}
        for path in (self.site, *sorted(self.site.rglob("*"))):
            status = path.lstat()
            found[str(path)] = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_mode)
        return found


def compiled(outcome: Outcome) -> list[str]:
    """The packages that Spack has built or taken from a cache, sorted."""
    return sorted(found[0] for found in _MADE.findall(outcome.stderr))


@pytest.fixture(scope="module")
def storeys(spack: object, index: object) -> Iterator[Storeys]:
    """A site with one release; tests of one module share it."""
    if os.geteuid():
        pytest.skip("only root can start users")
    with TemporaryDirectory(prefix="stackgen-storeys-") as directory:
        Path(directory).chmod(0o755)  # what pytest makes is root's alone
        made = Storeys(Path(directory))
        made.prepare()
        made.publish("2026.11", "greeting", "answer")
        yield made
