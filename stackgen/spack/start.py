"""How Spack is started: by our own Python, with a configuration, caches and a home of its own."""

import os
import shutil
import sys
from pathlib import Path

import yaml

from stackgen import files
from stackgen.run import Command
from stackgen.spack.home import SpackHome

_PATH = "/usr/local/bin:/usr/bin:/bin"


def spack_command(
    home: SpackHome, words: tuple[str, ...], *, scopes: Path | None, scratch: Path, directory: Path
) -> Command:
    """The command that runs `spack WORDS`; what else it may read, and all it may write, is made in `scratch`.

    Every setting of `scopes`, and of an environment that the words name, goes before ours. Two at once need
    a scratch each.
    """
    _furnish(scratch, home)
    chosen = ("-C", str(scopes)) if scopes else ()
    return Command(
        argv=(sys.executable, str(home.spack / "bin/spack"), *chosen, *words),
        environment=spack_environment(scratch),
        directory=directory,
    )


def spack_environment(scratch: Path) -> dict[str, str]:
    """The whole environment of a Spack that reads and writes in `scratch`, and knows nothing of a user's."""
    return {
        "PATH": _PATH,
        "HOME": str(scratch / "home"),
        "TMPDIR": str(scratch / "tmp"),
        "LC_ALL": "C.UTF-8",
        "SPACK_PYTHON": sys.executable,
        "SPACK_USER_CONFIG_PATH": str(scratch / "config"),
        "SPACK_SYSTEM_CONFIG_PATH": str(scratch / "nothing"),
        "SPACK_USER_CACHE_PATH": str(scratch / "cache"),
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",  # root could write to what is read-only
    }


def _furnish(scratch: Path, home: SpackHome) -> None:
    """Make the directories, the index, and our settings as if the user's: the weakest of all that count."""
    with files.reported(f"cannot work in {scratch}"):
        for name in ("home", "tmp", "cache"):
            (scratch / name).mkdir(parents=True, exist_ok=True)
        for name, content in _settings(home, scratch).items():
            file = scratch / "config" / f"{name}.yaml"
            if not file.exists():
                files.write(file, yaml.safe_dump(content, sort_keys=False))
        copy_index(home, scratch / "cache/cache")


def _settings(home: SpackHome, scratch: Path) -> dict[str, dict[str, object]]:
    """Ask nothing of the network, write nothing into Spack's own tree; a `:` drops its defaults."""
    return {
        "bootstrap": {"bootstrap": {"enable": False}},
        "mirrors": {"mirrors:": {}},
        "repos": {"repos:": {"builtin": str(home.packages)}},
        "config": {
            "config": {
                "source_cache": str(scratch / "cache/sources"),
                "build_stage:": [str(scratch / "cache/stage")],
                "install_tree": {"root": str(scratch / "cache/opt")},
                "license_dir": str(scratch / "cache/licenses"),
            }
        },
    }


def copy_index(home: SpackHome, cache: Path) -> None:
    """Give a cache the index of Spack's packages, where there is one; a cache that is there is kept.

    Each has its own, for the index of our recipes goes by their namespace, whatever tree they lie in. Copied
    files are newer than the packages, and so are taken as they are.
    """
    index = home.index
    if not index or cache.exists():
        return
    beside = cache.with_name(f".{cache.name}.{os.getpid()}")
    shutil.copytree(index, beside, copy_function=shutil.copyfile)
    for path in (beside, *beside.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    beside.rename(cache)
