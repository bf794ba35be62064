"""A build cache: finished packages by their hashes, for other prefixes."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from stackgen.errors import WorkError
from stackgen.graph import Node
from stackgen.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """A directory that is a binary mirror of Spack, without signatures: who may write to it is trusted."""

    directory: Path
    writable: bool

    def holds(self, node: Node) -> bool:
        """Whether there is an entry of a package; only when it is taken it turns out whether it is whole."""
        entry = f"v3/manifests/spec/{node.name}/{node.file_name}.spec.manifest.json"
        return (self.directory / entry).exists()


def open_cache(directory: Path, progress: Progress) -> Cache:
    """The cache in a directory, made where it is not there; one that may not be written to is only read."""
    if not directory.is_dir():
        try:
            directory.mkdir(parents=True)
        except OSError as error:
            what = f"cannot make the build cache {directory}: {error.strerror}"
            raise WorkError(what, "name a directory that you may make with --cache") from None
    writable = _is_writable(directory)
    if not writable:
        progress.say(f"the build cache {directory} cannot be written to: it is used, and nothing is added")
    return Cache(directory=directory, writable=writable)


def _is_writable(directory: Path) -> bool:
    """Whether a file can be made there: of a file system mounted read-only, permissions say nothing."""
    try:
        handle, name = tempfile.mkstemp(prefix=".stackgen-", dir=directory)
    except OSError:
        return False
    os.close(handle)
    Path(name).unlink()
    return True
