"""Where the packages of a distribution are to be had: `site.yaml`, else the sources of this machine's apt."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stackgen.distribution.known import KNOWN, Known, edition
from stackgen.errors import WorkError
from stackgen.plan import Distribution
from stackgen.run import Command, Runner
from stackgen.site import DistributionSources, Site

if TYPE_CHECKING:
    from stackgen.download import Client

_INDEXES = ("--format", "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)", "Created-By: Packages")
_SCHEMES = ("http://", "https://", "file:/")
_LISTED = "mirror+file:"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Archive:
    """A suite of a distribution on one server or in one directory."""

    address: str = field(repr=False)
    """Without the slash at its end; it may hold credentials."""
    suite: str


def archives(distribution: str, site: Site, run: Runner) -> tuple[str, ...]:
    """The addresses below which files of a distribution may lie, the first choice first."""
    if sources := site.distributions.get(distribution):
        return sources.mirrors
    return tuple(dict.fromkeys(address for address, _ in _of_this_machine(KNOWN[distribution], run)))


def suites(distribution: Distribution, site: Site, run: Runner) -> tuple[Archive, ...]:
    """Every suite of a distribution that can be had; WorkError where what it cannot do without is nowhere."""
    if sources := site.distributions.get(distribution.name):
        return tuple(_on_mirrors(distribution, sources, site))
    known, codename = KNOWN[distribution.name], edition(distribution).codename
    found = tuple(
        Archive(address=address, suite=f"{codename}{pocket}")
        for address, pocket in _of_this_machine(known, run)
    )
    if codename not in {archive.suite for archive in found}:
        raise WorkError(
            f"apt on this machine knows no archive of {known.title}",
            f"name one by `distributions: {{{distribution.name}: {{mirrors: [...]}}}}` in site.yaml, or take"
            " an image by its digest for a base",
        )
    return found


def _of_this_machine(known: Known, run: Runner) -> Iterator[tuple[str, str]]:
    """Addresses and pockets, in apt's order; nothing where there is no apt."""
    program = shutil.which("apt-get")
    if not program:
        return
    command = Command(
        argv=(program, "indextargets", *_INDEXES),
        environment={"PATH": os.defpath, "LC_ALL": "C"},
        directory=Path("/"),
    )
    names = (*(one.codename for one in known.editions.values()), *known.other_names)
    pockets = "|".join(map(re.escape, known.pockets))
    suite = re.compile(f"(?:{'|'.join(names)})(?P<pocket>{pockets})")
    for line in run(command).stdout.splitlines():
        address, _, rest = line.partition("|")
        name, component, origin = (*rest.split("|"), "", "")[:3]
        found = suite.fullmatch(name)
        if found and component == known.component and origin in {known.origin, ""}:
            for one in _fetched(address):
                yield one.rstrip("/"), found["pocket"]


def _fetched(address: str) -> Iterator[str]:
    """The addresses that can be fetched from: apt knows discs too, and files that list mirrors.

    https://manpages.debian.org/bookworm/apt/apt-transport-mirror.1.en.html
    """
    if address.startswith(_LISTED):
        with suppress(OSError, UnicodeDecodeError):
            lines = Path(address.removeprefix(_LISTED).rstrip("/")).read_text(encoding="utf-8").splitlines()
            words = (line.partition("#")[0].split() for line in lines)
            yield from (one[0] for one in words if one and one[0].startswith(_SCHEMES))
    elif address.startswith(_SCHEMES):
        yield address


def _on_mirrors(distribution: Distribution, sources: DistributionSources, site: Site) -> Iterator[Archive]:
    """What the site's mirrors have, each asked for every suite."""
    from stackgen.download import Client  # noqa: PLC0415 - slow

    known, codename = KNOWN[distribution.name], edition(distribution).codename
    client = Client(site)
    for pocket, needed in known.pockets.items():
        suite, reasons = f"{codename}{pocket}", []
        for mirror in sources.mirrors:
            reason = _why_not(client, mirror, suite)
            if not reason:
                yield Archive(address=mirror, suite=suite)
            reasons.append(reason)
        if needed and all(reasons):
            raise WorkError(
                f"no mirror of {known.title} has the suite {suite}: {'; '.join(reasons)}",
                f"correct `distributions.{distribution.name}.mirrors` in site.yaml",
            )


def _why_not(client: "Client", mirror: str, suite: str) -> str:
    """Why a mirror does not have a suite; empty where it has."""
    reason = ""
    for name in ("InRelease", "Release"):
        try:
            client.text(f"{mirror}/dists/{suite}/{name}")
        except WorkError as error:
            reason = reason or error.what
        else:
            return ""
    return reason
