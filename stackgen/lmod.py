"""Where Lmod lies on this machine, and its program that reads whole trees of modules."""

import os
from collections.abc import Mapping
from pathlib import Path

from stackgen.run import Command

INITS = (
    *("/usr/share/lmod/lmod/init/bash", "/opt/apps/lmod/lmod/init/bash", "/usr/local/lmod/lmod/init/bash"),
    *("/opt/lmod/lmod/init/bash", "/opt/cray/pe/lmod/lmod/init/bash"),
)
"""Where sites have what starts Lmod in a bash."""
RC = "lmod/lmodrc.lua"
"""What Lmod is told of its cache, below what users see, where `publish` has made one."""
_LIMIT = 600.0
"""Seconds for a tree of any size."""


def lmod_start(environment: Mapping[str, str] = os.environ) -> Path | None:
    """What starts Lmod in a bash that has not started it yet; None where this machine has no Lmod."""
    named = [environment[name] for name in ("LMOD_PKG", "LMOD_DIR", "LMOD_ROOT") if environment.get(name)]
    places = [Path(root, init) for root in named for init in ("init/bash", "lmod/init/bash", "../init/bash")]
    return next((place for place in (*places, *map(Path, INITS)) if place.is_file()), None)


def spider_command(lmod: Path, core: Path, form: str, home: Path) -> Command | None:
    """`spider -o FORM` on a directory of MODULEPATH, for a user without a cache; None where Lmod has none."""
    program = lmod.parents[1] / "libexec/spider"
    if not program.is_file():
        return None
    environment = {"HOME": str(home), "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "USER": "user"}
    return Command(
        argv=(str(program), "-o", form, str(core)), environment=environment, directory=home, timeout=_LIMIT
    )
