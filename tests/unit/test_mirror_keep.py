"""Files that stackgen makes itself, put into a kit: shared, replaced, never written outside."""

import hashlib
import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from stackgen.errors import InputError
from stackgen.lock.pylock import pylock_text
from stackgen.mirror import keep, verify
from stackgen.mirror.manifest import read_manifest
from stackgen.progress import Silent

ARCHIVE = b"an archive"
SHA = hashlib.sha256(ARCHIVE).hexdigest()


def needs(root: Path) -> dict[str, tuple[str, ...]]:
    return {entry.path: entry.needed_by for entry in read_manifest(root).files}


def test_what_is_kept_is_whole_and_in_the_manifest(tmp_path):
    source = tmp_path / "spack-1.1.0.tar.gz"
    source.write_bytes(ARCHIVE)
    contents = {
        "README": b"read me\n",
        f"spack/{SHA}/spack-1.1.0.tar.gz": source,
        "environments/hal.yaml": b"name: hal\n",
        "environments/checks/hal.py": b"import hal\n",
        "tools/x86_64-2.28-3.9.toml": pylock_text((), "3.9").encode(),
    }
    keep(tmp_path / "kit", contents, {"hal"}, Silent())
    assert verify(tmp_path / "kit", Silent()) == ()
    assert needs(tmp_path / "kit") == dict.fromkeys(contents, ("hal",))
    assert (tmp_path / "kit" / f"spack/{SHA}/spack-1.1.0.tar.gz").read_bytes() == ARCHIVE


def test_nothing_changed_nothing_is_written(tmp_path):
    def written() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}

    keep(tmp_path, {"environments/hal.yaml": b"name: hal\n"}, {"hal"}, Silent())
    before = written()
    keep(tmp_path, {"environments/hal.yaml": b"name: hal\n"}, {"hal"}, Silent())
    assert written() == before


def test_what_is_altered_is_written_again(tmp_path):
    keep(tmp_path, {"README": b"read me\n"}, (), Silent())
    (tmp_path / "README").write_text("read ne\n")
    keep(tmp_path, {"README": b"read me\n"}, (), Silent())
    assert (tmp_path / "README").read_text() == "read me\n"


def test_what_a_killed_run_was_writing_goes_with_the_next(tmp_path):
    keep(tmp_path, {"README": b"read me\n"}, (), Silent())
    left = {".manifest.json.1a_b2c3d", ".manifest.json.asc.1a_b2c3d", "..lock-holder.1a_b2c3d"}
    for name in left:
        (tmp_path / name).write_text("{")
    assert {(one.path, one.kind) for one in verify(tmp_path, Silent())} == {(one, "unknown") for one in left}
    keep(tmp_path, {"README": b"read me again\n"}, (), Silent())
    assert verify(tmp_path, Silent()) == ()


def test_what_an_environment_no_longer_has_goes_and_what_others_have_stays(tmp_path):
    shared, archive = "environments/systems/hal.yaml", f"spack/{SHA}/a.tar.gz"
    keep(tmp_path, {"environments/one.yaml": b"1", shared: b"s", "README": b"r"}, {"one"}, Silent())
    keep(tmp_path, {archive: ARCHIVE}, {"one"}, Silent())
    keep(tmp_path, {"environments/two.yaml": b"2", shared: b"s"}, {"two"}, Silent())
    keep(tmp_path, {"environments/new.yaml": b"1"}, {"one"}, Silent())
    assert needs(tmp_path) == {
        "README": ("one",),
        "environments/new.yaml": ("one",),
        shared: ("two",),
        "environments/two.yaml": ("two",),
        archive: ("one",),
    }
    assert not (tmp_path / "environments/one.yaml").exists()
    assert verify(tmp_path, Silent()) == ()


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "/README",
        "environments/../../x",
        "environments//x",
        "environments/./x",
        "environments/",
        "environments",
        "environments/a\\b",
        "environments/a\nb",
        "environments/.hidden",
        "environments/x.part",
        "manifest.json",
        "notes.txt",
        "tools/sub/x.toml",
        "tools/x.txt",
        "spack/short/x",
        f"wheels/{SHA[:2]}/{'0' * 64}/x.whl",
        f"wheels/00/{SHA}/x.whl",
        f"sources/_source-cache/archive/00/{SHA}.tar.gz",
        f"sources/_source-cache/archive/{SHA[:2]}/{SHA}.tar.gz/x",
        f"sources/_source-cache/archive/{SHA[:2]}/{SHA}..",
        "sources/x",
        "environments/" + "x" * 1000,
    ],
)
def test_no_file_lies_but_where_the_layout_says(tmp_path, path):
    with pytest.raises(ValidationError):
        keep(tmp_path / "kit", {path: ARCHIVE}, {"hal"}, Silent())
    assert not (tmp_path / "kit").exists()
    entry = {"path": path, "size": 10, "sha256": SHA, "origin": "", "needed_by": []}
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 2, "files": [entry]}))
    with pytest.raises(InputError) as caught:
        read_manifest(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/manifest.json: is damaged; "
        "copy the kit again; or, where it was made, remove this and run `stackgen mirror create`"
    )


def test_nothing_is_written_through_a_link(tmp_path):
    (tmp_path / "kit").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "kit/environments").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError) as caught:
        keep(tmp_path / "kit", {"environments/hal.yaml": b"name: hal\n"}, {"hal"}, Silent())
    what = f"{tmp_path}/kit/environments is a symbolic link; remove it; a kit has none"
    assert str(caught.value) == what
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_path_twice_is_refused(tmp_path):
    entry = {"path": "README", "size": 10, "sha256": SHA, "origin": "", "needed_by": []}
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 2, "files": [entry, entry]}))
    with pytest.raises(InputError, match="is damaged"):
        read_manifest(tmp_path)


def test_an_older_mirror_is_read_and_becomes_one_of_today(tmp_path):
    entry = {
        "path": f"wheels/{SHA[:2]}/{SHA}/x.whl",
        "size": len(ARCHIVE),
        "sha256": SHA,
        "origin": "",
        "needed_by": ["hal"],
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 1, "files": [entry]}))
    keep(tmp_path, {"README": b"read me\n"}, {"hal"}, Silent())
    assert json.loads((tmp_path / "manifest.json").read_text())["format"] == 2
    assert needs(tmp_path) == {"README": ("hal",), entry["path"]: ("hal",)}


def test_a_kit_of_a_newer_stackgen_is_told_in_one_sentence(tmp_path):
    (tmp_path / "manifest.json").write_text('{"format": 4, "blobs": {}}')
    with pytest.raises(InputError) as caught:
        read_manifest(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} was made by a newer stackgen: its manifest has format 4, not 3; "
        "use that stackgen, or make the kit anew with this one"
    )
