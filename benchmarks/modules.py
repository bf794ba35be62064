"""`python -m benchmarks.modules [COUNT]`: what users wait for with many modules of ours, 1,000 if not told.

Each command several times in one shell, with Lmod's cache as `publish` builds it and without; and without it
where there are two modules alone, which is what Lmod itself takes.
"""

import argparse
import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.paired import Row, Side, medians, table
from stackgen import files
from stackgen.hierarchy import Described, DescribedEffect, hierarchy_tree
from stackgen.lmod import lmod_start
from stackgen.lock import SpackLock
from stackgen.model import Environment, System
from stackgen.plan import Plan, plan
from stackgen.progress import Silent
from stackgen.publish.cache import RC, Spider
from stackgen.run import Command, LoggedRunner, succeed

ROUNDS, TURNS = 3, 4
RUN = LoggedRunner(Silent())
MPI, CORE, LEVEL = "openmpi", "package0001", "package0002"
"""The MPI, a package that needs it not, and one that does."""
COMMANDS = {
    "module avail": "module avail",
    "module load, in Core": f"module load {CORE}; module unload {CORE}",
    "module load, on an MPI": f"module load {MPI} {LEVEL}; module unload {LEVEL} {MPI}",
    "module spider NAME/VERSION": f"module spider {LEVEL}/1.0",
    "module spider": "module spider",
}


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.modules", description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=1000)
    count = parser.parse_args().count
    lmod = lmod_start()
    if lmod is None:
        raise SystemExit("there is no Lmod here")
    with tempfile.TemporaryDirectory(prefix="stackgen-benchmark-") as scratch:
        few = Prefix(path=Path(scratch, "few"), lmod=lmod)
        many = Prefix(path=Path(scratch, "many"), lmod=lmod)
        few.fill(2)
        many.fill(count)
        print(table(row for title, line in COMMANDS.items() for row in rows(title, line, few, many)))


def rows(title: str, line: str, few: "Prefix", many: "Prefix") -> list[Row]:
    """A command among many modules, with the cache and without, and among two."""
    taken = medians(
        (
            Side(name="cached", action=lambda: many.ask(line, cached=True)),
            Side(name="walked", action=lambda: many.ask(line, cached=False)),
            Side(name="few", action=lambda: few.ask(line, cached=False)),
        ),
        ROUNDS,
    )
    cached, walked, alone = (seconds / TURNS for seconds in taken)
    reads = "load" not in title  # Lmod loads without a cache
    goal, met = ("at most 0.5 x", cached <= walked / 2) if reads else ("none", True)
    return [
        Row(title=f"{title}: no cache / 2 modules", ours=walked, theirs=alone, goal="none", met=True),
        Row(title=f"{title}: cache / no cache", ours=cached, theirs=walked, goal=goal, met=met),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix:
    """What users see of a release whose packages are not there."""

    path: Path
    lmod: Path

    def fill(self, count: int) -> None:
        """Half of the packages in Core, half on the level of an MPI, and the cache of them all."""
        current = self.path / "current"
        names = [f"package{number:04}" for number in range(1, count + 1)]
        lock, described = locked(names), {hashed(name): about(name) for name in [MPI, *names]}
        files.write_tree(hierarchy_tree(planned(self.path), [lock], described), current)
        spider = Spider(lmod=self.lmod, run=RUN, progress=Silent())
        files.write_tree(spider.cache(current, current), current)

    def ask(self, line: str, *, cached: bool) -> None:
        """Have a user say it several times."""
        script = f"""
            . {self.lmod}
            module use {self.path}/current/modules/Core
            for turn in {" ".join(map(str, range(TURNS)))}; do {line} > /dev/null 2>&1 || exit 1; done
        """
        environment = {
            "HOME": str(self.path),
            "PATH": "/usr/bin:/bin",
            "USER": "user",
            "LMOD_SHORT_TIME": "86400",  # or Lmod would keep a cache of its own in the home
            **({"LMOD_RC": str(self.path / "current" / RC)} if cached else {}),
        }
        words = ("bash", "--noprofile", "--norc", "-c", script)
        succeed(RUN, Command(argv=words, environment=environment, directory=self.path), f"{line} failed")


def planned(prefix: Path) -> Plan:
    """An environment with an MPI."""
    values = {"name": "many", "release": "1", "system": "box", "prefix": str(prefix)}
    six = {"from": "wheels", "version": "newest", "python": "3.11"}
    asked = {**values, "toolchain": {"mpi": f"{MPI}@1.0"}, "frameworks": {"six": six}}
    system = System(name="box", os="debian12", glibc="2.36", target="x86_64")
    return plan(Environment.model_validate(asked), system)


def locked(names: list[str]) -> SpackLock:
    """A lock of these packages, every other one on the MPI."""
    needs = {"parameters": {"deptypes": ["link"], "virtuals": ["mpi"]}, "name": MPI, "hash": hashed(MPI)}
    arch = {"platform": "linux", "platform_os": "debian12", "target": "x86_64"}
    nodes = {
        hashed(name): {
            "name": name,
            "version": "1.0",
            "arch": arch,
            "dependencies": [needs] if number % 2 else [],
        }
        for number, name in enumerate(names)
    }
    nodes[hashed(MPI)] = {"name": MPI, "version": "1.0", "arch": arch}
    roots = [{"hash": key, "spec": node["name"]} for key, node in nodes.items()]
    meta = {"file-type": "spack-lockfile"}
    text = json.dumps({"_meta": meta, "roots": roots, "concrete_specs": nodes})
    return SpackLock(name="toolchain", text=text)


def about(name: str) -> Described:
    """A package as most are."""
    place = f"/opt/store/linux-x86_64/{name}-1.0-{hashed(name)}"
    found = {
        "CMAKE_PREFIX_PATH": ".",
        "PATH": "bin",
        "PKG_CONFIG_PATH": "lib/pkgconfig",
        "MANPATH": "share/man",
    }
    return Described(
        hash=hashed(name),
        prefix=place,
        summary=f"What {name} is for, in a sentence of some length that a package's author wrote.",
        homepage=f"https://{name}.example",
        variants="+shared ~static build_type=Release",
        effects=tuple(
            DescribedEffect(kind="PrependPath", variable=variable, value=f"{place}/{below}", separator=":")
            for variable, below in found.items()
        ),
    )


def hashed(name: str) -> str:
    """Something like a hash of Spack's."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


main()
