"""One question to Spack: JSON in a file, lines of JSON as the answer."""

import hashlib
import json
import os
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


_NETWORK = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "git_ssl_cainfo")
"""Variables, in small or capital letters, that say how a network is reached."""
_GIT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,  # a user's settings may change what an archive holds
    "GIT_CONFIG_COUNT": "3",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
    "GIT_CONFIG_KEY_1": "http.lowSpeedLimit",
    "GIT_CONFIG_VALUE_1": "1000",
    "GIT_CONFIG_KEY_2": "http.lowSpeedTime",
    "GIT_CONFIG_VALUE_2": "30",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=15",
}


def ask(
    question: Mapping[str, Any],
    host: Host,
    spack: Spack,
    heard: Callable[[Any], None] | None = None,
    *,
    network: bool = False,
) -> tuple[Any, ...]:
    """The answers, each told as soon as it is there; WorkError where Spack itself fails.

    Only where the question is one for the `network` is Spack told how this user reaches one.
    """
    file = spack.scratch / "question.json"
    machine = {"os": host.os, "target": host.target, "glibc": host.glibc}
    asked = {**question, "host": machine, "scratch": str(spack.scratch / "kept")}
    files.write(file, json.dumps(asked))
    words = ("python", str(_SCRIPT), str(file))
    command = spack_command(
        spack.home, words, scopes=None, scratch=spack.scratch / "spack", directory=spack.scratch
    )
    # Or the order of sets, and with it that of the roots in a lock, would be another each time.
    environment = {**command.environment, "PYTHONHASHSEED": "0", **(_way_out() if network else {})}
    command = replace(command, environment=environment, heard=_teller(heard))
    outcome = succeed(spack.run, command, "Spack failed")
    return tuple(json.loads(line) for line in outcome.stdout.splitlines())


def _way_out() -> dict[str, str]:
    """Proxies and certificates of this user, and the home that has the passwords for git."""
    passed = {name: text for name, text in os.environ.items() if name.lower() in _NETWORK}
    home = {"HOME": os.environ["HOME"]} if "HOME" in os.environ else {}
    return {**passed, **home, **_GIT}


def _teller(heard: Callable[[Any], None] | None) -> Callable[[str], None] | None:
    return (lambda line: heard(json.loads(line))) if heard else None
