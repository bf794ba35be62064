"""The command as users start it: a process of its own, in a directory and a home of the test's own."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner, Outcome

SMALL = """\
name: small
release: {release}
system: this
prefix: {prefix}
frameworks:
  six:
    version: {version}
    from: wheels
"""


@dataclass(frozen=True)
class Desk:
    """A directory to work in."""

    directory: Path

    def __call__(self, *words: str, command: tuple[str, ...] = (sys.executable, "-m", "stackgen")) -> Outcome:
        """Run `stackgen` with these words."""
        home = self.directory / "home"
        home.mkdir(exist_ok=True)
        keep = {name: text for name, text in os.environ.items() if name.startswith(("PIP_", "SSL_", "PATH"))}
        return LoggedRunner(Silent())(
            Command(
                argv=(*command, *words),
                environment={**keep, **self.sources(), "HOME": str(home), "LANG": "C.UTF-8"},
                directory=self.directory,
                timeout=300,
            )
        )

    def sources(self) -> dict[str, str]:
        """What leads to the package index and to a warm cache, although the home is empty."""
        configuration = Path.home() / ".config/pip/pip.conf"
        named = {"PIP_CONFIG_FILE": str(configuration)} if configuration.exists() else {}
        return {**named, "XDG_CACHE_HOME": str(self.directory.parent / "cache")}

    def write(self, name: str, text: str) -> Path:
        """Put a file on the desk."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def small(self, release: str = "1", version: str = "1.17.0", name: str = "small.yaml") -> Path:
        """An environment with one tiny framework."""
        text = SMALL.format(release=release, version=version, prefix=self.directory / "prefix")
        return self.write(name, text)
