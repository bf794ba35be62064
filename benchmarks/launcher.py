"""`python -m benchmarks.launcher [ROUNDS]`: what users wait for when they ask the launcher of a release.

The release has 50 frameworks of 200 packages each, with summaries as long as they are. Ours is the command as
users type it; theirs is the bare start of the Python that it runs in, than which nothing is faster. Cold is
with nothing of the release, nor of that Python's library, in the kernel's caches.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.paired import Action, Row, Side, medians, table
from stackgen import files
from stackgen.delivered import PACKAGES, Contents, Delivered
from stackgen.jobs import launcher_tree
from stackgen.model import Environment, System
from stackgen.plan import Plan, plan
from stackgen.progress import Silent
from stackgen.release import InstalledFramework
from stackgen.run import Command, LoggedRunner, succeed
from stackgen.tree import File, Tree

FRAMEWORKS, PACKAGES_EACH, GOAL = 50, 200, 0.2
RUN = LoggedRunner(Silent())
PYTHON = "/usr/bin/python3"
"""What the launcher takes first."""
COMMANDS = ("", "packages framework00", "info framework00", "which package-007", "doctor")


def main() -> None:
    """Make a release, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.launcher", description=__doc__)
    parser.add_argument("rounds", nargs="?", type=int, default=21)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="stackgen-benchmark-") as scratch:
        program = release(Path(scratch))
        found = (row for command in COMMANDS for row in rows(program, command, rounds))
        print(table(found))


def rows(program: Path, command: str, rounds: int) -> Iterator[Row]:
    """A command, warm and cold."""
    for title, times, before in (
        ("warm", rounds, lambda: None),
        ("cold", max(rounds // 3, 1), forget(program)),
    ):
        ours, theirs = medians(
            (
                Side(name="ours", action=lambda: ask(str(program), *command.split()), before=before),
                Side(name="python", action=lambda: ask(PYTHON, "-I", "-S", "-c", "pass"), before=before),
            ),
            times,
        )
        named = " ".join(filter(None, (program.name, command)))
        yield Row(
            title=f"{named}, {title}", ours=ours, theirs=theirs, goal=f"under {GOAL} s", met=ours < GOAL
        )


def release(prefix: Path) -> Path:
    """Lay out what the launcher reads, as a release has it; its program."""
    planned, described = _planned(prefix), "A sentence that says what the package is for, as most have one."
    frameworks = tuple(_framework(planned, number) for number in range(FRAMEWORKS))
    packages = tuple(
        Delivered(name=f"package-{number:03}", version="1.10.2", license="Apache-2.0", summary=described)
        for number in range(PACKAGES_EACH)
    )
    listed = File(Contents(packages=packages).model_dump_json(indent=1) + "\n")
    contents = Tree({f"{PACKAGES}/{framework.name}.json": listed for framework in frameworks})
    files.write_tree(launcher_tree(planned, frameworks) | contents, Path(planned.place))
    shown = prefix / "publications" / planned.release / "0"
    files.write_tree(launcher_tree(planned, frameworks) | contents, shown)
    files.point(prefix / "current", str(shown.relative_to(prefix)))
    return Path(planned.place) / "bin" / planned.namespace


def _planned(prefix: Path) -> Plan:
    asked = {
        f"framework{number:02}": {"from": "wheels", "version": "1.0", "package": "six", "import": "six"}
        for number in range(FRAMEWORKS)
    }
    values = {"name": "many", "release": "1", "system": "box", "prefix": str(prefix), "frameworks": asked}
    facts = {"name": "box", "os": "debian12", "glibc": "2.36", "target": "x86_64"}
    pythons = [{"version": "3.11", "prefix": "/usr"}]
    return plan(Environment.model_validate(values), System.model_validate({**facts, "pythons": pythons}))


def _framework(planned: Plan, number: int) -> InstalledFramework:
    about = planned.frameworks[number].about
    return InstalledFramework(
        name=planned.frameworks[number].name,
        module=about.module,
        version="1.0",
        prefix=f"{planned.prefix}/pythons/{planned.frameworks[number].name}",
        python="3.11",
        packages={f"package-{one:03}": "1.10.2" for one in range(PACKAGES_EACH)},
        settings={"OMP_NUM_THREADS": "{threads}", "TF_ENABLE_ONEDNN_OPTS": "1"},
    )


def ask(*words: str) -> None:
    """Start a command as a user would; what is wrong with this machine is of no matter."""
    command = Command(argv=words, environment={"HOME": "/tmp", "PATH": "/usr/bin:/bin"}, directory=Path("/"))
    if "doctor" in words:
        RUN(command)
    else:
        succeed(RUN, command, f"{words} failed")


def forget(program: Path) -> Action:
    """What has the kernel forget the files of a release and those of the Python."""
    library = Path(f"{os.path.realpath(PYTHON)}".replace("/bin/", "/lib/"))
    read = [path for place in (program.parents[1], library) for path in place.rglob("*") if path.is_file()]
    read += [program.parents[3] / "current", Path(os.path.realpath(PYTHON))]

    def forget_them() -> None:
        for path in read:
            if path.is_file():
                number = os.open(path, os.O_RDONLY)
                os.posix_fadvise(number, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(number)

    return forget_them


main()
