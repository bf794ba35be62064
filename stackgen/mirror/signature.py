"""The signature of a kit's manifest, by GnuPG: who vouches for every file that the manifest names."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stackgen import files
from stackgen.errors import InputError, WorkError
from stackgen.inside.installer.verdict import Verdict, gpg_words, verdict
from stackgen.mirror.manifest import NAME, SIGNATURE, read_manifest
from stackgen.progress import Progress
from stackgen.run import Command, Outcome, Runner

_KEY = r"(0x)?([0-9A-Fa-f]{16}|[0-9A-Fa-f]{40})"
_PASSED_ON = (
    *("PATH", "HOME", "GNUPGHOME", "GPG_TTY", "TERM", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"),
    *("DBUS_SESSION_BUS_ADDRESS", "PINENTRY_USER_DATA"),
)
"""What GnuPG needs of the caller to find the keyring, and to ask for a passphrase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What is asked of a kit's signature."""

    required: bool = False
    """A kit that is not signed, or by nobody known here, is refused; else only one that is signed wrongly."""
    keys: Path | None = None
    """A file with the public keys that count; the user's own keyring where not named."""


def sign(root: Path, key: str, run: Runner, progress: Progress) -> None:
    """Have the manifest of a kit signed with one of the user's keys, by its id or fingerprint."""
    if not re.fullmatch(_KEY, key):
        raise InputError.of(
            f"{key} is no fingerprint of a key", "take one that `gpg --list-secret-keys --fingerprint` shows"
        )
    name = key.removeprefix("0x").upper()
    if (root / SIGNATURE).exists() and _verdict(root, None, run).fingerprint.endswith(name):
        return
    words = ("gpg", "--batch", "--armor", f"--local-user={name}", "--detach-sign", "--output=-", "-")
    outcome = _gpg(words, root, run, _text(root))
    if outcome.status or "BEGIN PGP SIGNATURE" not in outcome.stdout:
        said = [line.removeprefix("gpg: ") for line in outcome.stderr.splitlines() if line.strip()]
        reason = said[-1] if said else f"exit status {outcome.status}"
        remedy = "`gpg --list-secret-keys --fingerprint` lists the keys"
        raise WorkError(f"{root} cannot be signed: {reason}", remedy, details=outcome.stderr)
    files.write(root / SIGNATURE, outcome.stdout)
    progress.say(f"{root} is signed with the key {name}")


def check_signature(root: Path, demand: Demand, run: Runner, progress: Progress) -> bool:
    """Whether somebody known here has signed a kit; WorkError where that is required, or is not so."""
    required = demand.required or demand.keys is not None
    if not (root / SIGNATURE).exists():
        if required:
            raise WorkError(f"{root} is not signed", "sign it with `stackgen mirror create ... --sign KEY`")
        return False
    if not shutil.which("gpg"):
        if required:
            raise WorkError(f"there is no gpg to check the signature of {root} with", "install GnuPG")
        progress.say(f"note: {root} is signed, and there is no gpg here to check that with")
        return False
    found = _verdict(root, demand.keys, run)
    if found.refusal and found.unknown and not required:
        progress.say(f"note: {found.refusal}")
        return False
    if found.refusal:
        remedy = (
            "import it with `gpg --import`"
            if found.unknown
            else "do not use it; have it made and signed again"
        )
        raise WorkError(found.refusal, remedy)
    progress.say(f"{root} was signed by {found.signer}")
    return True


def refuse_unsigned(root: Path, paths: Iterable[Path]) -> None:
    """WorkError where files that lie in a signed kit are not those that its manifest names."""
    signed = {entry.path: entry.sha256 for entry in read_manifest(root).files}
    real = root.resolve()
    for path in paths:
        place = path.resolve()
        if place.is_relative_to(real):
            name = place.relative_to(real).as_posix()
            with files.reported(f"cannot read {path}"):
                if signed.get(name) != files.sha256(place):
                    raise WorkError(f"{path} is not what was signed", "copy the kit again")


def _verdict(root: Path, keys: Path | None, run: Runner) -> Verdict:
    # Newer versions of GnuPG may leave a process that ends with its home.
    with tempfile.TemporaryDirectory(prefix="stackgen-", ignore_cleanup_errors=True) as home:
        own = {"GNUPGHOME": home} if keys else {}
        if keys:
            _import(keys, root, run, own)
        words = tuple(gpg_words(str(root / SIGNATURE)))
        outcome = _gpg(words, root, run, _text(root), own)
    return verdict(outcome.stdout, str(root))


def _import(keys: Path, root: Path, run: Runner, own: Mapping[str, str]) -> None:
    words = ("gpg", "--batch", "--no-tty", "--quiet", "--import", "--", str(keys.absolute()))
    if not keys.is_file() or _gpg(words, root, run, "", own).status:
        raise InputError.of(f"{keys} holds no public key", "write it with `gpg --armor --export KEY`")


def _text(root: Path) -> str:
    try:
        with files.reported(f"cannot read {root}"):
            return (root / NAME).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError.of(f"{root / NAME} is damaged", "copy the kit again") from None


def _gpg(
    words: tuple[str, ...], root: Path, run: Runner, given: str, own: Mapping[str, str] | None = None
) -> Outcome:
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment = {**passed, **(own or {}), "LC_ALL": "C.UTF-8"}
    return run(Command(argv=words, environment=environment, directory=root, stdin=given))
