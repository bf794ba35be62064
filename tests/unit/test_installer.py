"""What the installer of a kit refuses, each in one sentence; real installations are in test_kit_install."""

import json
import os
import sys
from pathlib import Path

import pytest

from stackgen.inside.installer.command import install, main
from stackgen.inside.installer.kit import Kit
from stackgen.inside.installer.machine import packages_of
from stackgen.inside.installer.telling import RefusalError
from stackgen.kit.readme import installer_text
from stackgen.lock import LockedFile, LockedPackage
from stackgen.lock.pylock import pylock_text
from stackgen.mirror import keep
from stackgen.progress import Silent

HERE = os.uname().machine
GLIBC = str(os.confstr("CS_GNU_LIBC_VERSION"))
ELSEWHERE = "ppc64le" if HERE != "ppc64le" else "aarch64"


def kit_for(root: Path, *names: str) -> Path:
    """A kit that has tools for these machines by name."""
    keep(root, {f"tools/{name}.toml": b"" for name in names}, ("one",), Silent())
    return root


def refusal(root: Path, into: Path, *words: str) -> tuple[str, int]:
    with pytest.raises(RefusalError) as caught:
        install(str(root), ("--prefix", str(into), *words))
    assert not into.exists()
    return str(caught.value), caught.value.status


def test_no_kit_a_part_of_one_and_a_kit_without_stackgen(tmp_path: Path):
    kit, into = tmp_path / "kit", tmp_path / "into"
    kit.mkdir()
    assert refusal(kit, into) == (
        f"{kit} is no kit, or only a part: it has no manifest.json; copy all of it",
        2,
    )
    keep(kit, {"environments/one.yaml": b""}, ("one",), Silent())
    assert refusal(kit, into) == (f"{kit} holds no stackgen; make it again with `stackgen mirror create`", 2)


def test_another_processor_and_an_older_glibc(tmp_path: Path):
    into = tmp_path / "into"
    other = kit_for(tmp_path / "other", f"{ELSEWHERE}-2.17-3.11", f"{ELSEWHERE}-2.17-3.12")
    assert refusal(other, into) == (f"{other} is for {ELSEWHERE}, and this machine is {HERE}", 2)
    newer = kit_for(tmp_path / "newer", f"{HERE}-2.98-3.11", f"{HERE}-2.99-3.11")
    assert refusal(newer, into) == (
        f"{newer} is for glibc 2.98 and newer, and this machine has {GLIBC}",
        2,
    )


def test_no_python_that_fits(tmp_path: Path):
    kit = kit_for(tmp_path / "kit", f"{HERE}-2.17-3.98", f"{HERE}-2.17-3.99")
    message, status = refusal(kit, tmp_path / "into")
    assert message.startswith("stackgen needs Python 3.98, 3.99 here (")
    assert message.endswith("); install one, or name it by --python")
    assert status == 2
    assert f"{sys.version_info[0]}.{sys.version_info[1]}" in message
    named, _ = refusal(kit, tmp_path / "into", "--python", "/bin/sh")
    assert named == (
        "stackgen needs Python 3.98, 3.99 here (/bin/sh is no Python that works);"
        " install one, or name it by --python"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "{kit}/manifest.json is damaged; copy the kit again"),
        ("[]", "{kit}/manifest.json is damaged; copy the kit again"),
        ("[" * 100_000, "{kit}/manifest.json is damaged; copy the kit again"),
        ('{"format": 2, "files": [{"path": "a"}]}', "{kit}/manifest.json is damaged; copy the kit again"),
        ('{"format": 4, "files": []}', "{kit} was made by a newer stackgen than this install.py"),
    ],
)
def test_a_manifest_that_is_none(tmp_path: Path, text: str, message: str):
    (tmp_path / "manifest.json").write_text(text)
    assert refusal(tmp_path, tmp_path / "into") == (message.replace("{kit}", str(tmp_path)), 2)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "a//b", "", "a\nb", "a\\b", "./a"])
def test_a_path_that_leads_out(tmp_path: Path, path: str):
    entry = {"path": path, "size": 1, "sha256": "0" * 64, "origin": "", "needed_by": []}
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 2, "files": [entry]}))
    assert refusal(tmp_path, tmp_path / "into") == (
        f"{path!r} in the manifest leads out of the kit; do not trust it",
        2,
    )


