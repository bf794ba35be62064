"""The directory of a catalog: whose it is, what it keeps, and how new pages get into it."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from stackgen import files
from stackgen.catalog.pages import STANDING
from stackgen.catalog.values import Catalog
from stackgen.errors import InputError, WorkError
from stackgen.host import spoken
from stackgen.model.base import Strict
from stackgen.progress import Progress
from stackgen.tree import File, Tree

OWNER = "catalog.json"
"""What tells in the directory whose it is."""
_NEW = ".new-"
_OWN = frozenset({".lock", ".lock-holder"})
_STANDING = re.compile(f"{re.escape(STANDING[0])}.*?{re.escape(STANDING[1])}", re.DOTALL)
_GONE = (
    f"{STANDING[0]}\n"
    '<p class="note warn">This release is no longer there: its modules cannot be loaded. '
    "The overview says what can.</p>\n"
    f"{STANDING[1]}"
)


class Owner(Strict):
    """`catalog.json`: which prefix a directory tells of, and the releases that have pages."""

    format: Literal[1] = 1
    prefix: str
    environment: str
    system: str
    releases: tuple[str, ...]
    """The newest first; also those of which the pages alone are left."""


def kept_releases(directory: Path, catalog: Catalog) -> tuple[str, ...]:
    """The releases of which a directory has pages, and the prefix nothing any more, the newest first.

    InputError where the directory is another's, or holds what no catalog does.
    """
    owner = _owner(directory, catalog.prefix)
    current = {release.name for release in catalog.releases}
    gone = [name for name in owner.releases if name not in current] if owner else []
    return tuple(name for name in gone if (directory / "releases" / name / "index.html").is_file())


def _owner(directory: Path, prefix: str) -> Owner | None:
    """Whose a directory is; None where it is new."""
    if directory.resolve().is_relative_to(Path(prefix).resolve()):
        what = f"{directory} lies in the prefix {prefix}, which holds what is installed alone"
        raise InputError.of(what, "name a directory outside of it by -o")
    with files.reported(f"cannot read {directory}"):
        if directory.exists() and not directory.is_dir():
            raise InputError.of(f"{directory} is a file", "name another directory by -o")
        names = {path.name for path in directory.iterdir()} if directory.exists() else set()
    if OWNER not in names:
        strangers = sorted(name for name in names - _OWN if not name.startswith(_NEW))
        if strangers:
            what = f"{directory} holds what no catalog does: {strangers[0]}"
            raise InputError.of(what, "name an empty directory, or a new one, by -o")
        return None
    return _same_owner(directory, prefix)


def _same_owner(directory: Path, prefix: str) -> Owner:
    try:
        owner = Owner.model_validate_json((directory / OWNER).read_bytes())
    except (OSError, ValidationError) as error:
        what = f"{directory / OWNER} cannot be read"
        raise WorkError(what, "name another directory by -o", details=str(error)) from None
    if Path(owner.prefix).resolve() != Path(prefix).resolve():
        whose = f"{owner.environment} on {spoken(owner.system)}"
        what = f"{directory} is the catalog of {whose}, which is in {owner.prefix}"
        raise InputError.of(what, f"give {prefix} a directory of its own by -o")
    return owner


def write_site(
    tree: Tree, directory: Path, catalog: Catalog, kept: tuple[str, ...], progress: Progress
) -> int:
    """Put the pages in place, the overview last, and leave what is kept; how many files have changed.

    All of them are on the disk before the first is replaced, each in one step: a kill leaves a whole page
    everywhere, and a full disk all as it was.
    """
    whole = tree | _gone(directory, kept) | Tree({OWNER: File(_told(catalog, kept))})
    _make_readable(directory)
    with files.exclusive(directory, progress):
        _owner(directory, catalog.prefix)  # whoever held it until now may have made it theirs
        with _beside(directory) as beside:
            changed = _written(whole, directory, beside)
            _replace(changed, directory, beside)
            _remove_others(directory, whole, catalog)
    return len(changed)


def _told(catalog: Catalog, kept: tuple[str, ...]) -> str:
    current = catalog.current
    owner = Owner(
        prefix=catalog.prefix,
        environment=current.environment,
        system=current.system,
        releases=(*(release.name for release in catalog.releases), *kept),
    )
    return owner.model_dump_json(indent=1) + "\n"


def _gone(directory: Path, kept: tuple[str, ...]) -> Tree:
    """The pages of releases that are not there any more, which now say so."""
    found = {}
    for name in kept:
        place = directory / "releases" / name
        with files.reported(f"cannot read {place}"):
            for path in sorted(place.rglob("*.html")):
                text = path.read_text(encoding="utf-8", errors="replace")
                found[path.relative_to(directory).as_posix()] = File(_STANDING.sub(lambda _: _GONE, text))
    return Tree(found)


@contextmanager
def _beside(directory: Path) -> Iterator[Path]:
    """A directory for what is not yet in place; what a killed run has left of such goes first."""
    with files.reported(f"cannot write to {directory}"):
        for left in directory.glob(f"{_NEW}*"):
            files.remove(left)
        beside = Path(tempfile.mkdtemp(prefix=_NEW, dir=directory))
    try:
        yield beside
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _written(tree: Tree, directory: Path, beside: Path) -> list[str]:
    """Write what differs from what is there, and flush it once; the paths in the order of their places."""
    changed = [path for path, file in tree.items() if _text(directory / path) != file.text]
    with files.reported(f"cannot write the catalog to {directory}"):
        for path in changed:
            place = beside / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(tree[path].text, encoding="utf-8")
            place.chmod(0o644)
    files.flush(beside)
    return sorted(changed, key=lambda path: (path in {"index.html", OWNER}, path))


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _make_readable(directory: Path) -> None:
    """Make a directory that is not there, for everybody to read, whatever the umask."""
    if not directory.is_dir():
        with files.reported(f"cannot make {directory}"):
            directory.mkdir(parents=True)
            directory.chmod(0o755)


def _replace(changed: list[str], directory: Path, beside: Path) -> None:
    with files.reported(f"cannot write the catalog to {directory}"):
        for path in changed:
            for parent in reversed((directory / path).parents[: path.count("/")]):
                _make_readable(parent)
            (beside / path).replace(directory / path)


def _remove_others(directory: Path, whole: Tree, catalog: Catalog) -> None:
    """Remove the pages of frameworks that a release has no more, built anew under its name."""
    for release in catalog.releases:
        for path in (directory / "releases" / release.name).rglob("*.html"):
            if path.relative_to(directory).as_posix() not in whole:
                path.unlink(missing_ok=True)
