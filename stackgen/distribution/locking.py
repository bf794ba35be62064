"""What a base consists of: every package of a distribution by version, size and hash."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from stackgen.distribution.apt import Question, private_apt
from stackgen.distribution.known import KNOWN, Known
from stackgen.distribution.sources import Archive, suites
from stackgen.errors import InputError, WorkError
from stackgen.lock import LockedDeb, LockedFile
from stackgen.plan import Distribution
from stackgen.run import Outcome, Runner
from stackgen.site import Site, without_credentials

_LINE = re.compile(
    r"'(?P<address>[^']+)' (?P<package>[a-z0-9][a-z0-9+.-]+)_(?P<version>[^_\s]+)_[a-z0-9]+\.deb"
    r" (?P<size>\d+) SHA256:(?P<sha256>[0-9a-f]{64})"
)
_UNKNOWN = re.compile(r"E: (?:Unable to locate package |Package ')(?P<name>[^\s']+)")


def lock_base(
    distribution: Distribution, packages: tuple[str, ...], architecture: str, site: Site, run: Runner
) -> tuple[LockedDeb, ...]:
    """The packages of a base with all that they need, for an architecture as wheels name it, sorted.

    InputError where the distribution has no such package, WorkError where its archives cannot be asked.
    """
    known = KNOWN[distribution.name]
    wanted = tuple(sorted({*known.packages, *packages}))
    sources = site.distributions.get(distribution.name)
    question = Question(
        archives=suites(distribution, site, run),
        component=known.component,
        architecture=known.architectures[architecture],
        keyring=Path((sources and sources.keyring) or known.keyring),
        stand_ins=tuple(name for name in known.for_scripts if name not in wanted),
    )
    with private_apt(question, run) as apt:
        outcome = apt("install", "--yes", "--print-uris", *wanted)
    if outcome.status:
        raise _refused(outcome, distribution, architecture, known)
    return tuple(sorted(_locked(outcome.stdout, question.archives)))


def _locked(text: str, archives: tuple[Archive, ...]) -> Iterator[LockedDeb]:
    for line in text.splitlines():
        if not line.startswith("'"):
            continue
        found = _LINE.fullmatch(line.strip())
        path = _path(found["address"], archives) if found else ""
        if not found or not path:
            raise WorkError(f"apt names a package in a way that is not understood: {line}", "look at the log")
        yield LockedDeb(
            package=found["package"],
            version=unquote(found["version"]),
            file=LockedFile(name=path.rpartition("/")[2], size=int(found["size"]), sha256=found["sha256"]),
            path=path,
        )


def _path(address: str, archives: tuple[Archive, ...]) -> str:
    """Where a file lies below an archive; empty where it lies in none, or may not lie there."""
    asked = unquote(address)
    for archive in archives:
        root = unquote(without_credentials(archive.address))
        fronts = (f"{root}/", f"{root.replace('file://', 'file:', 1)}/")  # as apt writes it
        if front := next((one for one in fronts if asked.startswith(one)), ""):
            path = asked.removeprefix(front).removeprefix("./")
            plain = all(part not in {"", ".", ".."} for part in path.split("/"))
            return path if plain and path.isprintable() else ""
    return ""


def _refused(
    outcome: Outcome, distribution: Distribution, architecture: str, known: Known
) -> InputError | WorkError:
    name = f"{distribution.name}:{distribution.version}"
    details = f"{outcome.stdout}{outcome.stderr}"
    unknown = sorted({found["name"] for found in _UNKNOWN.finditer(outcome.stderr)})
    if basic := [one for one in unknown if one in known.packages]:
        return WorkError(
            f"the archives of {known.title} have no {basic[0]} of {name} for {architecture}",
            f"see `distributions.{distribution.name}.mirrors` in site.yaml",
            details=details,
        )
    if unknown:
        what = f"{name} has no package {', '.join(unknown)} for {architecture}"
        return InputError.of(what, "correct it", where="containers.packages")
    said = [line.strip() for line in outcome.stdout.splitlines() if " Depends: " in line]
    last = next(iter(outcome.stderr.strip().splitlines()[-1:]), f"exit status {outcome.status}")
    why = said[0] if said else last.removeprefix("E: ")
    fault = InputError.of(
        f"{name} cannot have all of these packages at once: {why}",
        "take one of them out",
        where="containers.packages",
    )
    return InputError(*fault.faults, details=details)
