"""`python -m benchmarks.extending PREFIX`: a user's build of all that a site's stack has compiles nothing.

PREFIX is a site's prefix. Its current release's environment is asked for once more, over that release, as by
a user with a home of their own; what Spack builds of it, and what lies in the user's prefix, is counted.
"""

import argparse
import os
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from stackgen.config import load
from stackgen.graph import graph
from stackgen.lock import read_lock
from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner, succeed
from stackgen.underlying import Underlying, find

_MADE = re.compile(r"^\d+ of \d+: \S+ (?:built in|taken from)", re.MULTILINE)
_KEPT = ("path", "pip_", "ssl_", "requests_", "http_proxy", "https_proxy", "no_proxy", "stackgen_", "python")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a user's build took."""

    site: int
    """Packages that Spack has built for the site."""
    compiled: int
    frameworks: int
    """What was put together below the user's prefix."""
    megabytes: float
    """What lies there, links not followed."""
    seconds: dict[str, float]


def main() -> None:
    """Build, count, print; 1 where something was compiled."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prefix", type=Path)
    with tempfile.TemporaryDirectory(prefix="stackgen-extending-") as home:
        found = counted(parser.parse_args().prefix.absolute(), Path(home))
    times = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in found.seconds.items())
    print(f"packages of the site: {found.site}; compiled for the user: {found.compiled}")
    print(f"frameworks made for the user: {found.frameworks}; the user's prefix: {found.megabytes:.1f} MB")
    print(times)
    sys.exit(1 if found.compiled else 0)


def counted(prefix: Path, home: Path) -> Counted:
    """Build all that the current release of a prefix has, over it, in an empty home."""
    below = find(str(prefix), {}, "")
    asked = home / "same.yaml"
    asked.write_text(yaml.safe_dump(same(below, home / "stack")), encoding="utf-8")
    seconds = {}
    for stage in ("lock", "build"):
        began = time.monotonic()
        command = Command(
            argv=(sys.executable, "-m", "stackgen", stage, str(asked)),
            environment=environment(home),
            directory=home,
        )
        outcome = succeed(LoggedRunner(Silent()), command, f"stackgen {stage} failed")
        seconds[stage] = time.monotonic() - began
    return Counted(
        site=packages(below),
        compiled=len(_MADE.findall(outcome.stderr)),
        frameworks=len(list((home / "stack/pythons").glob("[!.]*"))),
        megabytes=sum(path.lstat().st_size for path in (home / "stack").rglob("*")) / 1e6,
        seconds=seconds,
    )


def same(below: Underlying, prefix: Path) -> dict[str, object]:
    """An environment that asks for what a release was made from."""
    files = sorted((below.directory / "environment").glob("*.yaml"))
    written = next(
        found.environment for found in map(load, files) if found.environment.name == below.environment
    )
    kept = written.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)
    named = {"name": "same", "release": "1", "extends": below.prefix, "prefix": str(prefix)}
    return {key: kept[key] for key in ("frameworks", "modules", "packages") if key in kept} | named


def packages(below: Underlying) -> int:
    """How many packages Spack has built for a release."""
    nodes = {key: node for one in read_lock(below.lock).spack for key, node in graph(one.text).nodes.items()}
    return sum(not node.external for node in nodes.values())


def environment(home: Path) -> dict[str, str]:
    """A user's: what leads to the package index, and nothing else of whoever measures."""
    kept = {name: text for name, text in os.environ.items() if name.lower().startswith(_KEPT)}
    return {**kept, "HOME": str(home), "LANG": "C.UTF-8"}


if __name__ == "__main__":
    main()
