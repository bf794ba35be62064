"""The switch of `current`: forward by `publish`, back by `rollback`, and what both find below a prefix."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Literal

from stackgen import files
from stackgen.errors import InputError, WorkError
from stackgen.lock import digest, read_lock
from stackgen.model.base import near
from stackgen.publish.cache import Spider, refresh, without_cache
from stackgen.publish.history import Published, note, read_history
from stackgen.publish.publication import MODULES, has_hierarchy, module_path, publication
from stackgen.publish.staging import compare, place_of, staged, tested
from stackgen.release import LOCK, InstalledFramework, Release, is_whole, read_release
from stackgen.tree import Tree


def published(prefix: Path, release: str, request: str) -> Release | None:
    """The current release if it is this one and whole; starts nothing, reads one file."""
    current = current_release(prefix)
    if current is None or (current.name, current.request) != (release, request):
        return None
    whole = place_of(prefix, release).is_dir() and not _missing(current) and _is_complete(prefix, current)
    return current if whole else None


def current_release(prefix: Path) -> Release | None:
    """The release that users get; None where there is none, or nothing is left of it."""
    try:
        return read_release(prefix / "current")
    except WorkError:
        return None


def publish(prefix: Path, release: str, spider: Spider | None = None) -> Release:
    """Make a staged, tested release the current one; the caller holds the prefix for itself.

    `spider` makes the cache for Lmod; without one there is none.
    A kill at any moment leaves the old or the new release current, and the next call goes on from there.
    """
    waiting, place = staged(prefix, release), place_of(prefix, release)
    if waiting.is_dir():
        wanted = tested(waiting)
        if place.exists():
            compare(place, wanted, read_lock(waiting / LOCK))
        else:
            files.settle(waiting, place)
        files.remove(waiting)
    elif not place.exists():
        raise InputError.of(
            f"there is no release {release} to publish in {prefix}", "run `stackgen build` on its environment"
        )
    return _switch(prefix, read_release(place), "publish", spider)


def rollback(prefix: Path, release: str | None, spider: Spider | None = None) -> Release:
    """Make a release that was published before the current one; without a name, the one before it."""
    known = {entry.release.name: entry for entry in releases(prefix)}
    if not known:
        raise InputError.of(f"nothing is published in {prefix}", "run `stackgen build` on an environment")
    target = known.get(release) if release else _before(prefix, known)
    if target is None:
        raise _no_target(prefix, release, known)
    if target.missing:
        raise WorkError(
            f"release {target.release.name} is not whole: {', '.join(target.missing)} is gone",
            "build its environment again",
        )
    return _switch(prefix, target.release, "rollback", spider)


def show_again(prefix: Path, spider: Spider | None = None) -> None:
    """Have users see the current release without what is gone of others; the caller holds the prefix."""
    if name := _current_name(prefix):
        files.point(prefix / "current", _publication(prefix, name, releases(prefix), spider))
        files.sync(prefix)


def _before(prefix: Path, known: dict[str, Published]) -> Published | None:
    current = _current_name(prefix)
    candidates = (known.get(name) for name in read_history(prefix).before(current))
    return next((entry for entry in candidates if entry and not entry.missing), None)


def _no_target(prefix: Path, release: str | None, known: dict[str, Published]) -> InputError:
    choice = f"use one of {', '.join(known)}"
    if release:
        return InputError.of(f"there is no release {release} in {prefix}", near(release, known, choice))
    current = _current_name(prefix)
    others = [name for name in known if name != current]
    remedy = f"name one of {', '.join(others)}" if others else "there is no other in this prefix"
    return InputError.of(f"no release was published before {current}", remedy)


def releases(prefix: Path) -> tuple[Published, ...]:
    """The published releases, the oldest publication first; what is no release is passed over."""
    found = [release for release in map(_release_in, _directories(prefix / "releases")) if release]
    history, current = read_history(prefix), _current_name(prefix)
    listed = (
        Published(
            release=release,
            current=release.name == current,
            published=history.published(release.name),
            missing=tuple(framework.place for framework in _missing(release)),
        )
        for release in found
    )
    return tuple(sorted(listed, key=lambda entry: history.place(entry.release.name)))


def _switch(
    prefix: Path, release: Release, how: Literal["publish", "rollback"], spider: Spider | None
) -> Release:
    """Point `current` at a release, its predecessor's modules still there and its own announced before.

    Between listing a directory and reading its `.modulerc.lua`, Lmod may see `current` move. So the names are
    added first, hidden, and only then does the choice among them change.
    """
    current = _current_name(prefix)
    _mend_history(prefix, current)
    if current == release.name and _is_complete(prefix, release):
        return release
    note(prefix, release.name, how)
    known = releases(prefix)
    for name in (current, release.name):
        if name in {entry.release.name for entry in known}:
            files.point(prefix / "current", _publication(prefix, name, known, spider))
    files.sync(prefix)
    return release


def _mend_history(prefix: Path, current: str) -> None:
    """Who was killed had noted a switch that did not come: users went on with what was current."""
    switches = read_history(prefix).switches
    if current and switches and switches[-1].release != current:
        note(prefix, current, "rollback")


def _publication(prefix: Path, name: str, known: tuple[Published, ...], spider: Spider | None) -> str:
    """Write what users see while a release is current; its path relative to the prefix, by its content."""
    others = (_modules(prefix, entry) for entry in reversed(known) if entry.release.name != name)
    said = next(entry.release.deprecations for entry in known if entry.release.name == name)
    own, shown = files.read_tree(place_of(prefix, name)), prefix / "current"
    tree = publication(own, others, shown, [one.told for one in said])
    cached = spider is not None and has_hierarchy(tree)
    content = {path: file.text for path, file in tree.items()}
    place = prefix / "publications" / name / digest({**content, **({"": "cached"} if cached else {})})[:12]
    if place.exists() and without_cache(files.read_tree(place)) == tree:
        refresh(place)
        return str(place.relative_to(prefix))
    files.remove(place)
    beside = place.with_name(f".{place.name}")
    files.remove(beside)
    files.write_tree(tree, beside)
    if spider and cached:
        files.write_tree(spider.cache(beside, prefix / "current"), beside)
    files.settle(beside, place)
    refresh(place)
    return str(place.relative_to(prefix))


def _modules(prefix: Path, entry: Published) -> Tree:
    """The modules of a release, but for those of frameworks that are gone."""
    release = entry.release
    gone = {
        module_path(release, framework.module, framework.version)
        for framework in release.frameworks
        if framework.place in entry.missing
    }
    found = files.read_tree(place_of(prefix, release.name) / MODULES).below(MODULES)
    return Tree({path: file for path, file in found.items() if _is_module(path) and path not in gone})


def _is_module(path: str) -> bool:
    """Whether a file is a module, and not what Lmod is told of those beside it."""
    return not PurePosixPath(path).name.startswith(".")


def _current_name(prefix: Path) -> str:
    """The current release's name, from `current -> publications/<release>/<digest>`; empty where none is."""
    link = prefix / "current"
    return link.readlink().parent.name if link.is_symlink() else ""


def _directories(parent: Path) -> Iterable[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else ()


def _release_in(directory: Path) -> Release | None:
    try:
        release = read_release(directory)
    except WorkError:
        return None
    return release if release.name == directory.name else None


def _missing(release: Release) -> tuple[InstalledFramework, ...]:
    return tuple(framework for framework in release.frameworks if not is_whole(framework))


def _is_complete(prefix: Path, release: Release) -> bool:
    """Whether what users see has all that the release itself has."""
    shown, own = prefix / "current", place_of(prefix, release.name)
    return all((shown / path.relative_to(own)).exists() for path in own.rglob("*"))
