"""Where the files of a kit may lie: nothing else is taken from a manifest, and nothing else written."""

import re

from stackgen.lock import is_source_place

ROOT_FILES = ("README", "install.py")
"""Files of the kit as a whole; no environment needs them, and all do."""
AREAS = WHEELS, SOURCES, IMAGES, PACKAGES, SPACK, TOOLS, ENVIRONMENTS = (
    "wheels",
    "sources",
    "images",
    "packages",
    "spack",
    "tools",
    "environments",
)

COMING = f"{IMAGES}/coming"
"""Where blobs are on their way; nothing there is part of the kit."""
_SHA256 = "[0-9a-f]{64}"
_NAME = r"(?!\.)[^/\\]+"
"""A name that no directory and no hidden file has."""
_PLACES = re.compile(
    "|".join(
        (
            *map(re.escape, ROOT_FILES),
            f"{WHEELS}/(?P<folder>[0-9a-f]{{2}})/(?P<wheel>{_SHA256})/{_NAME}",
            rf"{PACKAGES}/(?P<part>[0-9a-f]{{2}})/(?P<package>{_SHA256})/{_NAME}\.deb",
            f"{IMAGES}/sha256/(?P<blob>{_SHA256})",
            f"{SPACK}/{_SHA256}/{_NAME}",
            rf"{TOOLS}/{_NAME}\.toml",
            f"{ENVIRONMENTS}/(?:{_NAME}/)*{_NAME}",
        )
    )
)
_LONGEST = 1000
"""Characters; a path of more is none of ours."""


def misplaced(path: str, sha256: str) -> bool:
    """Whether a file of this SHA-256 may not lie there, by the path relative to the kit."""
    if len(path) > _LONGEST or not path.isprintable() or path.endswith(".part"):
        return True
    if area(path) == SOURCES:
        return not is_source_place(path.removeprefix(f"{SOURCES}/"), sha256)
    place = _PLACES.fullmatch(path)
    if place is None:
        return True
    named = place["blob"] or place["wheel"] or place["package"] or sha256
    folder = place["folder"] or place["part"] or sha256[:2]
    return (folder, named) != (sha256[:2], sha256)


def area(path: str) -> str:
    """The first directory of a path; empty for the files of the kit as a whole."""
    return path.partition("/")[0] if "/" in path else ""


def by_content(path: str) -> bool:
    """Whether the place names the content, so that nothing else will ever lie there."""
    return area(path) in {WHEELS, SOURCES, IMAGES, PACKAGES, SPACK}
