"""`python -m benchmarks.mirrors [DIR]`: a kit with many sources, made again and verified, against sha256sum.

The kit is of made-up sources, 200 files and 1.5 GB, and else what any kit holds; whole commands are timed.
"""

import argparse
import hashlib
import os
import random
import sys
import tempfile
from pathlib import Path

from benchmarks.paired import Row, Side, medians, table
from stackgen import files
from stackgen.environments import spack_environments
from stackgen.lock import Lock, LockedSource, SpackLock, inputs, lock_tree
from stackgen.pipeline import collect
from stackgen.progress import Silent
from stackgen.project import Project, Tools, open_project
from stackgen.run import Command, LoggedRunner, succeed

ROUNDS = 5
FILES, BYTES = 200, 1.5e9
RUN = LoggedRunner(Silent())
SYSTEM = """\
name: There
os: rhel8
glibc: 2.28
target: x86_64_v3
compilers:
  - {spec: gcc@13.2.0, prefix: /usr}
"""
ENVIRONMENT = """\
name: many
release: 1
system: there
prefix: /opt/many
frameworks:
  zlib: {version: 1.3.1, from: spack, import: zlib}
"""
NOTHING = '{"_meta": {"file-type": "spack-lockfile"}, "roots": [], "concrete_specs": {}}'


def main() -> None:
    """Prepare, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mirrors", description=__doc__)
    parser.add_argument("directory", nargs="?", help="where to work; a temporary directory if not given")
    with tempfile.TemporaryDirectory(prefix="stackgen-benchmark-") as scratch:
        work = Path(parser.parse_args().directory or scratch).absolute()
        project = prepared(work)
        kit = work / "kit"
        collect((project,), kit, Tools(run=RUN, progress=Silent()), given=(work / "given",))
        print(table(rows(project, kit)))


def prepared(work: Path) -> Project:
    """An environment with a lock that names as many sources, and these below `given`."""
    files.write(work / "systems/there.yaml", SYSTEM)
    files.write(work / "many.yaml", ENVIRONMENT)
    project = open_project(work / "many.yaml")
    sources = tuple(sorted(made(work / "given")))
    spack = tuple(
        SpackLock(name=environment.name, text=NOTHING, sources=sources)
        for environment in spack_environments(project.plan)
    )
    lock = Lock(environment="many", inputs=inputs(project.plan), spack=spack)
    files.write_tree(lock_tree(lock), project.lock_directory)
    return project


def made(given: Path) -> list[LockedSource]:
    """Files whose sizes differ as those of sources do: few have most of the bytes."""
    chance, found = random.Random(1), []
    given.mkdir(parents=True, exist_ok=True)
    weights = [chance.paretovariate(1.1) for _ in range(FILES)]
    for number, weight in enumerate(weights):
        content = chance.randbytes(int(BYTES * weight / sum(weights)))
        sha256 = hashlib.sha256(content).hexdigest()
        name = f"package{number}-1.0.tar.gz"
        (given / name).write_bytes(content)
        found.append(
            LockedSource(
                package=f"package{number}",
                version="1.0",
                kind="source",
                name=name,
                sha256=sha256,
                commit="",
                path=f"_source-cache/archive/{sha256[:2]}/{sha256}.tar.gz",
                manual=False,
            )
        )
    return found


def rows(project: Project, kit: Path) -> list[Row]:
    """The same kit again, and read back, each in turn with sha256sum on as many processors."""
    stackgen = (sys.executable, "-m", "stackgen", "mirror")
    again = (*stackgen, "create", str(project.file), "-d", str(kit))
    everything = [str(path) for path in sorted(kit.rglob("*")) if path.is_file()]
    listed = kit.with_name("listed")
    listed.write_text("\0".join(everything))
    processors = len(os.sched_getaffinity(0))
    summed = ("xargs", "-0", "-a", str(listed), "-n", "1", "-P", str(processors), "sha256sum")
    ours, verified, theirs = medians(
        (
            Side(name="again", action=lambda: ran(again)),
            Side(name="verify", action=lambda: ran((*stackgen, "verify", str(kit)))),
            Side(name="sha256sum", action=lambda: ran(summed)),
        ),
        ROUNDS,
    )
    size = sum(Path(path).stat().st_size for path in everything) / 1e9
    return [
        Row(
            title=f"a complete kit again: {len(everything)} files, {size:.1f} GB",
            ours=ours,
            theirs=theirs,
            goal="under 2 s",
            met=ours < 2,
        ),
        Row(
            title=f"verify / sha256sum on {processors} processors",
            ours=verified,
            theirs=theirs,
            goal="at most 1.25 x",
            met=verified <= 1.25 * theirs,
        ),
    ]


def ran(words: tuple[str, ...]) -> None:
    """Run a program to its successful end."""
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "LANG": "C.UTF-8"}
    succeed(RUN, Command(argv=words, environment=environment, directory=Path.cwd()), f"{words[0]} failed")


if __name__ == "__main__":
    main()
