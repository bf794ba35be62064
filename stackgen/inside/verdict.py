"""What GnuPG says of a signature; for Python 3.6, as the installer of a kit has it inside."""

import re
from typing import List, NamedTuple

_REFUSALS = (
    ("BADSIG", "{what} was altered since {who} signed it"),
    ("REVKEYSIG", "{what} was signed with a key that is revoked, of {who}"),
    ("EXPKEYSIG", "{what} was signed with a key that has expired, of {who}"),
    ("EXPSIG", "the signature of {what} by {who} has expired"),
)
"""What GnuPG reports, the worst first, and how that is told."""


class Verdict(NamedTuple):
    """Who signed, by name and fingerprint of the key; or why that does not count."""

    signer: str
    refusal: str
    unknown: bool
    """There is a signature, and no key to check it with."""


def verdict(status: str, what: str) -> Verdict:
    """The verdict of `gpg --status-fd` about a file that messages call `what`."""
    found = [
        [*line.split(" ", 3), "", ""][1:4] for line in status.splitlines() if line.startswith("[GNUPG:] ")
    ]
    for keyword, text in _REFUSALS:
        for name, _, who in found:
            if name == keyword:
                return Verdict("", text.format(what=what, who=_plain(who)), False)
    for name, key, _ in found:
        if name in ("ERRSIG", "NO_PUBKEY"):
            return Verdict(
                "", "{} was signed with the key {}, which is not known here".format(what, key), True
            )
    valid = [key for name, key, _ in found if name == "VALIDSIG"]
    good = [who for name, _, who in found if name == "GOODSIG"]
    if not good or len(valid) != len(good):
        return Verdict("", "{} has no signature that GnuPG can read".format(what), False)
    signers = ["{} ({})".format(_plain(who), key) for who, key in zip(good, valid)]
    return Verdict(" and ".join(signers), "", False)


def _plain(text: str) -> str:
    """A name that a stranger chose, on one line."""
    return re.sub(r"[^ -~\u00a0-\uffff]", "?", text)


def gpg_words(signature: str) -> List[str]:
    """The words that ask GnuPG about a detached signature of what it reads from standard input."""
    quietly = ["--batch", "--no-tty", "--no-auto-key-retrieve", "--no-auto-check-trustdb", "--status-fd", "1"]
    return ["gpg", *quietly, "--verify", "--", signature, "-"]
