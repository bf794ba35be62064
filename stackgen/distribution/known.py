"""The distributions whose packages can be locked, as a table."""

from collections.abc import Mapping
from dataclasses import dataclass

from stackgen.plan import Distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One version of a distribution."""

    codename: str
    """What its archives call it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What has to be known of a distribution to lock its packages and to do without their scripts."""

    title: str
    editions: Mapping[str, Edition]
    """By version."""
    pockets: Mapping[str, bool]
    """What is behind the codename in the names of its suites, and whether it has to be there."""
    component: str
    origin: str
    """As its archives call themselves."""
    other_names: tuple[str, ...]
    """What apt's sources may call it instead of a codename of the table."""
    keyring: str
    """Where its own package of keys puts them."""
    architectures: Mapping[str, str]
    """Its names of the architectures of wheels."""
    packages: tuple[str, ...]
    """What every base has: a shell and what scripts expect, and what a copied interpreter does not bring."""
    for_scripts: tuple[str, ...]
    """What only maintainer scripts would start, so that nothing is brought for depending on it."""


_DEBIAN = Known(
    title="Debian",
    editions={
        "12": Edition(codename="bookworm"),
        "13": Edition(codename="trixie"),
    },
    pockets={"": True, "-updates": False, "-security": False},
    component="main",
    origin="Debian",
    other_names=("bullseye", "forky", "sid", "stable", "oldstable", "testing", "unstable"),
    keyring="/usr/share/keyrings/debian-archive-keyring.gpg",
    architectures={"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64el"},
    packages=(
        *("base-files", "bash", "ca-certificates", "coreutils", "dash", "debianutils", "diffutils"),
        *("findutils", "grep", "gzip", "hostname", "libc-bin", "libc6", "libgcc-s1", "libgomp1"),
        *("libstdc++6", "mawk", "ncurses-base", "ncurses-bin", "netbase", "procps", "sed", "tar"),
        *("tzdata", "util-linux"),
    ),
    for_scripts=("adduser", "debconf", "dpkg", "init-system-helpers", "install-info", "openssl", "ucf"),
)

KNOWN = {"debian": _DEBIAN}


def edition(distribution: Distribution) -> Edition:
    """What the archives of a distribution call it."""
    return KNOWN[distribution.name].editions[distribution.version]