def test_a_manifest_of_a_gigabyte_is_not_read(tmp_path: Path):
    with (tmp_path / "manifest.json").open("wb") as stream:
        stream.truncate(2**30)
    assert refusal(tmp_path, tmp_path / "into") == (
        f"{tmp_path}/manifest.json is far larger than that of any kit; do not trust it",
        2,
    )


def test_the_place_is_new_or_ours_and_not_in_the_kit(tmp_path: Path):
    kit = kit_for(tmp_path / "kit", f"{HERE}-2.17-{sys.version_info[0]}.{sys.version_info[1]}")
    place, python = tmp_path / "place", ("--python", sys.executable)
    place.mkdir()
    (place / "letters").mkdir()
    file = tmp_path / "file"
    file.touch()
    for into, message in (
        (place, f"{place} holds something else already; name a new directory"),
        (file, f"{file} is no directory; name another"),
        (kit / "x", f"{kit}/x is in the kit, which stays as it is; name another directory"),
        (
            tmp_path / "a b",
            f"'{tmp_path}/a b' has characters that scripts cannot hold; use letters, digits and ._+@=-",
        ),
    ):
        with pytest.raises(RefusalError) as caught:
            install(str(kit), ("--prefix", str(into), *python))
        assert (str(caught.value), caught.value.status) == (message, 2)
    assert [path.name for path in place.iterdir()] == ["letters"]


def test_files_are_read_with_distrust(tmp_path: Path):
    root = tmp_path / "kit"
    keep(root, {"tools/a.toml": b"one", "tools/b.toml": b"two"}, ("one",), Silent())
    path = root / "tools/a.toml"
    kit = Kit(str(root))
    assert kit.read("tools/a.toml") == b"one"

    def message() -> str:
        with pytest.raises(RefusalError) as caught:
            kit.read("tools/a.toml")
        assert caught.value.status == 1
        return str(caught.value)

    for content in (b"onE", b"on", b"one more"):
        path.write_bytes(content)
        assert message() == f"{path} is not as the manifest says; copy the kit again"
    path.unlink()
    assert message() == f"{path} is missing; copy the kit again"
    path.symlink_to("b.toml")
    assert message() == f"{path} is a symbolic link, and a kit has none; do not trust it"
    path.unlink()
    os.mkfifo(path)
    assert message() == f"{path} is no plain file; copy the kit again"
    (root / "tools").rename(tmp_path / "moved")
    (root / "tools").symlink_to(tmp_path / "moved")
    assert message() == f"{root}/tools is a symbolic link, and a kit has none; do not trust it"


def test_a_lock_is_read_as_it_was_written(tmp_path: Path):
    packages = tuple(
        LockedPackage(name=name, version="1.0", file=LockedFile(name=file, size=1, sha256=digit * 64))
        for name, file, digit in (
            ("alpha", "alpha-1.0-py3-none-any.whl", "a"),
            ("beta", "beta-1.0.tar.gz", "b"),
        )
    )
    text = pylock_text(packages, "3.11")
    keep(
        tmp_path,
        {"tools/a.toml": text.encode(), "tools/b.toml": (text + "[[packages]]\n").encode()},
        ("x",),
        Silent(),
    )
    kit = Kit(str(tmp_path))
    assert packages_of(kit, "tools/a.toml") == [
        ("alpha", "1.0", "alpha-1.0-py3-none-any.whl", "a" * 64),
        ("beta", "1.0", "beta-1.0.tar.gz", "b" * 64),
    ]
    with pytest.raises(RefusalError) as caught:
        packages_of(kit, "tools/b.toml")
    assert str(caught.value) == f"{tmp_path}/tools/b.toml is no lock of stackgen's"


def test_a_place_that_cannot_be_made_is_to_be_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    kit = kit_for(tmp_path / "kit", f"{HERE}-2.0-3.11")
    assert main(str(kit), ("--prefix", "/proc/stackgen")) == 1
    assert capsys.readouterr().err == (
        "cannot go on: No such file or directory (/proc/stackgen); "
        "name a directory that you may write to by --prefix\n"
    )


def test_one_file_that_imports_nothing_of_ours():
    text = installer_text().decode()
    compile(text, "install.py", "exec")
    assert "stackgen.inside" not in text
    assert text.startswith("#!/usr/bin/env python3\n")
