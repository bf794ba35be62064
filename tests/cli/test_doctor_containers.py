"""What `stackgen doctor` tells of containers: each a note, with what to ask for."""

import os
import tempfile

import images
import pytest

from stackgen.doctor import State, examine
from stackgen.progress import Silent
from stackgen.run import LoggedRunner

NAMES = ("namespaces", "fuse", "charliecloud", "squashfs", "skopeo", "apt")


def found() -> dict[str, str]:
    findings = {one.name: one for one in examine(LoggedRunner(Silent()))}
    return {
        name: f"{findings[name].state}: {findings[name].found} -> {findings[name].remedy}" for name in NAMES
    }


def test_a_machine_that_has_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    told = found()
    named = "or list charliecloud under `packages:`, for Spack to build"
    assert told["charliecloud"] == (
        "optional: no ch-run, which starts images; only containers need this"
        f" -> install Charliecloud, {named}"
    )
    assert told["squashfs"].startswith(
        "optional: there is no mksquashfs on this machine; only containers need this -> "
    )
    assert told["skopeo"] == (
        "optional: no skopeo; only to fetch images of others needs it, where there is a network"
        " -> install skopeo"
    )
    assert told["apt"] == (
        "optional: no apt; only to lock the packages of Debian that packed images stand on needs it"
        " -> lock on Debian or Ubuntu, or write `containers: {base: IMAGE@sha256:...}`"
    )


def test_a_machine_without_a_place_to_try_anything(tmp_path, monkeypatch):
    program = tmp_path / "mksquashfs"
    program.write_text("#!/bin/sh\necho 'mksquashfs version 4.5 (2021/07/22)'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.defpath}")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    assert found()["squashfs"].startswith(f"optional: cannot try {program}: No such file or directory (")


def test_a_mksquashfs_without_zstd(tmp_path, monkeypatch):
    (tmp_path / "mksquashfs").write_text(
        "#!/bin/sh\n[ $1 = -version ] && echo 'mksquashfs version 4.5 (2021/07/22)' && exit\n"
        "echo 'FATAL ERROR: Compressor \"zstd\" is not supported!' >&2\nexit 1\n"
    )
    (tmp_path / "mksquashfs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.defpath}")
    assert found()["squashfs"] == (
        f"optional: {tmp_path}/mksquashfs 4.5 cannot make images with zstd; only containers need this"
        " -> name `squashfs +zstd` among the packages, for Spack to build"
    )


@pytest.mark.skipif(bool(images.why_not()), reason=images.why_not())
def test_a_machine_that_has_all():
    told = found()
    assert told["charliecloud"].startswith("good: Charliecloud ")
    assert told["squashfs"].startswith("good: mksquashfs ")
    assert told["namespaces"] == "good: user namespaces -> "


def test_what_containers_lack_is_no_fault(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    states = {one.name: one.state for one in examine(LoggedRunner(Silent()))}
    assert {states[name] for name in NAMES} <= {State.GOOD, State.OPTIONAL}
