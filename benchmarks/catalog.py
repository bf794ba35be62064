"""`python -m benchmarks.catalog`: the catalog of a large site, 50 frameworks of 200 packages each.

No program that is known by name makes such pages from installed modules, so there are goals, and no peer.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stackgen import files
from stackgen.delivered import PACKAGES, Contents, Delivered
from stackgen.jobs import job_tree, launcher_tree
from stackgen.lock import Lock, LockedFile, LockedPackage, WheelLock, inputs
from stackgen.model import Environment, System
from stackgen.modules import module_tree
from stackgen.plan import Plan, plan
from stackgen.progress import Silent
from stackgen.publish import publish, stage
from stackgen.release import Check, InstalledFramework, Report, installed, release_of
from stackgen.run import Command, LoggedRunner, succeed
from stackgen.tree import File, Tree

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from browser import browser, why_not

ROUNDS = 5
SECONDS, BYTES, PAINT = 2.0, 100_000, 0.5
"""Of the command, of a page, and until a page is seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A goal, and what came out."""

    title: str
    goal: str
    result: str
    met: bool


def main() -> None:
    """Generate a prefix, write its catalog, open its pages, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.catalog", description=__doc__)
    parser.add_argument("frameworks", nargs="?", type=int, default=50)
    parser.add_argument("packages", nargs="?", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stackgen-benchmark-") as scratch:
        home = Path(scratch)
        fill(home / "ai", asked.frameworks, asked.packages)
        size = f"{asked.frameworks} frameworks of {asked.packages} packages"
        print(table([*written(home, size), *sizes(home / "site"), *paints(home)]))
        files.remove(home / "ai")


def table(rows: list[Row]) -> str:
    """The rows as text, one a line."""
    lines = [f"{row.title:<72}{row.goal:<16}{row.result:<14}{'met' if row.met else 'MISSED'}" for row in rows]
    head = f"{'':<72}{'goal':<16}{'result':<14}"
    return "\n".join([head, *lines, "There is no named program that makes such pages to compare with."])


def written(home: Path, size: str) -> Iterator[Row]:
    """The whole command, as a user starts it: into a new directory, and where nothing has changed."""
    anew, again = [], []
    for _ in range(ROUNDS):
        files.remove(home / "site")
        anew.append(ran(home))
        again.append(ran(home))
    for title, taken in (("anew", anew), ("nothing has changed", again)):
        seconds = statistics.median(taken)
        yield Row(
            title=f"stackgen catalog, {size}, {title}",
            goal=f"under {SECONDS:g} s",
            result=f"{seconds:.2f} s",
            met=seconds < SECONDS,
        )


def ran(home: Path) -> float:
    """Seconds of the command."""
    words = (sys.executable, "-m", "stackgen", "catalog", str(home / "ai"), "-o", str(home / "site"))
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}
    start = time.perf_counter()
    command = Command(argv=words, environment=environment, directory=Path(__file__).parents[1])
    succeed(LoggedRunner(Silent()), command, "stackgen catalog failed")
    return time.perf_counter() - start


def sizes(site: Path) -> Iterator[Row]:
    """The largest page."""
    largest = max(site.rglob("*.html"), key=lambda path: path.stat().st_size)
    size = largest.stat().st_size
    yield Row(
        title=f"the largest of {len([*site.rglob('*.html')])} pages, {largest.relative_to(site)}",
        goal=f"under {BYTES // 1000} kB",
        result=f"{size / 1000:.1f} kB",
        met=size < BYTES,
    )


def paints(home: Path) -> Iterator[Row]:
    """The first paint of pages that Chromium reads from disk."""
    if reason := why_not():
        yield Row(title="first paint in Chromium", goal=f"under {PAINT:g} s", result=reason, met=False)
        return
    framework = sorted((home / "site").glob("releases/*/frameworks/*.html"))[0]
    pages = {"overview": home / "site/index.html", "release": framework.parents[1] / "index.html"}
    with browser(home) as started:
        page = started.page()
        for title, path in {**pages, "framework": framework}.items():
            page.first_paint(path)
            seconds = statistics.median(page.first_paint(path) for _ in range(ROUNDS))
            yield Row(
                title=f"first paint in Chromium from disk, {title}",
                goal=f"under {PAINT:g} s",
                result=f"{seconds:.3f} s",
                met=seconds < PAINT,
            )


def fill(prefix: Path, frameworks: int, packages: int) -> None:
    """A published release of that size, as a build leaves it but for what was installed."""
    asked = planned(prefix, frameworks)
    lock = locked(asked, packages)
    found = installed(asked, lock)
    tree = module_tree(asked, found) | launcher_tree(asked, found) | job_tree(asked, found) | contents(found)
    directory = stage(asked, lock, tree)
    release = release_of(asked, lock)
    checks = [
        Check(framework=one.name, name=name, passed=True)
        for one in found
        for name in ("import", "version", "packages", "isolation", "login shell", "batch job")
    ]
    report = Report(release=release.name, request=release.request, checks=tuple(checks))
    files.write(directory / "report.json", report.model_dump_json())
    for one in found:
        for path in ("bin/python", "lib/python3.11/site-packages/it.py"):
            Path(one.prefix, path).parent.mkdir(parents=True)
            Path(one.prefix, path).touch()
    publish(prefix, release.name)


def planned(prefix: Path, count: int) -> Plan:
    """So many frameworks on a cluster with partitions."""
    frameworks = {
        f"framework{number:02}": {
            "from": "wheels",
            "version": "newest",
            "python": "3.11",
            "features": ["ddp", "jupyter"],
            "settings": {"A": "1"},
        }
        for number in range(count)
    }
    values = {"name": "many", "release": "2026.11", "system": "box", "prefix": str(prefix)}
    system = {
        "name": "Box",
        "os": "debian12",
        "glibc": "2.36",
        "target": "x86_64",
        "nodes": {"count": 100, "sockets": 2, "cores": 96},
        "scheduler": {
            "kind": "slurm",
            "partitions": {
                name: {"nodes": f"1..{most}", "time": "24:00:00"}
                for name, most in (("short", 4), ("long", 64))
            },
        },
    }
    asked = Environment.model_validate({**values, "frameworks": frameworks})
    return plan(asked, System.model_validate(system))


def locked(asked: Plan, packages: int) -> Lock:
    """Each framework, and as many packages as are asked for."""
    names = [f"package-with-a-name-{number:03}" for number in range(packages - 1)]
    return Lock(
        environment=asked.environment,
        inputs=inputs(asked),
        wheels=tuple(
            WheelLock(
                framework=one.name,
                python="3.11",
                packages=tuple(sorted(map(package, [one.package, *names]))),
            )
            for one in asked.wheels
        ),
    )


def package(name: str) -> LockedPackage:
    """A wheel that is not there."""
    file = LockedFile(name=f"{name.replace('-', '_')}-2026.11.1-py3-none-any.whl", size=11, sha256="0" * 64)
    return LockedPackage(name=name, version="2026.11.1", file=file)


def contents(frameworks: tuple[InstalledFramework, ...]) -> Tree:
    """What is told of packages: licences and sentences of a usual length."""
    summary = "What this package is for, in a sentence that its authors wrote once"
    return Tree(
        {
            f"{PACKAGES}/{one.name}.json": File(
                Contents(
                    packages=tuple(
                        Delivered(name=name, version=version, license="BSD-3-Clause AND MIT", summary=summary)
                        for name, version in one.packages.items()
                    )
                ).model_dump_json(indent=1)
            )
            for one in frameworks
        }
    )


if __name__ == "__main__":
    main()
