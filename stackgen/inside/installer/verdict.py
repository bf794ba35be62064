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

    signer: str = ""
    fingerprint: str = ""
    refusal: str = ""
    unknown: bool = False
    """There is a signature, and no key to check it with."""


def verdict(status: str, what: str) -> Verdict:
    """The verdict of `gpg --status-fd` about a file that messages call `what`."""
    found = [
        [*line.split(" ", 3), "", ""][1:4] for line in status.splitlines() if line.startswith("[GNUPG:] ")
    ]
    for keyword, text in _REFUSALS:
        for name, _, who in found:
            if name == keyword:
                return Verdict(refusal=text.format(what=what, who=_plain(who)))
    for name, key, _ in found:
        if name in ("ERRSIG", "NO_PUBKEY"):
            refusal = "{} was signed with the key {}, which is not known here".format(what, _plain(key))
            return Verdict(refusal=refusal, unknown=True)
    valid = [rest.split(" ")[-1] for name, _, rest in found if name == "VALIDSIG"]  # of the primary key
    good = [who for name, _, who in found if name == "GOODSIG"]
    if len(good) != 1 or len(valid) != 1:
        return Verdict(refusal="{} has no signature, or several, where one is needed".format(what))
    return Verdict(signer="{} ({})".format(_plain(good[0]), valid[0]), fingerprint=valid[0])


def _plain(text: str) -> str:
    """A name that a stranger chose, on one line."""
    return re.sub(r"[^ -~\u00a0-\uffff]", "?", text)


def gpg_words(signature: str) -> List[str]:
    """The words that ask GnuPG about a detached signature of what it reads from standard input."""
    quietly = ["--batch", "--no-tty", "--no-auto-key-retrieve", "--no-auto-check-trustdb", "--status-fd", "1"]
    return ["gpg", *quietly, "--verify", "--", signature, "-"]
