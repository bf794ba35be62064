"""Names of images: `HOST[:PORT]/NAME[:TAG]@sha256:DIGEST`, and the short forms that docker.io has."""

import re
from dataclasses import dataclass, replace

from stackgen.errors import InputError

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:\[[0-9A-Fa-f:]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::[0-9]{1,5})?"
_REFERENCE = re.compile(
    rf"(?:(?P<host>{_HOST})/)?(?P<name>{_PART}(?:/{_PART})*)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}))?"
    r"(?:@(?P<digest>[^@]+))?"
)
"""https://github.com/distribution/reference has this grammar."""
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LONGEST = 255
"""Characters of host and name, as registries have it."""
_DOCKER = "docker.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An image in a registry, by its digest: the tag beside it is for people."""

    host: str
    name: str
    digest: str
    """With `sha256:` before it."""

    @property
    def repository(self) -> str:
        """Host and name."""
        return f"{self.host}/{self.name}"

    def of(self, digest: str) -> "Reference":
        """Another image of the same name."""
        return replace(self, digest=digest)

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}"


def parse_reference(text: str, where: str = "") -> Reference:
    """The image that a text names; InputError where it names none, or one without its digest."""
    found = _REFERENCE.fullmatch(text)
    if found is None or len(text) - len(found["digest"] or "") > _LONGEST:
        remedy = "write HOST/NAME@sha256: and its 64 digits, all of the name in small letters"
        raise InputError.of(f"{_shown(text)} is no name of an image", remedy, where=where)
    digest = found["digest"]
    if digest is None:
        remedy = (
            f"`skopeo inspect --format '{{{{.Digest}}}}' docker://{text}` shows it: write {text}@sha256:..."
        )
        raise InputError.of(
            f"the image {text} has no digest, so it may be another tomorrow", remedy, where=where
        )
    if not _DIGEST.fullmatch(digest):
        remedy = "write sha256: and its 64 digits, in small letters"
        raise InputError.of(f"{_shown(digest)} is no digest of an image", remedy, where=where)
    host, name = _completed(found["host"], found["name"])
    return Reference(host=host, name=name, digest=digest)


def _completed(host: str | None, name: str) -> tuple[str, str]:
    """A first part is a host where it has a dot or a port, or is `localhost`; without one it is docker.io."""
    if host is not None and not (set(".:[") & set(host) or host == "localhost"):
        host, name = None, f"{host}/{name}"
    if host in {None, "index.docker.io"}:
        host = _DOCKER
    assert host is not None
    if host == _DOCKER and "/" not in name:
        name = f"library/{name}"
    return host.lower(), name


def _shown(text: str) -> str:
    """A text that may be shown on a terminal, in quotes, not longer than a line."""
    short = text if len(text) <= 80 else f"{text[:80]}..."
    return ascii(short)
