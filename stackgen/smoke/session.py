"""How a user gets at a framework: by its module in a new login shell, or as `stackgen shell` does."""

import os
import pwd
import re
import shlex
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stackgen.plan import Plan
from stackgen.release import InstalledFramework
from stackgen.run import Command
from stackgen.shell import shell_environment
from stackgen.tree import File, Tree

NOT_LOADED = 97
"""The exit status of a login shell in which the module did not load."""

_LOGIN = f"""
[ -n "$LMOD_CMD" ] || . "$1" || exit {NOT_LOADED}
module use "$2" && module load "$3" || exit {NOT_LOADED}
[ -z "$4" ] || PATH=${{PATH//"$4"/"$5"}}
shift 5
exec "$@"
"""


def scratch(kind: str, framework: InstalledFramework) -> tempfile.TemporaryDirectory[str]:
    """A directory for a caller's home, gone after the block; a container sees /tmp, and maybe not TMPDIR."""
    seen = "/tmp" if framework.image else None  # noqa: S108 - ch-run shows it
    return tempfile.TemporaryDirectory(prefix=f"stackgen-{kind}-", dir=seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A user: a home, and what the profile in it sets."""

    home: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def login(self) -> dict[str, str]:
        """What `login` gives every user, and that nothing is written into a prefix, not even by root."""
        return {
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "LOGNAME": _user(),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "SHELL": "/bin/bash",
            "TERM": "dumb",
            "USER": _user(),
        }

    @property
    def profile(self) -> str:
        """The text of `~/.bash_profile`."""
        return "".join(f"export {name}={shlex.quote(text)}\n" for name, text in self.variables.items())


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in a container, often
        return "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """The way to a framework."""

    plan: Plan
    framework: InstalledFramework
    core: Path
    """The directory for `module use`."""
    lmod: Path | None

    @property
    def module(self) -> str:
        """What a user loads."""
        return self.framework.loaded_as(self.plan.namespace)

    @property
    def moved(self) -> tuple[str, str]:
        """From where to where PATH has to lead for a container; empty where it leads there.

        A container's commands lie in the release, which is not in its place before it has passed.
        """
        published, here = self.plan.place, str(self.core.parents[1])
        return (published, here) if self.framework.image and published != here else ("", "")

    def command(self, argv: tuple[str, ...], caller: Caller, timeout: float) -> Command:
        """A program, started by a caller in the framework's environment; `timeout` in seconds."""
        environment = caller.login
        moved = self.moved
        if self.lmod:
            words = (str(self.lmod), str(self.core), self.module, *moved)
            argv = ("bash", "-l", "-c", _LOGIN, "login", *words, *argv)
        else:
            environment = shell_environment(
                self.plan.namespace,
                self.framework,
                moved[1] or self.plan.place,
                {**environment, **caller.variables},
            )
        return Command(argv=argv, environment=environment, directory=caller.home, timeout=timeout)


def hostile(home: Path, python: str) -> tuple[Caller, Tree]:
    """A user with everything that leads a Python astray, and the files of that user's home."""
    site = f"lib/python{python}/site-packages"
    caller = Caller(
        home=home,
        variables={
            "CONDA_DEFAULT_ENV": "base",
            "CONDA_PREFIX": f"{home}/conda",
            "CONDA_SHLVL": "1",
            "PATH": f"{home}/conda/bin:/usr/local/bin:/usr/bin:/bin",
            "PYTHONEXECUTABLE": f"{home}/conda/bin/python",
            "PYTHONHOME": f"{home}/conda",
            "PYTHONPATH": f"{home}/elsewhere",
            "PYTHONPYCACHEPREFIX": f"{home}/elsewhere",
            "PYTHONSTARTUP": f"{home}/startup.py",
            "PYTHONUSERBASE": f"{home}/.local",
            "VIRTUAL_ENV": f"{home}/venv",
        },
    )
    foreign = "raise ImportError('this is not of the framework')\n"
    script = File("#!/bin/sh\necho 'this is not the framework'\\''s Python' >&2\nexit 1\n", 0o755)
    tree = {
        "conda/bin/python": script,
        "conda/bin/python3": script,
        f"conda/{site}/numpy/__init__.py": File(""),
        "elsewhere/numpy/__init__.py": File(""),
        "elsewhere/sitecustomize.py": File(""),
        "startup.py": File(foreign),
        f".local/{site}/numpy/__init__.py": File(""),
        f".local/{site}/usercustomize.py": File(""),
        "venv/pyvenv.cfg": File(f"home = {home}/conda/bin\n"),
    }
    return caller, Tree(tree)


def besieged_by_libraries(caller: Caller) -> Caller:
    """The same user, whose variables lead the loader to libraries of this machine, copied to the home.

    They are good ones, or nothing would start outside of the container either.
    """
    directory = caller.home / "libraries"
    directory.mkdir(parents=True, exist_ok=True)
    for library in _libraries_here():
        shutil.copy(library, directory / library.name)
    found = sorted(directory.iterdir())
    if not found:
        return caller
    astray = {"LD_LIBRARY_PATH": str(directory), "LD_PRELOAD": str(found[0])}
    return Caller(home=caller.home, variables={**caller.variables, **astray})


def _libraries_here() -> set[Path]:
    """Small ones that stackgen itself has loaded, but for what all programs of a C library have."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    found = {Path(place) for place in re.findall(r" (/\S+\.so[.\d]*)$", maps, re.MULTILINE)}
    every = re.compile(r"(ld-.*|lib(c|m|dl|rt|pthread|resolv|util))\.so[.\d]*")
    return {
        path
        for path in found
        if path.name.startswith("lib") and not every.fullmatch(path.name) and path.stat().st_size < 2**20
    }
