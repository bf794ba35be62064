"""Signed kits, by a real GnuPG with keyrings of the test's own."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from stages import Recorder

from stackgen.errors import InputError, StackgenError, WorkError
from stackgen.kit.readme import installer_text
from stackgen.mirror import Demand, check_signature, keep, refuse_unsigned, sign
from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner

if not shutil.which("gpg"):
    pytest.skip("this machine has no GnuPG", allow_module_level=True)

WHO = "A Site <ai@site.example>"


@dataclass(frozen=True)
class Keyring:
    """A home of GnuPG."""

    home: Path

    def __call__(self, *words: str) -> str:
        outcome = LoggedRunner(Silent())(
            Command(
                argv=("gpg", "--batch", "--quiet", "--yes", *words),
                environment={"PATH": os.environ["PATH"], "GNUPGHOME": str(self.home)},
                directory=self.home,
            )
        )
        assert outcome.status == 0, outcome.stderr
        return outcome.stdout

    def key(self, *more: str, expires: str = "never") -> str:
        """Make a key; its fingerprint."""
        self(*more, "--passphrase", "", "--quick-generate-key", WHO, "ed25519", "sign", expires)
        lines = self("--list-secret-keys", "--with-colons").splitlines()
        return [line.split(":")[9] for line in lines if line.startswith("fpr:")][-1]


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keyring:
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    return Keyring(home)


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of GnuPG that knows nobody."""
    home = tmp_path / "stranger"
    home.mkdir(mode=0o700)
    return home


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    root = tmp_path / "kit"
    keep(root, {"environments/one.yaml": b"one: 1\n", "install.py": installer_text()}, ("one",), Silent())
    return root


def refusal(kit: Path, run, demand: Demand | None = None) -> str:
    with pytest.raises(StackgenError) as caught:
        check_signature(kit, demand or Demand(required=True), run, Silent())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def installer(kit: Path, tmp_path: Path, *words: str) -> tuple[int, str]:
    """What the installer in the kit says of the signature, the last line of it."""
    outcome = LoggedRunner(Silent())(
        Command(
            argv=(sys.executable, str(kit / "install.py"), "--prefix", str(tmp_path / "into"), *words),
            environment={name: os.environ[name] for name in ("PATH", "GNUPGHOME")},
            directory=tmp_path,
        )
    )
    assert not (tmp_path / "into").exists()
    return outcome.status, outcome.stderr


def test_signed_once_and_known(kit: Path, keyring: Keyring, run, tmp_path: Path):
    key, told = keyring.key(), Recorder()
    sign(kit, key, run, told)
    before = (kit / "manifest.json.asc").stat()
    sign(kit, key[-16:], run, told)
    assert told.lines == [f"{kit} is signed with the key {key}"]
    assert (kit / "manifest.json.asc").stat() == before
    assert check_signature(kit, Demand(required=True), run, told)
    assert told.lines[1:] == [f"{kit} was signed by {WHO} ({key})"]
    status, said = installer(kit, tmp_path, "--require-signature")
    assert (status, said) == (
        2,
        f"signed by {WHO} ({key})\n{kit} holds no stackgen; make it again with `stackgen mirror create`\n",
    )


def test_not_signed(kit: Path, run, tmp_path: Path, keyring):
    assert refusal(kit, run) == f"{kit} is not signed; sign it with `stackgen mirror create ... --sign KEY`"
    assert not check_signature(kit, Demand(), run, Silent())
    assert installer(kit, tmp_path, "--require-signature") == (
        1,
        f"{kit} is not signed, and --require-signature asks for it\n",
    )


def test_an_altered_manifest_is_refused_asked_or_not(kit: Path, keyring: Keyring, run, tmp_path: Path):
    sign(kit, keyring.key(), run, Silent())
    manifest = kit / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"size": 7', '"size": 8'))
    altered = f"{kit} was altered since {WHO} signed it"
    for demand in (Demand(), Demand(required=True)):
        assert refusal(kit, run, demand) == f"{altered}; do not use it; have it made and signed again"
    assert installer(kit, tmp_path, "--require-signature") == (
        1,
        f"{altered}; do not use it, or give the right key by --keys\n",
    )


