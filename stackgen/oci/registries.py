"""The driver of skopeo, which asks registries and fetches from them."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stackgen import files
from stackgen.errors import WorkError
from stackgen.oci.manifests import digest_of
from stackgen.oci.references import Reference
from stackgen.run import Command, Runner, TimeLimitError
from stackgen.site import Site, system_certificates

_PASSED_ON = frozenset(
    (
        *("PATH", "HOME", "USER", "TMPDIR", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"),
        *("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "SSL_CERT_FILE", "SSL_CERT_DIR"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    )
)
"""What skopeo may know of the caller: where credentials, certificates and proxies are."""
_ANSWER = 60.0
"""Seconds that a registry has to answer."""
_SLOWEST = 100_000
"""Bytes a second; what comes more slowly is given up, and goes on with the next run."""
_MESSAGE = re.compile(r'msg=("(?:[^"\\]|\\.)*")')
_NOT_TRUSTED = "do not use that registry until its admin knows why"
_KNOWN = tuple(
    (re.compile(pattern, re.IGNORECASE), what, remedy)
    for pattern, what, remedy in (
        (
            "does not match|did not match|digest mismatch|mismatched digest",
            "{host} has something else than {image} says: {reason}",
            _NOT_TRUSTED,
        ),
        (
            "server gave HTTP response",
            "{host} speaks no HTTPS",
            "list it below `images.insecure` in site.yaml where the network to it can be trusted",
        ),
        ("x509|certificate", "the certificate of {host} is not trusted", "name yours by SSL_CERT_FILE"),
        (
            "unauthorized|authentication required|denied|forbidden|status (code )?40[13]",
            "{host} does not give us {image}",
            "correct its name, or `skopeo login {host}` as who runs this",
        ),
        (
            "manifest unknown|name unknown|not found|status (code )?404",
            "{host} has no {image}",
            "correct its name and digest",
        ),
        (
            "no such host|connection refused|i/o timeout|unreachable|proxyconnect|no route|misbehaving|EOF$"
            "|handshake timeout|connection reset",
            "{host} does not answer",
            "see that there is a network and HTTPS_PROXY is right, or name another for it below"
            " `images.registries` in site.yaml",
        ),
        ("no space left|quota exceeded", "cannot write what {host} sends: {reason}", files.MORE_SPACE),
    )
)
"""What skopeo says, what that means, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registries:
    """Where images of this site come from, asked with the credentials that skopeo has."""

    site: Site
    run: Runner
    patience: float = _ANSWER
    """Seconds."""

    def manifest(self, reference: Reference) -> bytes:
        """The index or manifest of an image, checked; WorkError where it cannot be had."""
        text = self._skopeo(reference, "inspect", "--raw", self._address(reference))
        return _checked(text, reference, reference.digest)

    def config(self, reference: Reference, digest: str) -> bytes:
        """The configuration of an image of one architecture, checked against the digest of the manifest."""
        text = self._skopeo(reference, "inspect", "--config", "--raw", self._address(reference))
        return _checked(text, reference, digest)

    def copy(self, reference: Reference, layout: Path, size: int) -> None:
        """Bring the blobs of an image of one architecture into an OCI layout; what is there stays."""
        words = ("--quiet", "--retry-times", "2", "--dest-oci-accept-uncompressed-layers")
        places = (self._address(reference), "oci:.:image")  # which no colon in a path breaks
        patience = self.patience + size / _SLOWEST
        self._skopeo(reference, "copy", *words, *places, patience=patience, directory=layout)

    def _address(self, reference: Reference) -> str:
        return f"docker://{self.location(reference)}@{reference.digest}"

    def location(self, reference: Reference) -> str:
        """Host and name that are asked: the site may have a registry of its own in place of another."""
        return f"{self.site.registry(reference.host)}/{reference.name}"

    def _skopeo(
        self,
        reference: Reference,
        verb: str,
        *words: str,
        patience: float = 0,
        directory: Path = Path("/"),
    ) -> str:
        host = self.location(reference).partition("/")[0]
        checks = () if host not in self.site.insecure_registries else (_checks(verb),)
        patience = patience or self.patience
        command = Command(
            argv=("skopeo", *_policy(os.environ), verb, *checks, *words),
            environment=_environment(os.environ),
            directory=directory,
            timeout=patience,
        )
        try:
            outcome = self.run(command)
        except TimeLimitError:
            what = f"{host} did not bring {reference} within {patience:.0f} s"
            raise WorkError(what, "try again later; what came is kept") from None
        if outcome.status:
            raise _failure(reference, host, outcome.stderr)
        return outcome.stdout


def _checks(verb: str) -> str:
    return "--src-tls-verify=false" if verb == "copy" else "--tls-verify=false"


def _policy(caller: Mapping[str, str]) -> tuple[str, ...]:
    """skopeo does nothing without a policy on signatures: the site's, or none where it has none."""
    home = Path(caller.get("HOME") or "/")
    usual = (home / ".config/containers/policy.json", Path("/etc/containers/policy.json"))
    return () if any(path.exists() for path in usual) else ("--insecure-policy",)


def _environment(caller: Mapping[str, str]) -> dict[str, str]:
    certificates = caller.get("REQUESTS_CA_BUNDLE") or caller.get("CURL_CA_BUNDLE") or system_certificates()
    own = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    bundle = {"SSL_CERT_FILE": certificates} if certificates and Path(certificates).is_file() else {}
    known = {name: value for name, value in caller.items() if name in _PASSED_ON and value}
    return {**own, **bundle, **known}


def _checked(text: str, reference: Reference, digest: str) -> bytes:
    content = text.encode()
    if (found := digest_of(content)) != digest:
        what = f"{reference.repository} has the digest {found} where {digest} was asked for"
        raise WorkError(what, _NOT_TRUSTED)
    return content


def _failure(reference: Reference, host: str, said: str) -> WorkError:
    """What went wrong, from what skopeo wrote last."""
    reason = _last_words(said)
    for pattern, what, remedy in _KNOWN:
        if pattern.search(reason):
            told = what.format(host=host, image=reference, reason=reason)
            return WorkError(told, remedy.format(host=host), details=said)
    what = f"{reference} cannot be had from {host}: {reason}"
    return WorkError(what, "the log has the details", details=said)


def _last_words(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    found = _MESSAGE.search(lines[-1]) if lines else None
    if found:
        try:
            return str(json.loads(found[1])).strip()
        except ValueError:
            return found[1]
    return lines[-1].strip() if lines else "it said nothing"
