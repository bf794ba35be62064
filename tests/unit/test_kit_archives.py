"""Spack's archives in a kit: what is pinned, the same bytes every time, made once."""

import dataclasses
import gzip
import io
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from stackgen.errors import WorkError
from stackgen.kit.archives import archive, spack_archives
from stackgen.mirror import keep
from stackgen.pins import Pin, Pins
from stackgen.progress import Silent
from stackgen.spack import SpackHome
from stackgen.spack.archives import unpack
from stackgen.spack.content import count, tree_digest


def pin(name: str, tree: Path, sign: str) -> Pin:
    return Pin(
        name=name,
        version="1.0",
        commit="ab" * 20,
        address="",
        tag="",
        below="",
        tree=tree_digest(tree),
        files=count(tree),
        sign=sign,
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A bootstrapped Spack and its packages, small."""
    place = tmp_path / "place"
    for path in ("spack/bin/spack", "spack/lib/one.py", "packages/spack_repo/builtin/repo.yaml"):
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(path)
    (place / "spack/bin/spack").chmod(0o555)
    (place / "spack/link").symlink_to("lib/one.py")
    (place / "spack/directory").symlink_to("lib")
    (place / "spack/lib/__pycache__").mkdir()
    (place / "spack/lib/__pycache__/one.pyc").write_text("")
    return place


@pytest.fixture
def pins(place: Path) -> Pins:
    return Pins(
        spack=pin("spack", place / "spack", "bin/spack"),
        packages=pin("packages", place / "packages", "spack_repo/builtin/repo.yaml"),
    )


@pytest.fixture
def home(place: Path) -> SpackHome:
    return SpackHome(spack=place / "spack", packages=place / "packages/spack_repo/builtin")


def test_what_is_unpacked_is_what_is_pinned(place: Path, pins: Pins, tmp_path: Path):
    path = tmp_path / "spack-1.0.tar.gz"
    path.write_bytes(archive(place / "spack", pins.spack))
    assert unpack(path, pins.spack, tmp_path / "tree")
    assert tree_digest(tmp_path / "tree") == pins.spack.tree
    with tarfile.open(path) as source:
        assert sorted(source.getnames()) == [
            f"spack-1.0/{name}" for name in ("bin/spack", "directory", "lib/one.py", "link")
        ]
        assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in source} == {(0, 0, "", "", 315532800)}


def test_the_same_bytes_every_time(place: Path, pins: Pins, tmp_path: Path):
    made = archive(place / "spack", pins.spack)
    shutil.copytree(place, tmp_path / "other", symlinks=True)
    for path in (tmp_path / "other").rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    assert archive(tmp_path / "other/spack", pins.spack) == made


def test_an_altered_spack_makes_none(place: Path, pins: Pins):
    (place / "spack/lib/one.py").write_text("two")
    with pytest.raises(WorkError) as caught:
        archive(place / "spack", pins.spack)
    assert str(caught.value) == (
        f"{place}/spack was altered: some of its 4 files are not those of Spack 1.0;"
        f" remove {place}, and run `stackgen bootstrap`"
    )


def test_what_a_kit_has_is_not_made_again(place: Path, pins: Pins, home: SpackHome, tmp_path: Path):
    kit = tmp_path / "kit"
    first = spack_archives(kit, home, Silent(), pins)
    assert sorted(path.rpartition("/")[2] for path in first) == ["packages-1.0.tar.gz", "spack-1.0.tar.gz"]
    keep(kit, first, ("one",), Silent())
    shutil.rmtree(place)
    second = spack_archives(kit, home, Silent(), pins)
    assert second == {path: kit / path for path in first}


def test_the_archive_of_another_commit_or_an_altered_one_is_not_taken(place, pins, home, tmp_path):
    kit = tmp_path / "kit"
    first = spack_archives(kit, home, Silent(), pins)
    keep(kit, first, ("one",), Silent())
    spack = next(path for path in first if path.endswith("/spack-1.0.tar.gz"))
    newer = dataclasses.replace(pins, spack=dataclasses.replace(pins.spack, commit="cd" * 20))
    again = spack_archives(kit, home, Silent(), newer)
    assert spack not in again
    (kit / spack).write_bytes(b"nothing")
    assert isinstance(spack_archives(kit, home, Silent(), pins)[spack], bytes)


def bomb(kind: bytes) -> bytes:
    """An archive that declares a name of a GiB, 1 MB packed."""
    header = tarfile.TarInfo("spack-1.0/x")
    header.type, header.size = kind, 2**30
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=1) as packed:
        packed.write(header.tobuf(tarfile.GNU_FORMAT))
        for _ in range(64):
            packed.write(bytes(2**20))
    return stream.getvalue()


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_bomb_of_a_name_is_not_read(kind: bytes, pins: Pins, tmp_path: Path):
    path = tmp_path / "spack-1.0.tar.gz"
    path.write_bytes(bomb(kind))
    with pytest.raises(WorkError) as caught:
        unpack(path, pins.spack, tmp_path / "tree")
    assert str(caught.value) == (
        f"{path} is not a whole archive (a name or an attribute of 1073741824 bytes); copy it again"
    )
