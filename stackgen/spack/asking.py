"""One question to Spack: JSON in a file, lines of JSON as the answer."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from stackgen import files
from stackgen.model import System
from stackgen.run import Runner, succeed
from stackgen.spack.home import SpackHome
from stackgen.spack.start import spack_command

_SCRIPT = Path(__file__).parents[1] / "inside/spack/ask.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The machine that stands in for the one we are on, such as `rhel8`, `power9le`, `2.28`."""

    os: str
    target: str
    glibc: str

    @classmethod
    def of(cls, system: System) -> "Host":
        """What of a system Spack asks a machine for."""
        return cls(os=system.os, target=system.target, glibc=system.glibc)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spack:
    """All that a question to Spack needs: where it lies, who starts it, where it may write."""

    home: SpackHome
    run: Runner
    scratch: Path


@cache
def driver_digest() -> str:
    """SHA-256 in hex of the scripts that run inside Spack: another driver may come to other answers."""
    scripts = sorted(_SCRIPT.parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(script.read_bytes() for script in scripts)).hexdigest()


def ask(
    question: Mapping[str, Any], host: Host, spack: Spack, heard: Callable[[Any], None] | None = None
) -> tuple[Any, ...]:
    """The answers, each told as soon as it is there; WorkError where Spack itself fails."""
    file = spack.scratch / "question.json"
    machine = {"os": host.os, "target": host.target, "glibc": host.glibc}
    asked = {**question, "host": machine, "scratch": str(spack.scratch / "kept")}
    files.write(file, json.dumps(asked))
    words = ("python", str(_SCRIPT), str(file))
    command = spack_command(
        spack.home, words, scopes=None, scratch=spack.scratch / "spack", directory=spack.scratch
    )
    # Or the order of sets, and with it that of the roots in a lock, would be another each time.
    environment = {**command.environment, "PYTHONHASHSEED": "0"}
    command = replace(command, environment=environment, heard=_teller(heard))
    outcome = succeed(spack.run, command, "Spack failed")
    return tuple(json.loads(line) for line in outcome.stdout.splitlines())


def _teller(heard: Callable[[Any], None] | None) -> Callable[[str], None] | None:
    return (lambda line: heard(json.loads(line))) if heard else None
