"""Real Spack finds in a kit all that was collected: sources, patches, resources and commits."""

import os
import subprocess
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
import yaml
from package_index import Index, Server, serving, source_archive

from stackgen.concretize import locked_source
from stackgen.lock import Lock, SpackLock
from stackgen.mirror import IncompleteError, mirror
from stackgen.progress import Silent
from stackgen.run import LoggedRunner, succeed
from stackgen.site import Site
from stackgen.spack import SpackHome, spack_command
from stackgen.spack.driver import Host, Solved, Spack, archive, solve, sources

pytestmark = [pytest.mark.spack, pytest.mark.usefixtures("own_home")]

HERE = Host(os="rhel8", target="x86_64_v2", glibc="2.28")
RECIPE = """\
from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class {name}(Package):
    {body}

    def install(self, spec, prefix):
        mkdirp(prefix.share)
"""
GCC = {
    "buildable": False,
    "externals": [
        {
            "spec": "gcc@11.2.1 languages=c,c++",
            "prefix": "/usr",
            "extra_attributes": {"compilers": {"c": "/usr/bin/gcc", "cxx": "/usr/bin/g++"}},
        }
    ],
}
PATCH = "--- a/README\n+++ b/README\n@@ -1 +1 @@\n-tiny\n+patched\n"


@dataclass(frozen=True)
class Recipes:
    """The recipes of an environment in a directory, as an upstream."""

    directory: Path
    lock: Path
    spack: Spack

    def addresses(self, paths: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        found = sources({"few": self.directory}, {"few": self.lock}, HERE, self.spack)
        return {source.path: source.urls for source in found}

    def archive(self, paths: Collection[str], into: Path) -> Mapping[str, str]:
        return archive({"few": self.directory}, {"few": self.lock}, paths, into, HERE, self.spack)


@pytest.fixture
def offered(tmp_path: Path) -> Iterator[Server]:
    """A server with a source, a resource and a patch, and recipes in `repo` that name them and a commit."""
    files = tmp_path / "makers/files"
    files.mkdir(parents=True)
    (files / "tiny-1.0.tar.gz").write_bytes(source_archive("tiny-1.0", {"README": "tiny\n"}))
    (files / "more-1.0.tar.gz").write_bytes(source_archive("more-1.0", {"MORE": "more\n"}))
    (files / "tiny.patch").write_text(PATCH)
    hashes = {path.name: sha256(path.read_bytes()).hexdigest() for path in files.iterdir()}
    with serving(Index(tmp_path / "makers")) as server:
        at, git = f"{server.address}/files", f'git="{(tmp_path / "cloned").as_uri()}"'
        body = (
            f'url = "{at}/tiny-1.0.tar.gz"\n    version("1.0", sha256="{hashes["tiny-1.0.tar.gz"]}")\n'
            f'    resource(name="more", url="{at}/more-1.0.tar.gz", sha256="{hashes["more-1.0.tar.gz"]}")\n'
            f'    patch("{at}/tiny.patch", sha256="{hashes["tiny.patch"]}")\n'
            f'    resource(name="moving", {git}, branch="main", destination="x")\n'
            '    depends_on("cloned")'
        )
        _recipe(tmp_path / "repo", "tiny", body)
        _recipe(tmp_path / "repo", "cloned", f'{git}\n    version("1.0", commit="{_committed(tmp_path)}")')
        yield server


def _recipe(repo: Path, name: str, body: str) -> None:
    packages = repo / "spack_repo/small/packages"
    (packages / name).mkdir(parents=True)
    (packages / name / "package.py").write_text(RECIPE.format(name=name.title(), body=body))
    (packages.parent / "repo.yaml").write_text("repo: {namespace: small, api: v2.2}\n")


def _committed(place: Path) -> str:
    """The commit of a repository `cloned` with one file."""
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-C", str(place / "cloned")]
    (place / "cloned").mkdir()
    (place / "cloned/README").write_text("cloned\n")
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], check=True, env={"PATH": os.environ["PATH"], "HOME": "/"})
    found = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return found.stdout.strip()


