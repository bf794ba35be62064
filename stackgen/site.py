"""Where this machine may fetch files from: `site.yaml`, else pip's configuration, else uv's default."""

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field

from stackgen.config import load_model
from stackgen.errors import InputError, Place
from stackgen.model.base import Strict, refuse
from stackgen.model.container import DISTRIBUTIONS
from stackgen.model.rules import matching
from stackgen.model.scalars import Directory
from stackgen.pip_settings import PipSettings, pip_settings

NONE = "none"
PUBLIC_SOURCES = "https://mirror.spack.io"
"""Spack's own mirror of sources, which it asks by default."""
VARIABLE = "STACKGEN_SITE"
"""The environment variable that names a site file which wins over the usual ones."""
_ADDRESS = re.compile(r"https?://[^\s/]+(/\S*)?|file:///\S+")


def _address(text: str) -> str:
    """An address may hold a password, so no message shows it."""
    if not _ADDRESS.fullmatch(text):
        raise refuse("this is no address of an index", "begin with https://, http:// or file:///")
    return text


def _index_or_none(text: str) -> str:
    return text if text == NONE else _address(text)


_Index = Annotated[str, AfterValidator(_address)]


class WheelSources(Strict):
    """Where wheels and source distributions are had."""

    index: Annotated[str, AfterValidator(_index_or_none)] | None = None
    """A package index (PEP 503) in place of the public one; `none` where directories hold everything."""
    extra_indexes: Annotated[tuple[_Index, ...], Field(alias="extra-indexes")] = ()
    """Further indexes; a package is taken from the first that has it, and these come before `index`."""
    directories: tuple[Directory, ...] = ()
    """Directories with wheels and source distributions."""


def _mirror_address(text: str) -> str:
    """A directory as an address, and an address without the slash at its end."""
    if text.startswith("/"):
        return Path(text).as_uri()
    if _ADDRESS.fullmatch(text):
        return text.rstrip("/")
    remedy = "begin with https://, http://, file:/// or /"
    raise refuse("this is neither an address nor a directory of a mirror", remedy)


class SourceSources(Strict):
    """Where the sources are had that Spack builds from."""

    mirrors: tuple[Annotated[str, AfterValidator(_mirror_address)], ...] = ()
    """Source mirrors as Spack makes them, by address; they are asked first, in this order."""
    upstream: bool = True
    """Whether the addresses of the makers, and Spack's public mirror, are asked too."""


def _file(text: str) -> str:
    if not text.startswith("/") or not text.isprintable() or re.search(r"[\s\[\]\"]", text):
        raise refuse(f"{text!r} is no file that can be named to apt", "begin with /, without blanks")
    return text


def _distribution(text: str) -> str:
    if text not in DISTRIBUTIONS:
        remedy = f"write one of {', '.join(DISTRIBUTIONS)}"
        raise refuse(f"{text!r} is no distribution that images can stand on", remedy)
    return text


def _some(mirrors: tuple[str, ...]) -> tuple[str, ...]:
    if not mirrors:
        raise refuse("no mirror is named", "name one, or take the distribution out")
    return mirrors


class DistributionSources(Strict):
    """Where the packages of one distribution are had."""

    mirrors: Annotated[tuple[Annotated[str, AfterValidator(_mirror_address)], ...], AfterValidator(_some)]
    """Mirrors of its archives, that of security updates included, as apt's `sources.list` has them."""
    keyring: Annotated[str, AfterValidator(_file)] | None = None
    """What its archives are signed with; where not named, the one that its own package of keys brings."""


_REGISTRY = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?"
_Registry = Annotated[
    str, matching(f"^{_REGISTRY}$", "registry", "write its host as in names of images, such as docker.io")
]
_RegistryPath = Annotated[
    str,
    matching(
        f"^{_REGISTRY}(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$",
        "place in a registry",
        "write HOST, or HOST/PATH, without https://",
    ),
]


class ImageSources(Strict):
    """Where images are had."""

    registries: dict[_Registry, _RegistryPath] = Field(default_factory=dict)
    """What is asked in place of a registry: its host, to another with what comes before the name there."""
    insecure: tuple[_Registry, ...] = ()
    """Hosts whose certificates are not checked, or that speak HTTP alone; digests are checked anyway."""


_Distribution = Annotated[str, AfterValidator(_distribution)]


