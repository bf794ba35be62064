"""Remove what nobody needs: each thing is first out of sight, in one rename, and gone afterwards.

A kill at any moment leaves a prefix where all that is seen is whole; the next call goes on. A release goes
before what it stands on, and Spack forgets a package before its files go.
"""

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from stackgen import files
from stackgen.errors import WorkError
from stackgen.gc.things import ASIDE, Kind, Thing
from stackgen.progress import Progress
from stackgen.publish import Spider, show_again
from stackgen.run import Runner, succeed
from stackgen.spack import find_spack
from stackgen.spack.start import spack_command

_SCRIPT = Path(__file__).parents[1] / "inside/store/forget.py"


def remove(
    prefix: Path, unneeded: Iterable[Thing], run: Runner, progress: Progress, spider: Spider | None
) -> None:
    """Remove things below a prefix, which the caller holds."""
    things: dict[Kind, list[Thing]] = defaultdict(list)
    for thing in unneeded:
        things[thing.kind].append(thing)
    for thing in (*things["left over"], *things["release"]):
        _remove(thing, progress)
    show_again(prefix, spider)  # each time: who removed a release may have been killed before
    for thing in (*things["publication"], *things["framework"], *things["image"]):
        _remove(thing, progress)
    _remove_packages(prefix, things["package"], run, progress)


def _remove(thing: Thing, progress: Progress, aside: Path | None = None) -> None:
    path = thing.path
    if not path.exists() and not path.is_symlink():
        return
    with files.reported(f"cannot remove {path}"):
        away = path if path.name.startswith(".") else (aside or path.with_name(f"{ASIDE}{path.name}"))
        if away != path:
            _delete(away)
            path.rename(away)
        described = path.with_suffix(".json") if thing.kind == "image" else None
        if described:
            described.unlink(missing_ok=True)
        _delete(away)
    if thing.kind == "publication" and not any(path.parent.iterdir()):
        path.parent.rmdir()
    progress.log(f"removed {path}")


def _delete(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    else:
        files.remove(path)


def _remove_packages(prefix: Path, packages: list[Thing], run: Runner, progress: Progress) -> None:
    if not packages:
        return
    try:
        _forget(prefix, [thing.hash for thing in packages], run)
    except WorkError as error:
        progress.say(f"note: {len(packages)} packages of Spack's stay, for it cannot be asked: {error}")
        return
    aside = prefix / "store/.removed"
    with files.reported(f"cannot work in {prefix}"):
        aside.mkdir(exist_ok=True)
    for thing in packages:
        _remove(thing, progress, aside / thing.name)
    files.remove(aside)


def _forget(prefix: Path, hashes: list[str], run: Runner) -> None:
    """Have Spack's database say that these are not installed."""
    home = find_spack()
    with tempfile.TemporaryDirectory(prefix="stackgen-gc-") as scratch:
        question = Path(scratch) / "question.json"
        files.write(question, json.dumps({"hashes": hashes}))
        words = ("python", str(_SCRIPT), str(question))
        scopes = prefix / "spack/config"
        command = spack_command(home, words, scopes=scopes, scratch=Path(scratch), directory=prefix)
        succeed(run, command, "Spack could not forget packages")
