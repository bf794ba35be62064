"""Directories in YAML files: on this machine or another, plain, and nobody else's."""

import os
import re
from pathlib import PurePosixPath

from stackgen.model.base import refuse

_SYSTEM_DIRECTORIES = frozenset(
    f"/{name}"
    for name in (
        *("bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "media", "mnt", "opt"),
        *("proc", "root", "run", "sbin", "srv", "sys", "tmp", "usr", "var"),
        *("usr/bin", "usr/include", "usr/lib", "usr/lib64", "usr/libexec", "usr/local", "usr/sbin"),
        *("usr/share", "usr/src", "var/lib", "var/tmp"),
    )
)
_NOT_BELOW = ("/bin/", "/boot/", "/dev/", "/etc/", "/lib/", "/lib64/", "/proc/", "/sbin/", "/sys/")
_HOME = re.compile(r"(~|\$HOME|\$\{HOME\})(?=/|\Z)")


def directory(text: str) -> str:
    """A directory on a machine that need not be this one: absolute and plain."""
    if not text.startswith("/") or ".." in PurePosixPath(text).parts:
        raise refuse(f"{text!r} is not an absolute path", "begin with / and leave out '..'")
    return _plain(text)


def prefix(text: str) -> str:
    """The place of an environment; `~` and `$HOME` at its beginning stand for the admin's home."""
    expanded = _from_home(text)
    if not expanded.startswith("/"):
        raise refuse(f"the prefix {text!r} is not absolute", "begin with / or ~/")
    if ".." in PurePosixPath(expanded).parts:
        raise refuse(f"the prefix {text!r} climbs with '..'", "write the directory itself")
    return _unowned(_plain(re.sub("^/+", "/", os.path.normpath(expanded))), text)


def _from_home(text: str) -> str:
    """The text with the home in full: of the caller's environment, a build remembers no more than that."""
    home = os.environ.get("HOME", "")
    begins = _HOME.match(text)
    rest = text[begins.end() :] if begins else text
    if "$" in rest:
        raise refuse(
            f"the prefix {text!r} holds a variable", "write the directory itself, or begin with ~/ or $HOME/"
        )
    if begins and not home.startswith("/"):
        raise refuse(
            f"the prefix {text!r} begins with the home, and HOME is not set", "write the directory itself"
        )
    return home + rest if begins else text


def _unowned(path: str, text: str) -> str:
    """The path, unless it, or what it leads to by symbolic links, is a home or the system's."""
    home = os.environ.get("HOME")
    for place in (path, os.path.realpath(path)):
        if home and place in {os.path.normpath(home), os.path.realpath(home)}:
            raise refuse(f"the prefix {text!r} is a home", "choose a directory below it, such as ~/hpai")
        if place == "/" or place in _SYSTEM_DIRECTORIES or place.startswith(_NOT_BELOW):
            raise refuse(
                f"the prefix {text!r} belongs to the operating system",
                "choose another directory, such as /opt/hpai",
            )
    return path


def _plain(path: str) -> str:
    # A comma too: uv takes it for the end of a path.
    if re.search(r"[^A-Za-z0-9._+@=/-]", path):
        raise refuse(
            f"{path!r} has characters that paths in scripts cannot hold", "use letters, digits and ._+@=-"
        )
    return path