class SiteFile(Strict):
    """A whole `site.yaml`."""

    wheels: WheelSources | None = None
    sources: SourceSources | None = None
    images: ImageSources | None = None
    distributions: dict[_Distribution, DistributionSources] = Field(default_factory=dict)
    """Where packages for images are had, by the distribution's name, such as `debian`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where files may be fetched from on this machine; addresses may hold credentials and are never shown."""

    origin: str = "uv's default"
    """What says so, for messages."""
    index: str | None = field(default=None, repr=False)
    """None for uv's default."""
    extra_indexes: tuple[str, ...] = field(default=(), repr=False)
    links: tuple[str, ...] = field(default=(), repr=False)
    """Directories with files, or addresses of pages with links to them."""
    no_index: bool = False
    best_match: bool = False
    """Take the best version of all indexes, as pip does, not of the first that has the package."""
    notes: tuple[str, ...] = ()
    """What was left out and why, for the log."""
    source_mirrors: tuple[str, ...] = field(default=(), repr=False)
    """Addresses below which files lie as Spack's source mirrors have them; asked in this order."""
    upstream: bool = True
    """Whether sources are also fetched from their makers, and from Spack's public mirror."""
    registries: Mapping[str, str] = field(default_factory=dict)
    """What is asked in place of a registry of images, by its host."""
    insecure_registries: tuple[str, ...] = ()
    """Hosts whose certificates are not checked."""
    distributions: Mapping[str, DistributionSources] = field(default_factory=dict, repr=False)
    """Where packages of distributions are, by their names; of any other the machine's apt knows."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Everything that is fetched over a network or a `file:` address."""
        archives = (mirror for sources in self.distributions.values() for mirror in sources.mirrors)
        return tuple(
            address
            for address in (self.index, *self.extra_indexes, *self.links, *self.source_mirrors, *archives)
            if address and ":" in address
        )

    def source_addresses(
        self, path: str, makers: tuple[str, ...], indexed: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        """Where a file may be had that lies at this path of a source mirror, the first choice first.

        `indexed` are its addresses on the site's own indexes.
        """
        ours = (*(f"{mirror}/{path}" for mirror in self.source_mirrors), *indexed)
        return (*ours, *makers, f"{PUBLIC_SOURCES}/{path}") if self.upstream else ours

    @property
    def source_directories(self) -> tuple[Path, ...]:
        """The source mirrors that are directories here."""
        local = (urlsplit(mirror) for mirror in self.source_mirrors)
        places = (Path(unquote(parts.path)) for parts in local if parts.scheme == "file")
        return tuple(place for place in places if place.is_dir())

    def registry(self, host: str) -> str:
        """Where images of a registry are had: a host, and maybe what comes before their names there."""
        return self.registries.get(host, host)

    def credentials(self, address: str) -> tuple[str, str] | None:
        """The user and password that the configured address of the same server holds."""
        server = _server(address)
        for known in self.addresses:
            parts = urlsplit(known)
            if parts.username is not None and _server(known) == server:
                return unquote(parts.username), unquote(parts.password or "")
        return None


def _server(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.netloc.rpartition("@")[2].lower()


def without_credentials(address: str) -> str:
    """An address that may be shown and written down."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def system_certificates() -> str | None:
    """The certificates that this machine trusts: a bundle, or a directory; None where it has none."""
    paths = ssl.get_default_verify_paths()
    hashed = paths.capath and any(Path(paths.capath).glob("*.0"))
    return paths.cafile or (paths.capath if hashed else None)


def load_site(environment: Mapping[str, str] = os.environ, etc: Path = Path("/etc")) -> Site:
    """What this machine is configured to use; InputError where a file that says so is faulty."""
    found = [(path, load_model(path, SiteFile)) for path in _site_files(environment, etc)]
    wheels = next(((path, file.wheels) for path, file in found if file.wheels), None)
    site = _from_file(*wheels) if wheels else _from_pip(pip_settings(environment, etc))
    sources = next((file.sources for _, file in found if file.sources), SourceSources())
    images = next((file.images for _, file in found if file.images), ImageSources())
    return replace(
        site,
        source_mirrors=sources.mirrors,
        upstream=sources.upstream,
        registries=images.registries,
        insecure_registries=images.insecure,
        distributions={
            name: known for _, file in reversed(found) for name, known in file.distributions.items()
        },
    )


def _site_files(environment: Mapping[str, str], etc: Path) -> tuple[Path, ...]:
    """The site files that are there, the one that decides first; one that is named has to be there."""
    named = environment.get(VARIABLE)
    if named and not Path(named).is_file():
        raise InputError.of(
            f"{VARIABLE} names {named}, and there is no such file", f"correct or unset {VARIABLE}"
        )
    home = Path(environment.get("HOME") or "/")
    user = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    usual = (user / "stackgen" / "site.yaml", etc / "stackgen" / "site.yaml")
    return (*([Path(named)] if named else []), *(path for path in usual if path.exists()))


def _from_file(path: Path, sources: WheelSources) -> Site:
    for number, directory in enumerate(sources.directories):
        if not _is_usable(directory):
            raise InputError.of(
                f"{directory} is no directory here, or has a comma in its name",
                "mount it, or take it out",
                where=f"wheels.directories[{number}]",
                place=Place(file=str(path)),
            )
    return Site(
        origin=str(path),
        index=None if sources.index == NONE else sources.index,
        extra_indexes=sources.extra_indexes,
        links=sources.directories,
        no_index=sources.index == NONE,
    )


def _from_pip(pip: PipSettings) -> Site:
    links = tuple(link for link in pip.find_links if "://" in link or _is_usable(link))
    return Site(
        origin=f"pip's configuration ({', '.join(pip.origins)})" if pip.origins else "uv's default",
        index=pip.index,
        extra_indexes=pip.extra_indexes,
        links=links,
        no_index=pip.no_index,
        best_match=True,
        notes=tuple(
            f"pip's find-links names {link}: no directory here, or a comma in its name"
            for link in pip.find_links
            if link not in links
        ),
    )


def _is_usable(directory: str) -> bool:
    """Whether uv can look for files there: it takes several directories separated by commas."""
    return Path(directory).is_dir() and "," not in directory
