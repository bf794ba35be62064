"""A kit and its manifest, read with distrust."""

import hashlib
import io
import json
import os
import re
import stat
from typing import BinaryIO, Dict, List, NamedTuple, Optional

from stackgen.inside.installer.telling import RefusalError

_FORMAT = 3
_LARGEST_MANIFEST = 64 * 2**20
"""Bytes; a kit of ten thousand files has a twentieth of it."""
_CHUNK = 2**20


class Entry(NamedTuple):
    """A file as the manifest has it: size in bytes and SHA-256 in hex."""

    size: int
    sha256: str


class Kit:
    """A kit by its directory; nothing of it is used that is not as its manifest says."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.manifest = self._manifest_bytes()
        self.entries = self._entries()

    def _manifest_bytes(self) -> bytes:
        path = os.path.join(self.root, "manifest.json")
        if not os.path.isfile(path):
            raise RefusalError(
                "{} is no kit, or only a part: it has no manifest.json; copy all of it".format(self.root), 2
            )
        if os.path.getsize(path) > _LARGEST_MANIFEST:
            raise RefusalError("{} is far larger than that of any kit; do not trust it".format(path), 2)
        with open(path, "rb") as stream:
            return stream.read(_LARGEST_MANIFEST)

    def _entries(self) -> Dict[str, Entry]:
        damaged = RefusalError("{}/manifest.json is damaged; copy the kit again".format(self.root), 2)
        try:
            content = json.loads(self.manifest.decode("utf-8"))
            number, files = content["format"], content["files"]
            if isinstance(number, int) and number > _FORMAT:
                raise RefusalError(
                    "{} was made by a newer stackgen than this install.py".format(self.root), 2
                )
            entries = {str(line["path"]): Entry(int(line["size"]), str(line["sha256"])) for line in files}
        except (ValueError, KeyError, TypeError, RecursionError):
            raise damaged from None
        if len(entries) != len(files):
            raise damaged
        for path in entries:
            if (
                not path.isprintable()
                or "\\" in path
                or any(part in ("", ".", "..") for part in path.split("/"))
            ):
                raise RefusalError(
                    "{!r} in the manifest leads out of the kit; do not trust it".format(path), 2
                )
        return entries

    def named(self, pattern: str) -> "List[re.Match[str]]":
        """The paths that a pattern is the whole of, sorted."""
        matches = (re.match("(?:{})$".format(pattern), path) for path in sorted(self.entries))
        return [match for match in matches if match]

    def copy(self, path: str, target: str) -> None:
        """Copy a file and compare what was copied with the manifest."""
        with self._opened(path) as source, open(target, "wb") as copied:
            self._pass(path, source, copied)

    def read(self, path: str) -> bytes:
        """The content of a small file."""
        with io.BytesIO() as copied, self._opened(path) as source:
            self._pass(path, source, copied)
            return copied.getvalue()

    def check(self, path: str) -> None:
        """Compare a file with the manifest."""
        with self._opened(path) as source:
            self._pass(path, source, None)

    def _opened(self, path: str) -> BinaryIO:
        """A plain file that no link leads to."""
        place = self.root
        for part in path.split("/"):
            place = os.path.join(place, part)
            if os.path.islink(place):
                raise RefusalError("{} is a symbolic link, and a kit has none; do not trust it".format(place))
        if path not in self.entries:
            raise RefusalError("{} is not in the manifest; make the kit again".format(place))
        try:
            stream = os.fdopen(os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
        except FileNotFoundError:
            raise RefusalError("{} is missing; copy the kit again".format(place)) from None
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            stream.close()
            raise RefusalError("{} is no plain file; copy the kit again".format(place))
        return stream

    def _pass(self, path: str, source: BinaryIO, copied: Optional[BinaryIO]) -> None:
        wanted, digest, size = self.entries[path], hashlib.sha256(), 0
        for chunk in iter(lambda: source.read(_CHUNK), b""):
            size += len(chunk)
            if size > wanted.size:
                break
            digest.update(chunk)
            if copied:
                copied.write(chunk)
        if size != wanted.size or digest.hexdigest() != wanted.sha256:
            raise RefusalError(
                "{}/{} is not as the manifest says; copy the kit again".format(self.root, path)
            )
