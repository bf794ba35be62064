"""Where the bootstrapped Spack lies, and whether it is the pinned one and complete."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from stackgen.errors import WorkError
from stackgen.pins import PINS, Pins
from stackgen.spack.content import count

PLACE_VARIABLE = "STACKGEN_SPACK"
"""Names a place that goes before all others."""
_SHARED = "share/stackgen/spack"
"""Where, below its own prefix, an installed stackgen has its Spack."""
MARKER = "bootstrapped.json"
"""Written last: what lies beside it is complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpackHome:
    """A Spack that nobody writes to: its tree, and the directory of the builtin `repo.yaml`."""

    spack: Path
    packages: Path
    index: Path | None = None
    """Spack's own index of these packages, made beforehand: to build one takes it half a minute."""


def find_spack(pins: Pins = PINS) -> SpackHome:
    """The bootstrapped Spack; WorkError where there is none or another one.

    Only names and notes are looked at, no contents: it is asked for at every start.
    """
    place = spack_place(pins)
    defect = absent(place, pins)
    if defect:
        raise WorkError(defect, "run `stackgen bootstrap`")
    return home_in(place)


def home_in(place: Path) -> SpackHome:
    """What a bootstrapped place holds."""
    return SpackHome(
        spack=place / "spack", packages=place / "packages/spack_repo/builtin", index=place / "index"
    )


def spack_place(pins: Pins = PINS) -> Path:
    """Where Spack is or is to be.

    What STACKGEN_SPACK says; else beside stackgen itself, if it is there; else the user's own directory.
    """
    named = os.environ.get(PLACE_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    shared = shared_place(pins)
    return shared if (shared / MARKER).exists() else _own_place(pins)


def chosen_by(place: Path, pins: Pins = PINS) -> str:
    """Who says that Spack is in this place, in a few words."""
    if os.environ.get(PLACE_VARIABLE):
        return f"as {PLACE_VARIABLE} says"
    return "beside stackgen" if place == shared_place(pins) else "your own"


def shared_place(pins: Pins = PINS) -> Path:
    """The place beside stackgen itself, for all who use that one."""
    return (Path(sys.prefix) / _SHARED).resolve() / pins.digest


def _own_place(pins: Pins) -> Path:
    try:
        shared = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    except RuntimeError:  # users without a home, as in some containers
        raise WorkError("nobody says where Spack is to be", f"name a directory by {PLACE_VARIABLE}") from None
    return shared.absolute() / "stackgen/spack" / pins.digest


def marker_text(pins: Pins) -> str:
    """What the marker of a complete place says."""
    parts = {pin.name: {"version": pin.version, "commit": pin.commit, "tree": pin.tree} for pin in pins}
    return json.dumps(parts, indent=2, sort_keys=True) + "\n"


def absent(place: Path, pins: Pins = PINS) -> str:
    """Why a place holds no such Spack, in a few words; empty where it does."""
    try:
        parts = json.loads((place / MARKER).read_text(encoding="utf-8"))
        for pin in pins:
            if parts[pin.name]["tree"] != pin.tree:
                return f"{place} has {pin.name} {parts[pin.name]['version']}, and {pin.version} is needed"
            if not (place / pin.name / pin.sign).is_file():
                return f"{place} is not whole: {pin.name}/{pin.sign} is missing"
    except FileNotFoundError:
        return f"there is no Spack in {place}"
    except (OSError, ValueError, KeyError, TypeError):
        return f"{place / MARKER} cannot be read"
    return ""


def incomplete(place: Path, pins: Pins = PINS) -> str:
    """Why a place holds no such Spack, files counted (0.1 s) but not read; empty where it does."""
    defect = absent(place, pins)
    if defect:
        return defect
    for pin in pins:
        found = count(place / pin.name)
        if found != pin.files:
            return f"{place / pin.name} is not whole: it has {found} files of {pin.files}"
    return ""
