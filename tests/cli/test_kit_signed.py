"""A signature, by the commands in their order: made, required, and refused where something was altered."""

import shutil
from pathlib import Path

import pytest
from desk import Desk

from stackgen.site import Site

pytestmark = pytest.mark.network

if not shutil.which("gpg"):
    pytest.skip("this machine has no GnuPG", allow_module_level=True)

WHO = "A Site <ai@site.example>"


@pytest.fixture(scope="module", autouse=True)
def _kit(shared_desk: Desk, index: Site) -> None:
    shared_desk.small()
    (shared_desk.directory / "home/.gnupg").mkdir(parents=True, mode=0o700)
    for words in (("lock", "small.yaml"), ("mirror", "create", "small.yaml", "-d", "kit")):
        assert shared_desk(*words).status == 0


@pytest.fixture(scope="module")
def key(shared_desk: Desk) -> str:
    gpg = (
        "gpg",
        "--batch",
        "--quiet",
        "--passphrase",
        "",
        "--quick-generate-key",
        WHO,
        "ed25519",
        "sign",
        "never",
    )
    assert shared_desk(command=gpg).status == 0
    listed = shared_desk(command=("gpg", "--batch", "--list-keys", "--with-colons")).stdout
    return next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))


def build(desk: Desk, *words: str) -> tuple[int, str]:
    outcome = desk("build", "kit/environments/small.yaml", "--mirror", "kit", "--offline", *words)
    return outcome.status, outcome.stderr


def test_without_a_signature_what_requires_one_is_refused(shared_desk: Desk):
    kit = shared_desk.directory / "kit"
    refused = f"{kit} is not signed; sign it with `stackgen mirror create ... --sign KEY`\n"
    outcome = shared_desk("mirror", "verify", "kit", "--require-signature")
    assert (outcome.status, outcome.stdout, outcome.stderr) == (1, "", refused)
    status, said = build(shared_desk, "--require-signature")
    assert (status, said.splitlines()[-1] + "\n") == (1, refused)


def test_signed_it_passes(shared_desk: Desk, key: str):
    kit = shared_desk.directory / "kit"
    signed = shared_desk("mirror", "create", "small.yaml", "-d", "kit", "--sign", key)
    assert signed.status == 0, signed.stderr
    assert f"{kit} is signed with the key {key}" in signed.stderr.splitlines()
    verified = shared_desk("mirror", "verify", "kit", "--require-signature")
    assert (verified.status, verified.stdout) == (0, "kit is whole\n")
    assert f"{kit} was signed by {WHO} ({key})" in verified.stderr.splitlines()


def test_an_altered_environment_is_not_built(shared_desk: Desk):
    file = shared_desk.directory / "kit/environments/small.yaml"
    whole = file.read_text()
    file.write_text(f"{whole}# theirs\n")
    status, said = build(shared_desk, "--require-signature")
    assert (status, said.splitlines()[-1]) == (1, f"{file} is not what was signed; copy the kit again")
    file.write_text(whole)


def test_what_was_signed_is_built(shared_desk: Desk):
    status, said = build(shared_desk, "--require-signature")
    assert status == 0, said
    assert "release 1 is published" in said.splitlines()


def test_a_changed_kit_is_signed_no_longer(shared_desk: Desk):
    path: Path = shared_desk.small(release="2")
    outcome = shared_desk("mirror", "create", path.name, "-d", "kit")
    assert outcome.status == 0, outcome.stderr
    kit = shared_desk.directory / "kit"
    note = f"note: {kit} has changed, and is signed no longer; `--sign KEY` signs it"
    assert note in outcome.stderr.splitlines()
    assert not (kit / "manifest.json.asc").exists()
