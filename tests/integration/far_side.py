"""The machine without internet, played by this one: an empty home, no network, and a kit."""

import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner, Outcome

NO_NETWORK = ("unshare", "--user", "--map-root-user", "--net")
PATH = "/usr/local/bin:/usr/bin:/bin"
_TERMINAL = {"TERM": "dumb", "COLUMNS": "80", "LMOD_PAGER": "none"}
_OPEN_MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
_USER = {"USER": "user", "PATH": PATH, "LANG": "C.UTF-8", **_TERMINAL, **_OPEN_MPI}

HOSTILE = {
    "config.yaml": "config: {install_tree: {root: /nowhere}, build_jobs: 0}\n",
    "mirrors.yaml": "mirrors: {theirs: file:///nowhere}\n",
    "packages.yaml": "packages: {all: {compiler: [nothing@9]}}\n",
    "repos.yaml": "repos: {theirs: /nowhere}\n",
    "linux/compilers.yaml": "this: [is no YAML\n",
}
"""The `~/.spack` of whoever builds."""
_PROGRAMS = ("cc", "cmake", "gcc", "g++", "ld", "make", "mpicc", "patch", "python3", "spack", "tar")


@dataclass(frozen=True, slots=True, kw_only=True)
class FarSide:
    """A directory that stands for the machine, and the kit that came over."""

    root: Path
    kit: Path
    prefix: Path
    """Where it builds."""
    more: Mapping[str, str]
    """What whoever builds has in his environment besides."""

    @property
    def home(self) -> Path:
        """Where whoever builds is at home."""
        return self.root / "home"

    @property
    def stackgen(self) -> str:
        """The program that the installer has put there."""
        return str(self.root / "stackgen/bin/stackgen")

    def install(self) -> Outcome:
        """The first line of the kit's README, by the system's Python."""
        return self("/usr/bin/python3", str(self.kit / "install.py"), "--prefix", str(self.root / "stackgen"))

    def build(self, *words: str, file: Path | None = None) -> Outcome:
        """The second line."""
        return self(*self.building(*words, file=file))

    def building(self, *words: str, file: Path | None = None) -> tuple[str, ...]:
        """The words of the second line."""
        environment = str(file or self.kit / "environments/proof.yaml")
        given = ("--mirror", str(self.kit), "--offline", "--prefix", str(self.prefix))
        return (self.stackgen, "build", environment, *given, *words)

    def __call__(self, *words: str) -> Outcome:
        """Run a program where there is no network."""
        command = Command(
            argv=(*NO_NETWORK, *words), environment=self._environment(), directory=self.root, timeout=900
        )
        return LoggedRunner(Silent())(command)

    def kill(self, seconds: float, *words: str) -> str:
        """Start a program, kill it after so long a time as nobody can catch, and give what it had told."""
        told = self.root / "told"
        with told.open("w", encoding="utf-8") as stream:
            process = subprocess.Popen(
                (*NO_NETWORK, *words),
                env=self._environment(),
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
            time.sleep(seconds)
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL, told.read_text()
        return told.read_text(encoding="utf-8")

    def shell(self, *lines: str) -> Outcome:
        """What a user types in a new login shell, stopped at the first line that fails."""
        current = self.prefix / "current"
        use = (f"export LMOD_RC={current}/lmod/lmodrc.lua", f"module use {current}/modules/Core")
        script = "\n".join(("set -e", *use, *lines))
        home = self.root / "user"
        home.mkdir(exist_ok=True)
        return LoggedRunner(Silent())(
            Command(
                argv=("bash", "-lc", script),
                environment={**_USER, "HOME": str(home)},
                directory=home,
                timeout=120,
            )
        )

    def _environment(self) -> dict[str, str]:
        self.home.mkdir(exist_ok=True)
        return {"HOME": str(self.home), "USER": "admin", "PATH": PATH, "LANG": "C.UTF-8", **self.more}


def in_the_way(root: Path) -> dict[str, str]:
    """What could mislead a build: a user's Spack, programs that fail, variables that compilers heed."""
    for name, text in HOSTILE.items():
        file = root / "home/.spack" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (root / "in-the-way").mkdir()
    for name in _PROGRAMS:
        program = root / "in-the-way" / name
        program.write_text(f"#!/bin/sh\necho {name} is in the way >&2\nexit 66\n", encoding="utf-8")
        program.chmod(0o755)
    (root / "in-the-way/yaml.py").write_text("raise SystemExit('a yaml of the user')\n", encoding="utf-8")
    nowhere = ("SPACK_ROOT", "SPACK_USER_CONFIG_PATH", "SPACK_SYSTEM_CONFIG_PATH", "SPACK_USER_CACHE_PATH")
    return {
        **dict.fromkeys(nowhere, "/nowhere"),
        "SPACK_ENV": "/nowhere",
        "SPACK_PYTHON": "/bin/false",
        "CC": "/bin/false",
        "CFLAGS": "-no-such",
        "PATH": f"{root}/in-the-way:{PATH}",
        "PYTHONPATH": f"{root}/in-the-way",
    }
