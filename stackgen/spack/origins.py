"""Taking Spack from what a user names: git, an archive, plain directories, a directory of archives."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from stackgen import files
from stackgen.errors import InputError, WorkError
from stackgen.pins import Pin
from stackgen.run import Command, Outcome, Runner, TimeLimitError
from stackgen.spack.archives import ARCHIVES, unpack
from stackgen.spack.content import BYTECODE

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://|([\w.-]+@)?[\w.-]+:")
_PASSED = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "git_ssl_cainfo", "git_ssl_capath")
_SETTINGS = """\
[safe]
\tdirectory = *
[protocol "ext"]
\tallow = never
[http]
\tlowSpeedLimit = 1000
\tlowSpeedTime = 30
[core]
\tautocrlf = false
"""
"""Nothing of other owners' repositories is run, only read; a stalled connection ends."""

_PATIENCE = 60
"""Seconds until an address is taken for one that nothing answers at: firewalls drop without a word."""


class UnreachableError(WorkError):
    """An origin cannot give what is pinned."""


def take(origin: str, pin: Pin, into: Path, run: Runner) -> bool:
    """Bring what is pinned from an origin into a new directory, unless that has nothing of it.

    What comes is not verified. WorkError where the origin cannot be read or is not sound.
    """
    path = Path(origin).expanduser()
    if _ADDRESS.match(origin) and not path.exists():
        return fetch(origin, pin, into, run)
    if not origin or not path.exists():
        raise InputError.of(
            f"{origin or 'nothing'} is not there", "name a git repository, an archive or a directory"
        )
    if path.is_file():
        return _unpacked(path, pin, into)
    if _is_git(path):
        return fetch(str(path.absolute()), pin, into, run)
    return _copied(path, pin, into) or any(_unpacked(archive, pin, into) for archive in _archives(path, pin))


def _unpacked(archive: Path, pin: Pin, into: Path) -> bool:
    if archive.name.endswith(ARCHIVES):
        return unpack(archive, pin, into)
    raise InputError.of(f"{archive} is no archive that can be read", f"take one of {', '.join(ARCHIVES)}")


def _archives(directory: Path, pin: Pin) -> Iterator[Path]:
    """The archives of a directory, of `spack` in it, or of a kit, that may hold Spack by their names.

    Those that are named like what is pinned come first, for each is read to its end.
    """
    for place in (directory, directory / "spack"):
        yield from sorted(path for path in place.glob("*spack*") if path.name.endswith(ARCHIVES))
    kept = (path for path in directory.glob("spack/*/*") if path.name.endswith(ARCHIVES))
    yield from sorted(kept, key=lambda path: (not path.name.startswith(f"{pin.name}-"), path))


def _is_git(directory: Path) -> bool:
    return (directory / ".git").exists() or all((directory / name).exists() for name in ("HEAD", "objects"))


def _copied(directory: Path, pin: Pin, into: Path) -> bool:
    """Copy a plain tree: the directory itself, or one in it, or one in that."""
    for pattern in ("", "*/", "*/*/"):
        for sign in sorted(directory.glob(f"{pattern}{pin.sign}")):
            if sign.is_file():
                root = sign.parents[pin.sign.count("/")]
                unwanted = shutil.ignore_patterns(BYTECODE, ".git")
                with files.reported(f"cannot copy {root}"):
                    shutil.copytree(root, into, symlinks=True, ignore=unwanted)
                return True
    return False


def fetch(address: str, pin: Pin, into: Path, run: Runner) -> bool:
    """Fetch the pinned commit by git; False where the repository has no such commit."""
    work = into.with_name(f"{into.name}.git")
    files.write(into.with_name("gitconfig"), _SETTINGS)
    _git(run, work, "init", "--quiet", "--bare", str(work))
    outcome = _fetched(address, pin, run, work)
    if _git(run, work, "cat-file", "-e", f"{pin.commit}^{{commit}}").status:
        if _lacks(outcome):
            return False
        raise UnreachableError(
            f"git cannot fetch {pin.title} from {address}: {_said(outcome)}", "name another origin by --from"
        )
    archive = into.with_name(f"{into.name}.tar")
    words = ("archive", "--format=tar", f"--output={archive}", pin.commit, *filter(None, (pin.below,)))
    packed = _git(run, work, *words)
    if packed.status:
        raise WorkError(f"git cannot read {pin.title} from {address}", details=packed.stderr)
    return unpack(archive, pin, into)


def _fetched(address: str, pin: Pin, run: Runner, work: Path) -> Outcome:
    """By commit, as nearly every server allows; else by its tag; else with all history."""
    try:
        outcome = _git(run, work, "ls-remote", "--quiet", "--", address, "HEAD", timeout=_PATIENCE)
    except TimeLimitError:
        raise UnreachableError(
            f"{address} does not answer within {_PATIENCE} s", "name another origin by --from"
        ) from None
    if outcome.status:
        return outcome
    for depth, wanted in (("--depth=1", pin.commit), ("--depth=1", f"refs/tags/{pin.tag}"), ("", pin.commit)):
        words = ("--quiet", "--no-tags", *filter(None, (depth,)), "--", address, wanted)
        outcome = _git(run, work, "fetch", *words)
        if outcome.status == 0:
            break
    return outcome


def _said(outcome: Outcome) -> str:
    """What git names first as the reason; of ssh, only the first line tells it."""
    lines = [line.strip() for line in outcome.stderr.splitlines() if line.strip()]
    telling = [line for line in lines if not line.lower().startswith(("warning:", "hint:"))]
    return (telling or [f"exit status {outcome.status}"])[0]


def _lacks(outcome: Outcome) -> bool:
    """Whether git reached a repository, and it has other commits."""
    signs = ("not our ref", "couldn't find remote ref", "no such remote ref", "unadvertised object")
    return not outcome.status or any(sign in outcome.stderr for sign in signs)


def _git(run: Runner, work: Path, *words: str, timeout: float | None = None) -> Outcome:
    if not shutil.which("git"):
        raise WorkError("there is no git", "install it, or name release archives by --from")
    settings = work.with_name("gitconfig")
    passed = {name: text for name, text in os.environ.items() if name.lower() in _PASSED}
    environment = {
        **passed,
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.environ.get("HOME", "/"),  # for .netrc
        "LC_ALL": "C",
        "GIT_CONFIG_GLOBAL": str(settings),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ServerAliveInterval=15",
        **{name: os.environ[name] for name in ("SSH_AUTH_SOCK",) if name in os.environ},
    }
    if words[0] != "init":
        environment["GIT_DIR"] = str(work)
    return run(Command(argv=("git", *words), environment=environment, directory=work.parent, timeout=timeout))
