"""A SquashFS image of a root file system: the same bytes for the same contents, whoever makes it and when."""

import os
import re
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path

from stackgen import files
from stackgen.errors import WorkError
from stackgen.programs import MKSQUASHFS_REMEDY, mksquashfs_program
from stackgen.rootfs.filesystem import RootFs
from stackgen.run import Command, Outcome, Runner

_OLDEST = (4, 5)
"""The first that reads tar archives."""
_LEVEL = 6
"""Of zstd, by PyTorch of 1.05 GB, seconds of processor and MB: 1: 6, 309; 3: 7, 291; 6: 13, 270; 9: 21, 267;
15: 121, 251."""
_FREE_MEMORY = "see whether memory ran out, and run the same command again"
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}
_MEMORY = "512M"
"""It would take a quarter of the machine's, without being any quicker."""
_VERSION = re.compile(r"mksquashfs version (\d+)\.(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Squasher:
    """A mksquashfs that reads tar archives, and how it is used."""

    run: Runner
    program: Path
    version: str
    """As in 4.5."""
    level: int = _LEVEL
    """Of zstd, 1 to 22."""
    processors: int | None = None
    """As many as there are, where None; the image is the same."""


def squasher(run: Runner, prefix: Path | None = None) -> Squasher:
    """The mksquashfs below a prefix that has one, or else the machine's; WorkError where it is too old."""
    program = mksquashfs_program(prefix)
    argv = (str(program), "-version")
    told = run(Command(argv=argv, environment=_ENVIRONMENT, directory=Path("/"), timeout=60)).stdout
    version = _VERSION.search(told)
    if not version:
        raise WorkError(f"{program} does not say its version", MKSQUASHFS_REMEDY)
    if tuple(map(int, version.groups())) < _OLDEST:
        raise WorkError(f"{program} is {'.'.join(version.groups())}, too old", MKSQUASHFS_REMEDY)
    return Squasher(run=run, program=program, version=".".join(version.groups()))


def squash(root: RootFs, out: Path, by: Squasher) -> None:
    """Write the image, read-only, in the place of whatever was there; its directory has to be there.

    WorkError where a source is broken, or the disk full; then nothing is left.
    """
    with files.reported(f"cannot write {out}"):
        handle, name = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
        os.close(handle)
    beside = Path(name)
    try:
        _make(root, beside, by, out)
        with files.reported(f"cannot write {out}"):
            _settle(beside, out)
    finally:
        beside.unlink(missing_ok=True)


def _make(root: RootFs, beside: Path, by: Squasher, out: Path) -> None:
    argv = (str(by.program), "-", str(beside), *_options(root, by))
    # In place of later times: of the image itself, and of its root, for which the option of 4.5 does nothing.
    environment = {**_ENVIRONMENT, "SOURCE_DATE_EPOCH": str(root.newest)}
    command = Command(argv=argv, environment=environment, directory=out.parent, feed=root.write)
    outcome = by.run(command)
    if outcome.status:
        raise _failed(outcome, out, f"$ {command}\n{outcome.stdout}{outcome.stderr}")


def _options(root: RootFs, by: Squasher) -> tuple[str, ...]:
    return (
        *("-tar", "-noappend", "-no-recovery", "-exit-on-error", "-quiet", "-no-progress"),
        *("-mem", _MEMORY, "-comp", "zstd", "-Xcompression-level", str(by.level)),
        *("-reproducible", "-all-root", "-no-xattrs", "-root-mode", f"{root.mode:o}"),
        *(("-processors", str(by.processors)) if by.processors else ()),
    )


def _settle(beside: Path, out: Path) -> None:
    with beside.open("rb") as stream:
        os.fchmod(stream.fileno(), 0o444)
        os.fsync(stream.fileno())
    beside.replace(out)
    files.sync(out.parent)


def _signal(status: int) -> str:
    """What ended a program, by what it or a sandbox around it left; nothing where it ended by itself."""
    number = -status if status < 0 else status - 128
    return next((one.name for one in signal.Signals if one.value == number), "")


def _failed(outcome: Outcome, out: Path, details: str) -> WorkError:
    if full := files.full_disk(details):
        return WorkError(f"cannot write {out}: {full}", files.MORE_SPACE, details=details)
    if by := _signal(outcome.status):
        return WorkError(f"cannot make {out}: mksquashfs was ended by {by}", _FREE_MEMORY, details=details)
    if "is not supported" in details:
        return WorkError(
            f"cannot make {out}: this mksquashfs has no zstd", MKSQUASHFS_REMEDY, details=details
        )
    lines = (outcome.stderr.strip() or outcome.stdout.strip()).splitlines()
    last = lines[-1].strip() if lines else f"exit status {outcome.status}"
    return WorkError(f"cannot make {out}: mksquashfs: {last}", "the log has the details", details=details)
