"""Spack out of a kit: from there alone, verified as ever, and where stackgen looks for it."""

import dataclasses
import sys
from pathlib import Path

import pytest

from stackgen.bootstrap import bootstrap, spack_from, verify
from stackgen.errors import WorkError
from stackgen.kit.archives import spack_archives
from stackgen.mirror import keep
from stackgen.pins import PINS, Pin, Pins
from stackgen.progress import Silent
from stackgen.spack import SpackHome
from stackgen.spack.archives import unpack
from stackgen.spack.content import count, tree_digest
from stackgen.spack.home import chosen_by, shared_place, spack_place

PROGRAM = """\
import os, pathlib
cache = pathlib.Path(os.environ["SPACK_USER_CACHE_PATH"], "cache/providers")
cache.mkdir(parents=True)
(cache / "index.json").write_text("{}")
"""


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A Spack and its packages, small, as a bootstrapped one has them."""
    origin = tmp_path / "origin"
    texts = {
        "spack/bin/spack": PROGRAM,
        "spack/lib/one.py": "one = 1\n",
        "packages/spack_repo/builtin/repo.yaml": "repo: {}\n",
    }
    for path, text in texts.items():
        (origin / path).parent.mkdir(parents=True, exist_ok=True)
        (origin / path).write_text(text)
    return origin


@pytest.fixture
def pins(origin: Path) -> Pins:
    def pin(name: str, sign: str) -> Pin:
        return Pin(
            name=name,
            version="1.0",
            commit="ab" * 20,
            address="file:///nobody/is/asked",
            tag="v1",
            below="",
            tree=tree_digest(origin / name),
            files=count(origin / name),
            sign=sign,
        )

    return Pins(spack=pin("spack", "bin/spack"), packages=pin("packages", "spack_repo/builtin/repo.yaml"))


@pytest.fixture
def kit(origin: Path, pins: Pins, tmp_path: Path) -> Path:
    home = SpackHome(spack=origin / "spack", packages=origin / "packages/spack_repo/builtin")
    keep(tmp_path / "kit", spack_archives(tmp_path / "kit", home, Silent(), pins), ("one",), Silent())
    return tmp_path / "kit"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("STACKGEN_SPACK", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_a_build_takes_it_from_the_kit_once(kit: Path, pins: Pins, run, tmp_path: Path):
    place = tmp_path / "home/.local/share/stackgen/spack" / pins.digest
    home = spack_from(kit, run, Silent(), pins)
    assert home.spack == place / "spack"
    verify(place, pins)
    for path in kit.rglob("*.tar.gz"):
        path.unlink()
    assert spack_from(kit, run, Silent(), pins) == home


def test_a_kit_without_it_asks_nobody(kit: Path, pins: Pins, run, tmp_path: Path):
    next(kit.rglob("packages-*.tar.gz")).unlink()
    with pytest.raises(WorkError) as caught:
        spack_from(kit, run, Silent(), pins)
    assert str(caught.value) == (
        f"Spack's packages 1.0 is not in {kit};"
        " run `stackgen bootstrap`, or `stackgen mirror create` for the kit where Spack is"
    )
    assert not spack_place(pins).exists()


def test_a_damaged_and_another_one(kit: Path, pins: Pins, run, origin: Path, tmp_path: Path):
    archive = next(kit.rglob("spack-*.tar.gz"))
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WorkError) as caught:
        spack_from(kit, run, Silent(), pins)
    assert str(caught.value).startswith(f"{archive} is not a whole archive (")
    archive.write_bytes(whole)
    other = dataclasses.replace(pins, spack=dataclasses.replace(pins.spack, tree="0" * 40))
    with pytest.raises(WorkError) as refused:
        spack_from(kit, run, Silent(), other)
    assert str(refused.value) == (
        "what was given is not Spack 1.0: some of its 2 files are not those of Spack 1.0;"
        " name a whole and unaltered copy, or none, by --from"
    )


def test_where_it_is_looked_for(kit: Path, pins: Pins, run, tmp_path: Path, monkeypatch):
    own = tmp_path / "home/.local/share/stackgen/spack" / pins.digest
    prefix = tmp_path / "opt/versions/1"
    prefix.mkdir(parents=True)
    (tmp_path / "opt/share").mkdir()
    (prefix / "share").symlink_to("../../share")
    monkeypatch.setattr(sys, "prefix", str(prefix))
    assert (spack_place(pins), chosen_by(own, pins)) == (own, "your own")
    shared = tmp_path / "opt/share/stackgen/spack" / pins.digest
    assert shared_place(pins) == shared
    bootstrap((str(kit),), shared, run, Silent(), pins, offline=True)
    assert (spack_place(pins), chosen_by(shared, pins)) == (shared, "beside stackgen")
    monkeypatch.setenv("STACKGEN_SPACK", str(tmp_path / "named"))
    assert spack_place(pins) == tmp_path / "named"
    assert chosen_by(tmp_path / "named", pins) == "as STACKGEN_SPACK says"


@pytest.mark.spack
def test_the_real_archives_hold_what_is_pinned(spack: SpackHome, tmp_path: Path):
    kit = tmp_path / "kit"
    made = spack_archives(kit, spack, Silent())
    assert {path.rpartition("/")[2] for path in made} == {
        f"spack-{PINS.spack.version}.tar.gz",
        f"packages-{PINS.packages.version}.tar.gz",
    }
    assert sum(map(len, made.values())) < 15e6
    keep(kit, made, ("one",), Silent())
    assert spack_archives(kit, spack, Silent()) == {path: kit / path for path in made}
    for path in made:
        pin = PINS.spack if "/spack-" in path else PINS.packages
        assert unpack(kit / path, pin, tmp_path / pin.name)
        assert tree_digest(tmp_path / pin.name) == pin.tree
