"""The stage that puts the pinned Spack where stackgen finds it, verified, compiled and read-only."""

import os
import sys
from pathlib import Path

from stackgen import files
from stackgen.errors import InputError, WorkError
from stackgen.interpreters import INSIDE
from stackgen.pins import PINS, Pin, Pins
from stackgen.progress import Progress
from stackgen.run import Command, Runner, succeed
from stackgen.spack import spack_command
from stackgen.spack.content import difference
from stackgen.spack.home import (
    MARKER,
    SpackHome,
    absent,
    find_spack,
    home_in,
    incomplete,
    marker_text,
    spack_place,
)
from stackgen.spack.origins import UnreachableError, fetch, take

_INDEX = "import spack.repo; spack.repo.PATH.provider_index"
"""Makes all of Spack's indexes of its packages; they land in its cache."""


def bootstrap(  # noqa: PLR0913 - tests have pins of their own
    origins: tuple[str, ...],
    place: Path,
    run: Runner,
    progress: Progress,
    pins: Pins = PINS,
    *,
    offline: bool = False,
) -> bool:
    """Put Spack and its packages into a place, from these origins first, else from their public addresses.

    Offline, from these origins alone. False where it is there already. A kill leaves what was there, and
    what the next call removes.
    """
    if not incomplete(place, pins):
        return False
    _check(place)
    with files.exclusive(place.parent, progress):
        if not incomplete(place, pins):  # another process was quicker
            return False
        for left_over in place.parent.glob(f".making-{place.name}-*"):
            files.remove(left_over)
        work = place.parent / f".making-{place.name}-{os.getpid()}"
        try:
            _bring(origins, work, run, progress, pins, offline=offline)
            _finish(work, place, run, progress, pins)
        finally:
            files.remove(work)
    return True


def spack_from(kit: Path, run: Runner, progress: Progress, pins: Pins = PINS) -> SpackHome:
    """The bootstrapped Spack; where there is none, it comes from a kit, and nothing is fetched."""
    place = spack_place(pins)
    if absent(place, pins):
        bootstrap((str(kit),), place, run, progress, pins, offline=True)
    return find_spack(pins)


def verify(place: Path, pins: Pins = PINS) -> None:
    """Read all of a bootstrapped Spack; WorkError where anything of it is not what is pinned."""
    defect = incomplete(place, pins)
    if defect:
        raise WorkError(defect, "run `stackgen bootstrap`")
    for pin in pins:
        differs = difference(place / pin.name, pin)
        if differs:
            raise WorkError(
                f"{place / pin.name} was altered: {differs}", f"remove {place}, and run `stackgen bootstrap`"
            )


def _check(place: Path) -> None:
    """Nothing is replaced but a Spack of ours."""
    with files.reported(f"cannot use {place}"):
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            raise InputError.of(f"{place} is no directory", "name another place")
        if place.exists() and any(place.iterdir()) and not (place / MARKER).exists():
            raise InputError.of(f"{place} holds something else already", "name another place, or remove it")


def _bring(  # noqa: PLR0913 - as `bootstrap`
    origins: tuple[str, ...], work: Path, run: Runner, progress: Progress, pins: Pins, *, offline: bool
) -> None:
    """Have both parts in the workshop, verified."""
    with files.reported(f"cannot work in {work}"):
        (work / "whole").mkdir(parents=True)
    for pin in pins:
        with progress.task(pin.title, 0):
            aside = work / f"taken-{pin.name}"
            tree = _taken(pin, origins, aside, run)
            if tree is None and offline:
                raise WorkError(
                    f"{pin.title} is not in {', '.join(origins)}",
                    "run `stackgen bootstrap`, or `stackgen mirror create` for the kit where Spack is",
                )
            tree = tree or _public(pin, origins, aside, run, progress)
        differs = difference(tree, pin)
        if differs:
            raise WorkError(
                f"what was given is not {pin.title}: {differs}",
                "name a whole and unaltered copy, or none, by --from",
            )
        tree.rename(work / "whole" / pin.name)


def _taken(pin: Pin, origins: tuple[str, ...], aside: Path, run: Runner) -> Path | None:
    """What the first origin has that has it."""
    for number, origin in enumerate(origins):
        tree = aside / str(number) / "tree"
        tree.parent.mkdir(parents=True)
        if take(origin, pin, tree, run):
            return tree
    return None


def _public(pin: Pin, origins: tuple[str, ...], aside: Path, run: Runner, progress: Progress) -> Path:
    """Fetch what no origin has from its public address."""
    if origins:
        progress.say(f"{pin.title} is not in {', '.join(origins)}; fetching it from {pin.address}")
    tree = aside / "public/tree"
    tree.parent.mkdir(parents=True)
    remedy = f"name a copy of {pin.title}, commit {pin.commit}, by --from"
    try:
        if fetch(pin.address, pin, tree, run):
            return tree
    except UnreachableError as error:
        raise WorkError(error.what, remedy) from None
    raise WorkError(f"{pin.address} does not have {pin.title}", remedy)


def _finish(work: Path, place: Path, run: Runner, progress: Progress, pins: Pins) -> None:
    """What makes it quick, then the marker, then the name."""
    whole = work / "whole"
    _compile(whole, place, run, progress)
    _index(work, run, progress)
    files.write(whole / MARKER, marker_text(pins))
    files.flush(whole)
    _settle(whole, place)


def _compile(whole: Path, place: Path, run: Runner, progress: Progress) -> None:
    """Who may not write beside a source compiles it again at every start."""
    program = (INSIDE / "bytecode.py").read_text(encoding="utf-8")
    command = Command(
        argv=(sys.executable, "-I", "-S", "-", str(whole), str(place)),
        environment={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        directory=whole,
        stdin=program,
    )
    with progress.task("bytecode", 0):
        succeed(run, command, "cannot compile Spack")


def _index(work: Path, run: Runner, progress: Progress) -> None:
    whole, scratch = work / "whole", work / "scratch"
    home = home_in(whole)
    bare = SpackHome(spack=home.spack, packages=home.packages)
    words = ("python", "-c", _INDEX)
    with progress.task("index of packages", 0):
        command = spack_command(bare, words, scopes=None, scratch=scratch, directory=work)
        succeed(run, command, "Spack does not run", "see `stackgen doctor`")
    with files.reported(f"cannot write {whole}/index"):
        (scratch / "cache/cache").rename(whole / "index")


def _settle(whole: Path, place: Path) -> None:
    """Swap in what is finished; what was there is no Spack that works, and goes."""
    if place.exists():
        with files.reported(f"cannot replace {place}"):
            place.chmod(0o755)
            place.rename(whole.with_name("replaced"))
    files.settle(whole, place)
