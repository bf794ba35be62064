"""What users see while a release is the current one.

Lmod lists the directories of MODULEPATH first and opens the file that it chose afterwards; on `unload` it
opens the same file again, and does nothing where that has gone. If a module vanished whenever `current`
moves, a load at that moment would fail, and a shell that has it loaded could never unload it. So `current`
shows the release's own modules and, hidden, those of every other release, by the same path. The same holds
for the levels of the hierarchy: a shell that has opened one finds there what it found before.
"""

from collections.abc import Iterable
from pathlib import PurePosixPath

from stackgen.lua import call
from stackgen.modules import leading_versions, short_versions
from stackgen.release import Release
from stackgen.tree import File, Tree

MODULES = "modules"
CORE = PurePosixPath(MODULES, "Core")


def module_path(release: Release, module: str, version: str) -> str:
    """Where a release keeps a module, relative to the release."""
    return str(CORE / release.namespace / module / f"{version}.lua")


def publication(shown: Tree, others: Iterable[Tree]) -> Tree:
    """A release's files, and hidden those that only `others` have; the first of them wins."""
    kept: dict[str, File] = {}
    for other in others:
        kept |= {path: file for path, file in other.items() if path not in shown and path not in kept}
    return Tree({**shown, **kept, **_hiding(shown, tuple(kept))})


def has_hierarchy(tree: Tree) -> bool:
    """Whether there are modules of packages, and not of frameworks alone."""
    directories = {PurePosixPath(path).parent for path in tree if path.startswith(f"{MODULES}/")}
    return any(_is_package(directory) for directory in directories)


def _hiding(shown: Tree, kept: tuple[str, ...]) -> dict[str, File]:
    """The `.modulerc.lua` of every directory that has a module to hide; short versions lead to it still."""
    files: dict[str, File] = {}
    for directory in sorted({PurePosixPath(path).parent for path in kept}):
        rc, module = f"{directory}/.modulerc.lua", directory.relative_to(_level(directory))
        ours, theirs = _versions(shown, directory), _versions(kept, directory)
        shorten = leading_versions if _is_package(directory) else short_versions
        taken = {*ours, *shorten(ours)}
        short = sorted((name, full) for name, full in shorten(theirs).items() if name not in taken)
        lines = [call("module_version", f"{module}/{full}", name) for name, full in short]
        lines += [call("hide_version", f"{module}/{version}") for version in theirs]
        before = shown[rc].text if rc in shown else ""
        files[rc] = File(before + "".join(f"{line}\n" for line in lines))
    return files


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
