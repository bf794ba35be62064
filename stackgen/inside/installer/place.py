"""The directory that stackgen is put into, and where in it the work is done."""

import contextlib
import errno
import fcntl
import glob
import os
import re
import shutil
from typing import Dict, Iterator

from stackgen.inside.installer.kit import Kit
from stackgen.inside.installer.telling import USUAL_PATH, RefusalError, say

_PLAIN = r"[A-Za-z0-9._+@=/-]+"


def prepare(directory: str, kit: Kit) -> None:
    """Make the directory, unless it is there and ours; what is anybody else's is refused."""
    if not re.match(_PLAIN + "$", directory):
        raise RefusalError(
            "{!r} has characters that scripts cannot hold; use letters, digits and ._+@=-".format(directory),
            2,
        )
    if (os.path.realpath(directory) + "/").startswith(os.path.realpath(kit.root) + "/"):
        raise RefusalError(
            "{} is in the kit, which stays as it is; name another directory".format(directory), 2
        )
    if os.path.exists(directory) and not os.path.isdir(directory):
        raise RefusalError("{} is no directory; name another".format(directory), 2)
    if os.path.isdir(directory) and not set(os.listdir(directory)) <= {"bin", "share", "versions"}:
        raise RefusalError("{} holds something else already; name a new directory".format(directory), 2)
    launchers = os.path.join(directory, "bin")
    if os.path.isdir(launchers) and not os.path.isdir(os.path.join(directory, "versions")):
        raise RefusalError("{} holds something else already; name a new directory".format(directory), 2)
    os.makedirs(os.path.join(directory, "versions"), exist_ok=True)


@contextlib.contextmanager
def held(directory: str) -> Iterator[None]:
    """Hold the place for this process and those that it starts, which a kill may leave behind.

    File systems without locks do without.
    """
    with open(os.path.join(directory, "versions", ".lock"), "w") as lock:
        os.set_inheritable(lock.fileno(), True)  # noqa: FBT003 - it takes no name
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                say("another install.py is working in {}; waiting for it".format(directory))
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def workshop(directory: str) -> Iterator[str]:
    """A directory to work in, which goes; what killed ones left goes too."""
    versions = os.path.join(directory, "versions")
    for left_over in glob.glob(os.path.join(glob.escape(versions), ".making-*")):
        shutil.rmtree(left_over)
    work = os.path.join(versions, ".making-{}".format(os.getpid()))
    for name in ("wheels", "home", "tmp"):
        os.makedirs(os.path.join(work, name))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def bare_environment(work: str) -> Dict[str, str]:
    """Nothing of the caller's; what is written outside of what is asked for goes with the workshop."""
    return {
        "PATH": USUAL_PATH,
        "HOME": os.path.join(work, "home"),
        "TMPDIR": os.path.join(work, "tmp"),
        "LC_ALL": "C.UTF-8",
    }


def write(path: str, text: str) -> None:
    """Put a text in place in one step, unless it is there."""
    with contextlib.suppress(OSError), open(path) as present:
        if present.read() == text and os.access(path, os.X_OK):
            return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    part = "{}.{}".format(path, os.getpid())
    with open(part, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.chmod(part, 0o755)
    os.rename(part, path)
