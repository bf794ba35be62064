"""Cutting a command off from the network and from every file that it has no business to write."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from stackgen.errors import WorkError
from stackgen.run import Command, Runner


class Sandbox(StrEnum):
    """What does the cutting off."""

    BWRAP = "bwrap"
    """bubblewrap: no network, and the whole file system read-only but for what is named."""
    UNSHARE = "unshare"
    """unshare: no network."""
    NONE = "none"
    """Nothing; only where somebody asks for it."""


EMPTY = (Path("/tmp"), Path("/run"))  # noqa: S108
"""What programs find empty in the sandbox, but for what is named."""

_REMEDY = (
    "install bubblewrap, or have user namespaces allowed (sysctl user.max_user_namespaces=15000, and"
    " kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu), or accept a build with the network up by"
    " --sandbox none"
)


def confined(
    command: Command,
    sandbox: Sandbox,
    writable: tuple[Path, ...],
    readable: tuple[Path, ...] = (),
    *,
    nests: bool = False,
) -> Command:
    """The same command inside a sandbox, where it may write below `writable` alone.

    /tmp and /run are empty there; what lies below them and is needed has to be named in `readable`. Paths may
    lead there by symbolic links. What `nests` makes user namespaces in there, as ch-image does.
    """
    # Root may map itself into a namespace with this alone: https://man7.org/linux/man-pages/man7/user_namespaces.7.html
    kept = ("--cap-add", "CAP_SETFCAP") if nests and sandbox == Sandbox.BWRAP and os.geteuid() == 0 else ()
    before = _prefix(command, sandbox, writable, readable)
    if kept:
        before = (*before[:-1], *kept, "--")
    return replace(command, argv=(*before, *command.argv))


def choose(asked: Sandbox | None, run: Runner) -> Sandbox:
    """The sandbox that was asked for, or the best one; WorkError where this machine does not allow it.

    What a machine allows is known only by trying: kernels, containers and security modules all have a say.
    """
    if asked == Sandbox.NONE:
        return asked
    for sandbox in (asked,) if asked else (Sandbox.BWRAP, Sandbox.UNSHARE):
        if _works(sandbox, run):
            return sandbox
    words = f"the sandbox {asked} does not work" if asked else "neither bubblewrap nor unshare works"
    raise WorkError(f"{words} on this machine", _REMEDY)


def _works(sandbox: Sandbox, run: Runner) -> bool:
    nothing = Command(argv=("true",), environment={"PATH": os.defpath}, directory=Path("/"), timeout=30)
    try:
        return run(confined(nothing, sandbox, writable=())).status == 0
    except WorkError:
        return False


def _prefix(
    command: Command, sandbox: Sandbox, writable: tuple[Path, ...], readable: tuple[Path, ...]
) -> tuple[str, ...]:
    match sandbox:
        case Sandbox.BWRAP:
            shown = (*_bound("--ro-bind", readable), *_bound("--bind", writable))
            return (*_BWRAP, *shown, "--chdir", str(command.directory), "--")
        case Sandbox.UNSHARE:
            return (*_unshare(), "--")
        case Sandbox.NONE:
            return ()


def _bound(how: str, paths: Iterable[Path]) -> Iterator[str]:
    """Each where it really is, and by its own name too where a link on the way is not there."""
    for path in paths:
        real = path.resolve()
        yield from (how, str(real), str(real))
        if path != real and is_emptied(path):
            yield from (how, str(real), str(path))


def is_emptied(path: Path) -> bool:
    """Whether a name says that something lies where the sandbox is empty."""
    return any(path.is_relative_to(empty) for empty in EMPTY)


# /run holds the sockets of name service daemons, which would answer although the network is cut.
_BWRAP = (
    # Root would keep its capabilities inside, and could mount everything writable again.
    *("bwrap", "--die-with-parent", "--new-session", "--cap-drop", "ALL"),
    *("--unshare-net", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try"),
    *("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", "/run"),  # noqa: S108
)


def _unshare() -> tuple[str, ...]:
    """Root needs no user namespace, and inside one would lose its access to other people's files."""
    namespaces = ("--net", "--ipc", "--pid", "--fork", "--kill-child")
    return (
        ("unshare", *namespaces)
        if os.geteuid() == 0
        else ("unshare", "--user", "--map-root-user", *namespaces)
    )
