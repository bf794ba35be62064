"""The signature of a kit, checked by the machine's own GnuPG."""

import os
import shutil
import tempfile
from typing import Optional

from stackgen.inside.installer.kit import Kit
from stackgen.inside.installer.telling import RefusalError, started
from stackgen.inside.installer.verdict import gpg_words, verdict


def require_signature(kit: Kit, keys: Optional[str]) -> str:
    """Who signed the kit, if that is somebody whose key is known here."""
    signature = os.path.join(kit.root, "manifest.json.asc")
    if not os.path.isfile(signature):
        raise RefusalError("{} is not signed, and --require-signature asks for it".format(kit.root))
    if not shutil.which("gpg"):
        raise RefusalError("there is no gpg to check the signature with; install GnuPG")
    home = tempfile.mkdtemp()
    try:
        environment = dict(os.environ, LC_ALL="C", **({"GNUPGHOME": home} if keys else {}))
        if keys:
            words = ["gpg", "--batch", "--no-tty", "--quiet", "--import", "--", os.path.abspath(keys)]
            if started(words, environment).returncode:
                raise RefusalError("{} holds no public key that gpg can read".format(keys), 2)
        outcome = started(gpg_words(signature), environment, kit.manifest)
    finally:
        shutil.rmtree(
            home, ignore_errors=True
        )  # newer versions of GnuPG may leave a process that ends with it
    found = verdict(outcome.stdout.decode("utf-8", "replace"), kit.root)
    if found.refusal:
        raise RefusalError("{}; do not use it, or give the right key by --keys".format(found.refusal))
    return found.signer
