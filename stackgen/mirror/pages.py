"""Sources of Python packages on the site's own indexes: their makers' address is one that many sites shut."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

from stackgen.errors import WorkError
from stackgen.mirror.wanted import Wanted
from stackgen.site import Site

_PYTHON = "py-"
"""How the names of Spack's Python packages begin."""


class _Links(HTMLParser):
    """The links of a page of an index (PEP 503), by the SHA-256 that they name."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._base = address

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in a link, or what the links of the page are relative to."""
        target = dict(attrs).get("href")
        if tag == "base" and target:
            self._base = urljoin(self._base, target)
        elif tag == "a" and target:
            address, fragment = urldefrag(urljoin(self._base, target))
            algorithm, _, digest = fragment.partition("=")
            if algorithm == "sha256":
                self.found.setdefault(digest, address)


def on_indexes(wants: Collection[Wanted], site: Site) -> dict[Wanted, tuple[str, ...]]:
    """The addresses of these sources on the site's indexes, by their hashes; nothing where it names none."""
    indexes = () if site.no_index else (*site.extra_indexes, *((site.index,) if site.index else ()))
    projects: dict[str, list[Wanted]] = {}
    for want in wants:
        if want.package.startswith(_PYTHON):
            projects.setdefault(_project(want), []).append(want)
    found: dict[Wanted, tuple[str, ...]] = {}
    if projects and indexes:
        pages = [f"{index.rstrip('/')}/{project}/" for index in indexes for project in projects]
        links = _links(pages, site)
        for project, theirs in projects.items():
            listed = [links[f"{index.rstrip('/')}/{project}/"] for index in indexes]
            for want in theirs:
                found[want] = tuple(page[want.sha256] for page in listed if want.sha256 in page)
    return found


def _project(want: Wanted) -> str:
    try:
        wheel = want.name.endswith(".whl")
        return parse_wheel_filename(want.name)[0] if wheel else parse_sdist_filename(want.name)[0]
    except (InvalidWheelFilename, InvalidSdistFilename):
        return canonicalize_name(want.package.partition(" ")[0].removeprefix(_PYTHON))


def _links(pages: list[str], site: Site) -> Mapping[str, Mapping[str, str]]:
    """The links of each page; none of one that cannot be had, for there are other addresses."""
    from stackgen.download import AT_ONCE, Client  # noqa: PLC0415 - slow

    client = Client(site)

    def read(page: str) -> dict[str, str]:
        links = _Links(page)
        try:
            links.feed(client.text(page))
        except WorkError:
            return {}
        return links.found

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(pages, pool.map(read, pages), strict=True))