def test_a_key_that_nobody_knows(kit: Path, keyring: Keyring, stranger: Path, run, tmp_path, monkeypatch):
    key = keyring.key()
    sign(kit, key, run, Silent())
    public, told = tmp_path / "site.asc", Recorder()
    public.write_text(keyring("--armor", "--export", key))
    monkeypatch.setenv("GNUPGHOME", str(stranger))
    unknown = f"{kit} was signed with the key {key[-16:]}, which is not known here"
    assert refusal(kit, run) == f"{unknown}; import it with `gpg --import`"
    assert not check_signature(kit, Demand(), run, told)
    assert told.lines == [f"note: {unknown}"]
    assert check_signature(kit, Demand(keys=public), run, Silent())
    status, said = installer(kit, tmp_path, "--keys", str(public))
    assert (status, said.splitlines()[0]) == (2, f"signed by {WHO} ({key})")
    assert list(stranger.iterdir()) == [] or not (stranger / "pubring.kbx").read_bytes().count(b"Site")


def test_a_file_of_keys_that_are_others(kit: Path, keyring: Keyring, run, tmp_path: Path):
    sign(kit, keyring.key(), run, Silent())
    other = Keyring(tmp_path / "other")
    other.home.mkdir(mode=0o700)
    public = tmp_path / "other.asc"
    public.write_text(other("--armor", "--export", other.key()))
    assert "which is not known here; import it" in refusal(kit, run, Demand(keys=public))
    public.write_text("no key")
    message = f"{public} holds no public key; write it with `gpg --armor --export KEY`"
    assert refusal(kit, run, Demand(keys=public)) == message
    assert refusal(kit, run, Demand(keys=tmp_path / "none")).startswith(
        f"{tmp_path}/none holds no public key"
    )


def test_a_key_that_has_expired(kit: Path, keyring: Keyring, run, tmp_path: Path):
    then = ("--faked-system-time", "20200101T000000")
    keyring.key(*then, expires="1d")
    keyring(*then, "--armor", "--output", f"{kit}/manifest.json.asc", "--detach-sign", f"{kit}/manifest.json")
    told = f"{kit} was signed with a key that has expired, of {WHO}"
    assert refusal(kit, run) == f"{told}; do not use it; have it made and signed again"
    assert installer(kit, tmp_path, "--require-signature")[1].startswith(told)


def test_a_signature_that_is_none(kit: Path, keyring: Keyring, run):
    sign(kit, keyring.key(), run, Silent())
    for text in ("", "nothing\n", (kit / "manifest.json.asc").read_text()[:120]):
        (kit / "manifest.json.asc").write_text(text)
        assert refusal(kit, run, Demand()) == (
            f"{kit} has no signature, or several, where one is needed;"
            " do not use it; have it made and signed again"
        )


def test_what_changes_is_signed_no_longer(kit: Path, keyring: Keyring, run):
    key = keyring.key()
    sign(kit, key, run, Silent())
    keep(kit, {"environments/one.yaml": b"one: 1\n"}, ("one",), Silent())
    assert check_signature(kit, Demand(required=True), run, Silent())
    keep(kit, {"environments/one.yaml": b"one: 2\n"}, ("one",), Silent())
    assert not (kit / "manifest.json.asc").exists()


def test_keys_that_cannot_sign(kit: Path, keyring: Keyring, run):
    with pytest.raises(InputError) as caught:
        sign(kit, "--output", run, Silent())
    assert str(caught.value) == (
        "--output is no fingerprint of a key; take one that `gpg --list-secret-keys --fingerprint` shows"
    )
    with pytest.raises(WorkError) as failed:
        sign(kit, "AB" * 20, run, Silent())
    assert str(failed.value) == (
        f"{kit} cannot be signed: signing failed: No secret key;"
        " `gpg --list-secret-keys --fingerprint` lists the keys"
    )
    assert not (kit / "manifest.json.asc").exists()


def test_what_was_not_signed_is_not_built(kit: Path, tmp_path: Path):
    file = kit / "environments/one.yaml"
    refuse_unsigned(kit, (file, tmp_path))
    file.write_text("one: 3\n")
    with pytest.raises(WorkError) as caught:
        refuse_unsigned(kit, (file,))
    assert str(caught.value) == f"{file} is not what was signed; copy the kit again"
    (kit / "environments/two.yaml").write_text("two: 2\n")
    with pytest.raises(WorkError):
        refuse_unsigned(kit, (kit / "environments/two.yaml",))
