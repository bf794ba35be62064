"""What users see while a release is the current one.

Lmod lists the directories of MODULEPATH first and opens the file that it chose afterwards; on `unload` it
opens the same file again, and does nothing where that has gone. If a module vanished whenever `current`
moves, a load at that moment would fail, and a shell that has it loaded could never unload it. So `current`
shows the release's own modules and, hidden, those of every other release, by the same path. The same holds
for the levels of the hierarchy: a shell that has opened one finds there what it found before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from stackgen.deprecation import guarded, is_gone
from stackgen.inside.launcher.deprecation import Deprecation, deprecation_of
from stackgen.lua import Source, call
from stackgen.modules import in_order, short_versions
from stackgen.release import Release
from stackgen.tree import File, Tree

MODULES = "modules"
CORE = PurePosixPath(MODULES, "Core")


def module_path(release: Release, module: str, version: str) -> str:
    """Where a release keeps a module, relative to the release."""
    return str(CORE / release.namespace / module / f"{version}.lua")


def publication(
    shown: Tree, others: Iterable[Tree], at: Path, deprecations: Sequence[Deprecation] = ()
) -> Tree:
    """A release's files, and hidden those that only `others` have; the first of them wins.

    `at` is where users see them. What the release says of a version holds for that of older ones, too.
    """
    kept: dict[str, File] = {}
    for other in others:
        kept |= {path: file for path, file in other.items() if _is_wanting(path, shown) and path not in kept}
    hidden = tuple(path for path in kept if path not in shown)
    told = {path: _told(path, file, deprecations) for path, file in kept.items()}
    return Tree({**shown, **told, **_hiding(shown, hidden, at)})


def _is_wanting(path: str, shown: Tree) -> bool:
    """Whether a release has not this module, or says of it alone that it is not there."""
    return path not in shown or is_gone(shown[path].text)


def _told(path: str, file: File, deprecations: Sequence[Deprecation]) -> File:
    """A module of another release, with what the current one says of its version."""
    module = _name(PurePosixPath(path))
    if _is_package(PurePosixPath(path).parent):
        return file
    return replace(file, text=guarded(file.text, module, deprecation_of(deprecations, module)))


def has_hierarchy(tree: Tree) -> bool:
    """Whether there are modules of packages, and not of frameworks alone."""
    directories = {PurePosixPath(path).parent for path in tree if path.startswith(f"{MODULES}/")}
    return any(_is_package(directory) for directory in directories)


def _hiding(shown: Tree, kept: tuple[str, ...], at: Path) -> dict[str, File]:
    """The `.modulerc.lua` of every directory that has a module to hide; short versions lead to it still."""
    levels = {_level(PurePosixPath(path).parent) for path in shown if path.startswith(f"{MODULES}/")}
    names = {_name(PurePosixPath(path)) for path in shown if path.startswith(f"{MODULES}/")}
    files: dict[str, File] = {}
    for directory in sorted({PurePosixPath(path).parent for path in kept}):
        rc, module = f"{directory}/.modulerc.lua", directory.relative_to(_level(directory))
        ours, theirs = _versions(shown, directory), _versions(kept, directory)
        if _level(directory) in levels:
            lines = [] if _is_package(directory) else _short(str(module), ours, theirs)
            lines += [_hide(directory / f"{version}.lua", names, at) for version in theirs]
        else:  # nobody comes in any more, and who is there sees what was there
            lines = [call("module_version", f"{module}/{in_order(theirs)[-1]}", "default")]
            files[f"{_level(directory)}/.closed"] = File("")
        before = shown[rc].text if rc in shown else ""
        files[rc] = File(before + "".join(f"{line}\n" for line in lines))
    return files


def _hide(path: PurePosixPath, names: set[str], at: Path) -> Source:
    """Lmod hides a name on all levels at once; a file alone, by the path that users come by."""
    name = _name(path)
    return call("hide_modulefile", str(at / path)) if name in names else call("hide_version", name)


def _name(path: PurePosixPath) -> str:
    """What users load, by its file."""
    return str((path.parent / path.name.removesuffix(".lua")).relative_to(_level(path.parent)))


def _short(module: str, ours: list[str], theirs: list[str]) -> list[Source]:
    """What leads to the hidden versions of a framework by their short names, where those are free."""
    taken = {*ours, *short_versions(ours)}
    short = sorted((name, full) for name, full in short_versions(theirs).items() if name not in taken)
    return [call("module_version", f"{module}/{full}", name) for name, full in short]


def _level(directory: PurePosixPath) -> PurePosixPath:
    """What users have on MODULEPATH, for the directory of a module's versions."""
    return CORE if directory.is_relative_to(CORE) else directory.parent


def _is_package(directory: PurePosixPath) -> bool:
    """Whether these are the versions of what Spack built, and not of a framework, below its namespace."""
    return len(directory.relative_to(_level(directory)).parts) == 1


def _versions(paths: Iterable[str], directory: PurePosixPath) -> list[str]:
    """The versions among the module files of a directory, sorted as text."""
    files = (PurePosixPath(path) for path in paths)
    return sorted(file.stem for file in files if file.parent == directory and not file.name.startswith("."))