@pytest.fixture
def recipes(offered: Server, spack: SpackHome, tmp_path: Path) -> Recipes:
    """The environment `few`, solved: its lock, and what knows where its sources are."""
    place = tmp_path / "few"
    place.mkdir()
    content = {
        "specs": ["tiny"],
        "view": False,
        "repos": {"small": str(tmp_path / "repo/spack_repo/small")},
        "packages": {"all": {"require": [f"target={HERE.target}"]}, "gcc": GCC},
        "concretizer": {"reuse": False, "targets": {"host_compatible": False}, "unify": True},
    }
    (place / "spack.yaml").write_text(yaml.safe_dump({"spack": content}))
    (tmp_path / "scratch").mkdir()
    tool = Spack(home=spack, run=LoggedRunner(Silent()), scratch=tmp_path / "scratch")
    [answer] = solve({"few": place}, HERE, tool)
    assert isinstance(answer, Solved), answer
    (place / "spack.lock").write_text(answer.lock_text)
    return Recipes(directory=place, lock=place / "spack.lock", spack=tool)


def locked(recipes: Recipes) -> Lock:
    found = sources({"few": recipes.directory}, {"few": recipes.lock}, HERE, recipes.spack)
    listed = tuple(sorted(map(locked_source, found)))
    solved = SpackLock(name="few", text=recipes.lock.read_text(), sources=listed)
    return Lock(environment="site", inputs={}, spack=(solved,))


def collected(recipes: Recipes, kit: Path) -> Lock:
    lock = locked(recipes)
    mirror({"site": lock}, kit, Site(), recipes.spack.run, Silent(), upstream=recipes)
    return lock


def test_spack_takes_everything_from_a_kit(offered: Server, recipes: Recipes, tmp_path: Path):
    lock = collected(recipes, tmp_path / "kit")
    kinds = [(one.package, one.kind, one.name, bool(one.commit)) for one in lock.spack[0].sources]
    assert kinds == [
        ("cloned", "source", "cloned", True),
        ("tiny", "patch", "tiny.patch", False),
        ("tiny", "resource", "cloned", False),
        ("tiny", "resource", "more-1.0.tar.gz", False),
        ("tiny", "source", "tiny-1.0.tar.gz", False),
    ]
    (tmp_path / "cloned").rename(tmp_path / "gone")
    asked = len(offered.manners.asked)
    settings = yaml.safe_load((recipes.directory / "spack.yaml").read_text())
    settings["spack"]["mirrors"] = {"kit": (tmp_path / "kit/sources").as_uri()}
    (recipes.directory / "spack.yaml").write_text(yaml.safe_dump(settings))
    words = ("-e", str(recipes.directory), "stage")
    command = spack_command(
        recipes.spack.home, words, scopes=None, scratch=tmp_path / "far", directory=recipes.directory
    )
    succeed(recipes.spack.run, command, "staging failed")
    staged = [path for path in (tmp_path / "far/cache/stage").rglob("*") if path.is_file()]
    texts = {path.read_text() for path in staged if path.name in {"README", "MORE", "tiny.patch"}}
    assert texts == {"tiny\n", "more\n", "cloned\n", PATCH}
    assert len(offered.manners.asked) == asked


def test_what_git_cannot_fetch_is_told_with_its_reason(recipes: Recipes, tmp_path: Path):
    (tmp_path / "cloned").rename(tmp_path / "gone")
    with pytest.raises(IncompleteError) as caught:
        collected(recipes, tmp_path / "kit")
    rows = caught.value.lacking
    assert [(row.package, row.file) for row in rows] == [("cloned 1.0", "cloned"), ("tiny 1.0", "cloned")]
    assert all(row.reasons[0].startswith("fatal: ") for row in rows)
