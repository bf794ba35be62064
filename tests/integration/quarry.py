"""Small packages in C, built by a real Spack in seconds, and the store that they are installed into."""

from dataclasses import dataclass, replace
from pathlib import Path

from stages import Recorder

from stackgen import files
from stackgen.environments import environment_tree
from stackgen.environments.recipes import NAMESPACE
from stackgen.lock import Lock, SpackLock
from stackgen.mirror import Mirror
from stackgen.model import Environment, System
from stackgen.plan import Plan, plan
from stackgen.progress import Silent
from stackgen.run import LoggedRunner, Runner
from stackgen.sandbox import Sandbox
from stackgen.spack import SpackHome
from stackgen.spack.driver import Host, Solved, Spack, solve
from stackgen.store import Cache, Store, install, open_store
from stackgen.tree import File, Tree

RECIPE = '''\
import os
import socket
from spack.package import *


class {title}(Package):
    """{title} of the quarry."""

    homepage = "https://{name}.example"
    has_code = False
    version("1.0")
    depends_on("c", type="build")
{needs}
    def write(self, name, text):
        with open(name, "w") as stream:
            stream.write(text)

    def install(self, spec, prefix):
        mkdirp(prefix.bin, prefix.lib)
{install}
'''
VEIN = """\
        self.write("vein.c", 'const char *vein(void) { return "%s"; }\\n' % prefix)
        Executable("cc")("-shared", "-fPIC", "-o", join_path(prefix.lib, "libvein.so"), "vein.c")
"""
STONE = """\
        self.write("stone.c", "char *vein(void); int puts(char *); int main(void) { puts(vein()); }")
        vein = "-L" + spec["vein"].prefix.lib
        Executable("cc")("-o", join_path(prefix.bin, "stone"), "stone.c", vein, "-lvein")
"""
BROKEN = """\
        self.write("rubble.c", "int main(void) { return nothing; }\\n")
        Executable("cc")("-o", join_path(prefix.bin, "rubble"), "rubble.c")
"""
WALL = """\
        self.write(join_path(prefix.bin, "wall"), "#!/bin/sh\\n")
"""
SCOUT = """\
        found = {key: value for key, value in os.environ.items() if key in ("HOME", "TMPDIR")}
        for name in ("/outside", "/usr"):
            try:
                self.write(name + "/scout", "was here")
                found[name] = "writable"
            except OSError as error:
                found[name] = error.strerror
        try:
            socket.create_connection(("192.0.2.1", 80), 5)
        except OSError as error:
            found["network"] = error.strerror
        wait = "for n in 1 2 3 4 5 6 7 8 9; do [ -e a -a -e b ] && exit; sleep 1; done; exit 1"
        self.write("Makefile", "all: one other\\none: ; touch a; %s\\nother: ; touch b; %s\\n" % (wait, wait))
        Executable("make")()
        self.write(join_path(prefix.lib, "found"), repr(found))
"""


def recipe(name: str, install: str, *needs: str) -> dict[str, File]:
    """A package of this name; `needs` are packages that it is linked with."""
    text = RECIPE.format(
        name=name,
        title=name.capitalize(),
        needs="".join(f'    depends_on("{need}")\n' for need in needs),
        install=install,
    )
    return {f"{name}/package.py": File(text)}


GOOD = Tree(recipe("vein", VEIN) | recipe("stone", STONE, "vein"))
BAD = Tree({**GOOD, **recipe("rubble", BROKEN, "vein"), **recipe("wall", WALL, "rubble")})

SYSTEM = {
    "name": "Here",
    "os": "debian12",
    "glibc": "2.36",
    "target": "x86_64",
    "compilers": [{"spec": "gcc@12.2.0", "prefix": "/usr", "languages": ["c", "c++"]}],
    "pythons": [{"version": "3.11", "prefix": "/usr"}],
}
ENVIRONMENT = {
    "name": "quarry",
    "release": "1",
    "system": "here",
    "toolchain": {"compiler": "gcc@12.2.0"},
    "frameworks": {"six": {"from": "wheels", "version": "newest"}},
}


def planned(prefix: Path, *packages: str, **system: object) -> Plan:
    """The plan of an environment with these packages."""
    asked = Environment.model_validate({**ENVIRONMENT, "prefix": str(prefix), "packages": packages})
    return plan(asked, System.model_validate({**SYSTEM, **system}))


@dataclass(frozen=True, kw_only=True)
class Quarry:
    """Recipes, packages of them, their lock, and a prefix to install them into."""

    prefix: Path
    recipes: Tree
    packages: tuple[str, ...]
    lock: Lock
    spack: SpackHome
    sandbox: Sandbox | None = None

    def at(self, prefix: Path) -> "Quarry":
        """The same with another prefix."""
        return replace(self, prefix=prefix)

    def with_recipes(self, recipes: Tree) -> "Quarry":
        """The same lock with other recipes of the same packages."""
        return replace(self, recipes=recipes)

    @property
    def plan(self) -> Plan:
        return planned(self.prefix, *self.packages)

    def store(
        self, run: Runner | None = None, cache: Cache | None = None, scratch: Path | None = None
    ) -> Store:
        """The store below the prefix, with our recipes in the place of stackgen's."""
        mirror = Mirror(root=self.prefix.parent)
        run = run or LoggedRunner(Silent())
        store = open_store(self.plan, mirror, self.spack, run, self.sandbox, cache, scratch)
        below = self.recipes.below(f"environments/repos/spack_repo/{NAMESPACE}/packages")
        files.write_tree(below, store.root)
        return store

    def install(
        self,
        run: Runner | None = None,
        cache: Cache | None = None,
        scratch: Path | None = None,
        recorder: Recorder | None = None,
    ) -> Recorder:
        """Install all, and give what was told."""
        recorder = recorder or Recorder()
        mirror = Mirror(root=self.prefix.parent)
        install(self.plan, self.lock, mirror, self.store(run, cache, scratch), recorder, jobs=2)
        return recorder

    def prefix_of(self, name: str) -> Path:
        """Where a package is installed."""
        (one,) = self.lock.spack
        (found,) = (path for path in self.store().prefixes(one).values() if path.name.startswith(f"{name}-"))
        return found


def solved(recipes: Tree, packages: tuple[str, ...], spack: SpackHome, scratch: Path) -> Quarry:
    """Solve packages of these recipes."""
    asked = planned(scratch / "prefix", *packages)
    ours = recipes.below(f"spack/repos/spack_repo/{NAMESPACE}/packages")
    files.write_tree(environment_tree(asked) | ours, scratch / "given")
    tools = Spack(home=spack, run=LoggedRunner(Silent()), scratch=scratch / "solve")
    (answer,) = solve({"toolchain": scratch / "given/spack/toolchain"}, Host.of(asked.system), tools)
    assert isinstance(answer, Solved), answer
    lock = Lock(environment="quarry", inputs={}, spack=(SpackLock(name="toolchain", text=answer.lock_text),))
    return Quarry(prefix=scratch / "prefix", recipes=recipes, packages=packages, lock=lock, spack=spack)
