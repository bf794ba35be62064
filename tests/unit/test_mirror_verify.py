"""What `verify` finds wrong with a mirror, and how its manifest is kept."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from stackgen.errors import InputError, WorkError
from stackgen.lock import Lock, LockedFile, LockedPackage, WheelLock
from stackgen.mirror import Defect, Flaw, Mirror, verify
from stackgen.mirror.flaws import flaw
from stackgen.mirror.manifest import Holding, Manifest, read_manifest, updated, write_manifest
from stackgen.mirror.wanted import wanted
from stackgen.progress import Silent


def file(name: str, content: bytes) -> LockedFile:
    return LockedFile(
        name=f"{name}-1.0-py3-none-any.whl", size=len(content), sha256=hashlib.sha256(content).hexdigest()
    )


CONTENTS = {file(name, name.encode()): name.encode() for name in ("alpha", "beta", "gamma")}
ALPHA, BETA, GAMMA = CONTENTS


def locked(*wanted: LockedFile) -> Lock:
    packages = tuple(LockedPackage(name=file.name.split("-")[0], version="1.0", file=file) for file in wanted)
    return Lock(
        environment="site",
        inputs={},
        wheels=(WheelLock(framework="alpha", python="3.11", packages=packages),),
    )


def needed(
    manifest: Manifest, files: dict[str, Iterable[LockedFile]], origins: dict[LockedFile, str]
) -> Manifest:
    """The manifest once environments need files, some of which have come from somewhere."""
    needs = {name: wanted([locked(*them)]) for name, them in files.items()}
    come = {
        path(one): Holding(size=one.size, sha256=one.sha256, origin=origin) for one, origin in origins.items()
    }
    return updated(manifest, needs, come)


@pytest.fixture
def whole(tmp_path) -> Mirror:
    """A mirror of three files that one environment needs."""
    mirror = Mirror(root=tmp_path / "mirror")
    for one, content in CONTENTS.items():
        mirror.path(one).parent.mkdir(parents=True)
        mirror.path(one).write_bytes(content)
    write_manifest(mirror.root, needed(Manifest(), {"site": CONTENTS}, {ALPHA: "https://host/alpha"}))
    return mirror


def path(wanted: LockedFile) -> str:
    return f"wheels/{wanted.sha256[:2]}/{wanted.sha256}/{wanted.name}"


def test_a_whole_mirror_has_no_defects(whole):
    assert verify(whole.root, Silent()) == ()
    assert whole.lacks(locked(*CONTENTS)) == ()


def test_missing_altered_and_unknown_files_are_named(whole):
    whole.path(ALPHA).unlink()
    whole.path(BETA).write_bytes(b"beat")
    whole.path(GAMMA).write_bytes(b"gamma and more")
    (whole.root / "wheels" / "notes.txt").write_text("mine")
    found = hashlib.sha256(b"beat").hexdigest()
    assert set(verify(whole.root, Silent())) == {
        Defect(path=path(ALPHA), kind="missing", needed_by=("site",)),
        Defect(path=path(BETA), kind="altered", detail=f"its SHA-256 is {found}", needed_by=("site",)),
        Defect(path=path(GAMMA), kind="altered", detail="it has 14 bytes, not 5", needed_by=("site",)),
        Defect(path="wheels/notes.txt", kind="unknown"),
    }
    lacking = tuple(file for file in locked(*CONTENTS).files if not whole.holds(file))
    assert lacking == tuple(sorted([ALPHA, GAMMA]))


def test_a_defect_in_words():
    altered = Defect(
        path="wheels/x", kind="altered", detail="it has 14 bytes, not 5", needed_by=("one", "two")
    )
    assert str(altered) == "altered: wheels/x (it has 14 bytes, not 5), needed by one, two"
    assert str(Defect(path="wheels/x", kind="unknown")) == "unknown: wheels/x"


def test_what_an_interrupted_download_left_is_no_defect_beside_a_known_file_only(whole):
    whole.path(ALPHA).with_name(f"{ALPHA.name}.part").touch()
    (whole.root / "wheels" / "mine.part").touch()
    assert [str(defect) for defect in verify(whole.root, Silent())] == ["unknown: wheels/mine.part"]


def test_a_directory_without_a_manifest_is_no_mirror(tmp_path):
    with pytest.raises(InputError) as caught:
        verify(tmp_path, Silent())
    assert str(caught.value) == (
        f"{tmp_path} is no mirror: it has no manifest.json;"
        f" copy all of it again, or run `stackgen mirror create ENV.yaml -d {tmp_path}`"
    )


def test_a_manifest_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(WorkError) as caught:
        verify(tmp_path, Silent())
    assert str(caught.value) == f"cannot read {tmp_path}: Is a directory ({tmp_path}/manifest.json)"


def test_a_link_is_a_defect_and_not_followed_and_the_others_are_still_read(whole):
    beta = whole.path(BETA)
    beta.rename(whole.root.parent / "elsewhere")
    beta.symlink_to(whole.root.parent / "elsewhere")
    (whole.root / "wheels/more").symlink_to("/etc")
    os.mkfifo(whole.root / "pipe")
    whole.path(ALPHA).unlink()
    assert sorted(str(defect) for defect in verify(whole.root, Silent())) == [
        f"altered: {path(BETA)} (it is a symbolic link), needed by site",
        f"missing: {path(ALPHA)}, needed by site",
        "unknown: pipe (it is no file, but a device, a pipe or a socket)",
        "unknown: wheels/more (it is a symbolic link)",
    ]


def test_what_lies_behind_a_linked_directory_is_missing(whole):
    folder = whole.path(BETA).parent
    folder.rename(whole.root.parent / "elsewhere")
    folder.symlink_to(whole.root.parent / "elsewhere")
    assert sorted(str(defect) for defect in verify(whole.root, Silent())) == [
        f"missing: {path(BETA)}, needed by site",
        f"unknown: {path(BETA).rpartition('/')[0]} (it is a symbolic link)",
    ]


def test_names_are_shown_as_they_do_no_harm(whole):
    for name in (b"two\nlines", b"\x1b[31mred", b"\xff"):
        Path(os.fsdecode(os.fsencode(whole.root) + b"/" + name)).touch()
    assert sorted(str(defect) for defect in verify(whole.root, Silent())) == [
        "unknown: \\udcff",
        "unknown: \\x1b[31mred",
        "unknown: two\\nlines",
    ]


def test_a_file_that_cannot_be_read_has_a_flaw():
    assert flaw(Path("/proc/self/mem"), 0, "") == Flaw(kind="unreadable", detail="Input/output error")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"format": 0, "files": []}',
        '{"format": 1, "files": [{"path": "../x"}]}',
        '{"files": [{"path": "README", "size": 0, "sha256": "%s", "origin": "", "needed_by": ["\\u001b"]}]}'
        % ("0" * 64),
        "[" * 100_000,
    ],
    ids=["empty", "list", "older", "climbing", "escape", "deep"],
)
def test_a_damaged_manifest_is_refused(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(InputError) as caught:
        read_manifest(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/manifest.json: is damaged; "
        "copy the kit again; or, where it was made, remove this and run `stackgen mirror create`"
    )


@pytest.mark.parametrize("kind", ["pipe", "link", "huge"])
def test_a_manifest_that_is_no_plain_file_of_its_size_is_refused(tmp_path, kind):
    place = tmp_path / "manifest.json"
    match kind:
        case "pipe":
            os.mkfifo(place)
        case "link":
            (tmp_path / "elsewhere").write_text('{"format": 2, "files": []}')
            place.symlink_to("elsewhere")
        case "huge":
            with place.open("wb") as stream:
                stream.truncate(2**27)
    with pytest.raises(InputError, match="is damaged"):
        read_manifest(tmp_path)


def test_a_manifest_keeps_what_others_need_and_where_it_came_from():
    first = needed(Manifest(), {"one": [ALPHA, BETA]}, {ALPHA: "https://host/alpha"})
    second = needed(first, {"one": [BETA], "two": [ALPHA]}, {BETA: "https://host/beta"})
    assert {(Path(entry.path).name, entry.origin, entry.needed_by) for entry in second.files} == {
        (ALPHA.name, "https://host/alpha", ("two",)),
        (BETA.name, "https://host/beta", ("one",)),
    }
    assert needed(second, {"one": [BETA], "two": [ALPHA]}, {}) == second
