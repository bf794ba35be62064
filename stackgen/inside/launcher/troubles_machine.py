"""What programs need of the node whatever they are: room for files, and what mounts containers."""

import os
import shlex
from typing import Iterator, List, Mapping, Optional

from stackgen.inside.launcher.description import Site
from stackgen.inside.launcher.surroundings import Loaded
from stackgen.inside.launcher.troubles import Trouble, forgetting

_ROOM = 100 * 2**20
"""Bytes below which caches and temporary files soon fail."""
_ENTRIES = 100


def machine_troubles(
    site: Site, one: Optional[Loaded], environ: Mapping[str, str], root: str = "/"
) -> List[Trouble]:
    """What this node lacks; `root` is where it is seen. Quotas show here only where the file system tells."""
    return [*_home(environ), *_temporary(environ), *(_containers(site, one, root) if one else ())]


def _home(environ: Mapping[str, str]) -> Iterator[Trouble]:
    home = environ.get("HOME", "")
    if not home:
        yield Trouble(
            "HOME is not set: nothing can be kept, caches of programs included.", "unset HOME; export HOME=~"
        )
    elif not os.path.isdir(home):
        yield Trouble(
            f"HOME is {home}, which is not there: nothing can be kept, caches of programs included."
        )
    else:
        yield from _room("your home", home, f"du -xh --max-depth=1 {shlex.quote(home)} | sort -h | tail")


def _temporary(environ: Mapping[str, str]) -> Iterator[Trouble]:
    named = environ.get("TMPDIR", "")
    if named and not os.path.isdir(named):
        text = f"TMPDIR is {named}, which is not there: programs that write temporary files fail."
        yield Trouble(text, forgetting(environ, "TMPDIR"))
        named = ""
    for place in dict.fromkeys((named or "/tmp", "/tmp")):  # noqa: S108 - where programs put theirs
        yield from _room("temporary files", place, "")


def _room(what: str, place: str, remedy: str) -> Iterator[Trouble]:
    """Whether something can still be written in a directory, as far as one sees without trying."""
    if not os.access(place, os.W_OK):
        yield Trouble(f"{place}, for {what}, may not be written by you.")
        return
    try:
        told = os.statvfs(place)
    except OSError as error:
        yield Trouble(f"{place}, for {what}, does not answer: {error.strerror}.")
        return
    left = told.f_bavail * told.f_frsize
    if told.f_blocks and left < _ROOM:
        yield Trouble(f"{place}, for {what}, has {left // 2**20} MB left: make room.", remedy)
    elif told.f_files and told.f_favail < _ENTRIES:
        yield Trouble(f"{place}, for {what}, takes only {told.f_favail} more files: remove some.")


def _containers(site: Site, one: Loaded, root: str) -> Iterator[Trouble]:
    """What keeps its image from being mounted, as its own commands say it."""
    if not one.framework.image:
        return
    ask = f"Ask those who run {site.system}"
    if not os.access(os.path.join(root, "dev", "fuse"), os.R_OK | os.W_OK):
        text = "/dev/fuse cannot be used, by which images are mounted."
        yield Trouble(f"{text} {ask} for the module fuse, and mode 0666.")
    kernel = os.path.join(root, "proc", "sys")
    limits = ("user/max_user_namespaces", "kernel/unprivileged_userns_clone")
    none = [path for path in limits if _first_line(os.path.join(kernel, path)) == "0"]
    if none:
        text = "This machine lets users make no namespaces, which containers need."
        yield Trouble(f"{text} {ask} to set {' and '.join(path.replace('/', '.') for path in none)}.")


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as stream:
            return stream.readline().strip()
    except OSError:
        return ""
