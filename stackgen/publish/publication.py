"""What users see while a release is the current one.

Lmod lists the directories of MODULEPATH first and opens the file that it chose afterwards; on `unload` it
opens the same file again, and does nothing where that has gone. If a module vanished whenever `current`
moves, a load at that moment would fail, and a shell that has it loaded could never unload it. So `current`
shows the release's own modules and, hidden, those of every other release, by the same path.
"""

from collections.abc import Iterable
from pathlib import PurePosixPath

from stackgen.release import Release
from stackgen.tree import File, Tree

CORE = PurePosixPath("modules/Core")


def module_path(release: Release, module: str, version: str) -> str:
    """Where a release keeps a module, relative to the release."""
    return str(CORE / release.namespace / module / f"{version}.lua")


def publication(shown: Tree, others: Iterable[Tree]) -> Tree:
    """A release's files, and hidden those that only `others` have; the first of them wins."""
    kept: dict[str, File] = {}
    for other in others:
        kept |= {path: file for path, file in other.items() if path not in shown and path not in kept}
    return Tree({**shown, **kept, **_hiding(shown, tuple(kept))})


def _hiding(shown: Tree, kept: tuple[str, ...]) -> dict[str, File]:
    """The `.modulerc.lua` of every directory that has a module to hide."""
    lines: dict[str, str] = {}
    for path in sorted(kept):
        rc = str(PurePosixPath(path).parent / ".modulerc.lua")
        name = PurePosixPath(path).relative_to(CORE).with_suffix("")
        lines.setdefault(rc, shown[rc].text if rc in shown else "")
        lines[rc] += f'hide_version("{name}")\n'
    return {rc: File(text) for rc, text in lines.items()}
