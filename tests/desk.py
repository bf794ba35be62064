"""The command as users start it: a process of its own, in a directory and a home of the test's own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner, Outcome
from stackgen.spack.home import spack_place

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


_KEPT = ("path", "pip_", "ssl_", "requests_", "http_proxy", "https_proxy", "no_proxy")
"""What leads to the package index on this machine."""


@dataclass(frozen=True)
class Desk:
    """A directory to work in."""

    directory: Path

    def __call__(self, *words: str, command: tuple[str, ...] = (sys.executable, "-m", "stackgen")) -> Outcome:
        """Run `stackgen` with these words."""
        return LoggedRunner(Silent())(
            Command(
                argv=(*command, *words),
                environment=self.environment(),
                directory=self.directory,
                timeout=300,
            )
        )

    def started(self, *words: str) -> subprocess.Popen[str]:
        """Start a program that the test will talk to."""
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(words, env=self.environment(), cwd=self.directory, text=True, **streams)

    def environment(self) -> dict[str, str]:
        """What the programs get of this machine."""
        home = self.directory / "home"
        home.mkdir(exist_ok=True)
        keep = {name: text for name, text in os.environ.items() if name.lower().startswith(_KEPT)}
        return {**keep, **self.sources(), "HOME": str(home), "LANG": "C.UTF-8"}

    def sources(self) -> dict[str, str]:
        """What leads to this machine's index, Pythons and caches, although the home is empty."""
        home = Path.home()
        found = {"PIP_CONFIG_FILE": home / ".config/pip/pip.conf", "PYENV_ROOT": home / ".pyenv"}
        found["STACKGEN_SPACK"] = spack_place()
        named = {name: str(path) for name, path in found.items() if path.exists()}
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
