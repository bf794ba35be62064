"""Lmod's spider cache of what users see, so that `module avail` and `module spider` read one file.

It lies in the publication that it is of: when `current` moves, Lmod's next command reads the other one, and
no cache tells of a release that users no longer see. Lmod looks there where LMOD_RC names
`current/lmod/lmodrc.lua`.
"""

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from stackgen.errors import WorkError
from stackgen.lmod import RC, lmod_start, spider_command
from stackgen.lua import literal
from stackgen.progress import Progress
from stackgen.publish.publication import CORE
from stackgen.run import Runner
from stackgen.tree import File, Tree

_LMOD = "lmod"
CACHE, TIMESTAMP = f"{_LMOD}/cache/spiderT.lua", f"{_LMOD}/cache/timestamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spider:
    """Lmod's program that reads a whole tree of modules."""

    lmod: Path
    run: Runner
    progress: Progress

    def cache(self, directory: Path, shown: Path) -> Tree:
        """The cache of the modules in a directory, as Lmod will find them by `shown`.

        Nothing where this machine's Lmod cannot make it: all works without.
        """
        table = self._table(directory / CORE)
        if "spiderT" not in table:
            self.progress.say("no cache for `module spider`: this machine's Lmod cannot make one")
            return Tree()
        # A prefix has no character that Lua would write in another way.
        text = table.replace(str(directory), str(shown))
        return Tree({CACHE: File(text), RC: File(_lmodrc(shown)), TIMESTAMP: File("")})

    def _table(self, core: Path) -> str:
        """What the program says of all modules; nothing where it fails, cannot start or does not end."""
        with tempfile.TemporaryDirectory(prefix="stackgen-spider-") as home:
            command = spider_command(self.lmod, core, "spiderT", Path(home))
            try:
                outcome = self.run(command) if command else None
            except WorkError as error:
                self.progress.log(str(error))
                return ""
        return outcome.stdout if outcome and not outcome.status else ""


def without_cache(tree: Tree) -> Tree:
    """A publication's files but for the cache."""
    return Tree({path: file for path, file in tree.items() if not path.startswith(f"{_LMOD}/")})


def refresh(publication: Path) -> None:
    """Make a publication's cache newer than what any user's own Lmod has remembered meanwhile."""
    for name in (TIMESTAMP, CACHE):
        with suppress(OSError):
            os.utime(publication / name)


def find_spider(run: Runner, progress: Progress) -> Spider | None:
    """This machine's; None where it has no Lmod."""
    lmod = lmod_start()
    return Spider(lmod=lmod, run=run, progress=progress) if lmod else None


def _lmodrc(shown: Path) -> str:
    cache, timestamp = literal(str(shown / CACHE).rpartition("/")[0]), literal(str(shown / TIMESTAMP))
    return f"scDescriptT = {{{{dir = {cache}, timestamp = {timestamp}}}}}\n"
