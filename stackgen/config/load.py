"""From paths to values: everything that is wrong with the files is found at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from stackgen import host
from stackgen.config import nodes
from stackgen.config.checks import check, unfit
from stackgen.config.extended import Extended, extended, misplaced
from stackgen.config.faults import faults as faults_of
from stackgen.config.join import Reading
from stackgen.contradictions import contradictions
from stackgen.errors import Fault, InputError, Place
from stackgen.model import Environment, System
from stackgen.model.base import Strict, near
from stackgen.underlying import Underlying

_OPTION = "--prefix"

_Model = TypeVar("_Model", bound=Strict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """An environment on its system, and the files that say so."""

    environment: Environment
    system: System
    path: Path
    """The environment's file, absolute."""
    files: tuple[Path, ...]
    """Every file that was read, absolute."""
    places: Mapping[str, Place]
    """Where each key of the environment stands; the empty key path is the file as a whole."""
    system_places: Mapping[str, Place]
    """The same of the system; nothing where it is this machine, which no file describes."""
    underlying: Underlying | None = None
    """The release of a site that it extends; None where it extends none."""

    def located(self, error: InputError) -> InputError:
        """The same error, its faults placed by the keys that they name."""
        faults = _sorted(_of_option(_placed(fault, self.places)) for fault in error.faults)
        return InputError(*faults, details=error.details)


def load(path: Path, *, prefix: str | None = None, renewed: bool = False) -> Loaded:
    """Read an environment and its system; InputError with every fault of all their files.

    `prefix` stands in for the file's own, as `--prefix` does. What extends a site's stack stands on the
    release that its lock names; where it is to be `renewed`, on the current one.
    """
    reading = Reading()
    root = reading.read(path)
    faults = reading.faults
    environment = system = underlying = None
    places = {"": Place(file=str(path))}
    system_places: dict[str, Place] = {}
    if root:
        root = _with_prefix(root, prefix)
        system, system_places = _system(root, path.parent / "systems", reading)
        offered = system.offers if system else None
        whole = extended(root, path, offered or "", reading, renewed=renewed)
        if "system" not in root.entries and whole.underlying:
            system, system_places = _of_site(whole, faults)
        root, underlying = whole.root, whole.underlying
        places |= nodes.places(root)
        environment = _validated(Environment, root, faults)
    if environment:
        faults += [_placed(fault, places) for fault in check(environment, path.parent)]
    if environment and system:
        faults += [_placed(fault, places) for fault in unfit(environment, system)]
    if environment and underlying:
        faults += [_placed(fault, places) for fault in misplaced(environment, underlying)]
    if faults or not environment or not system:
        raise InputError(*_sorted(faults))
    return Loaded(
        environment=environment,
        system=system,
        path=path.absolute(),
        files=tuple(reading.files),
        places=places,
        system_places=system_places,
        underlying=underlying,
    )


def load_system(path: Path) -> System:
    """Read the description of a system; InputError with every fault of its files."""
    reading = Reading()
    system, _ = _read_system(path, reading)
    if system is None or reading.faults:
        raise InputError(*_sorted(reading.faults))
    return system


def load_model(path: Path, model: type[_Model]) -> _Model:
    """Read a YAML file of another kind; InputError with every fault of it and of what it includes."""
    reading = Reading()
    root = reading.read(path)
    value = _validated(model, root, reading.faults) if root else None
    if value is None or reading.faults:
        raise InputError(*_sorted(reading.faults))
    return value


def _with_prefix(root: nodes.Mapping, prefix: str | None) -> nodes.Mapping:
    if prefix is None:
        return root
    place = Place(file=_OPTION)
    entry = nodes.Entry(nodes.Scalar(prefix, place), place)
    return nodes.Mapping({**root.entries, "prefix": entry}, root.place)


def _validated(model: type[_Model], root: nodes.Mapping, faults: list[Fault]) -> _Model | None:
    try:
        return model.model_validate(nodes.plain(root))
    except ValidationError as error:
        known = {fault.place for fault in faults}  # what the model makes of such a value is no news
        found = [fault for fault in faults_of(error, root, model) if fault.place not in known]
        faults += [_of_option(fault) for fault in found]
        return None


def _of_option(fault: Fault) -> Fault:
    """A fault of the option has no key path: the option's name says it all."""
    return replace(fault, where="") if fault.place == Place(file=_OPTION) else fault


_Described = tuple[System | None, dict[str, Place]]
"""A system and the places of its keys; None, and the fault noted, where it cannot be had."""


def _of_site(whole: Extended, faults: list[Fault]) -> _Described:
    """The system of the release that an environment extends, whose files are none of its own."""
    reading = Reading()
    described = _system(whole.root, whole.systems, reading)
    faults += reading.faults
    return described


def _system(root: nodes.Mapping, systems: Path, reading: Reading) -> _Described:
    """The system that an environment names, by its file in `systems`."""
    entry = root.entries.get("system")
    if not entry or not isinstance(entry.node, nodes.Scalar) or not (entry.node.text or "").strip():
        return None, {}
    name, place = str(entry.node.text), entry.node.place
    known = sorted(file.stem for file in systems.glob("*.yaml"))
    if name == host.THIS:
        return _this(place, reading.faults), {}
    if name in known:
        return _read_system(systems / f"{name}.yaml", reading)
    known = [host.THIS, *known]
    remedy = near(name, known, f"use one of {', '.join(known)}")
    what = f"there is no system {name!r} in {systems}"
    reading.faults.append(Fault(place=place, where="system", what=what, remedy=remedy))
    return None, {}


def _this(place: Place, faults: list[Fault]) -> System | None:
    try:
        return host.detect()
    except InputError as error:
        faults += [replace(fault, place=place, where="system") for fault in error.faults]
        return None


def _read_system(path: Path, reading: Reading) -> _Described:
    root = reading.read(path)
    system = _validated(System, root, reading.faults) if root else None
    places = {"": Place(file=str(path)), **(nodes.places(root) if root else {})}
    if system:
        reading.faults += [_placed(fault, places) for fault in contradictions(system)]
    return system, places


def _placed(fault: Fault, places: Mapping[str, Place]) -> Fault:
    """The fault with the place of the longest part of its key path that the file has."""
    where = fault.where
    while where not in places:
        where = where[: max(where.rfind("."), where.rfind("["), 0)]
    return fault if fault.place else replace(fault, place=places[where])


def _sorted(faults: Iterable[Fault]) -> list[Fault]:
    return sorted(set(faults), key=lambda fault: (fault.place or Place(file=""), fault))
