"""Frameworks of small packages that a real Spack builds in seconds: with a Python, and without one."""

import hashlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from quarry import STONE, VEIN, recipe
from stages import Recorder
from wheelhouse import Wheelhouse, pip_wheel

from stackgen import files
from stackgen.build import build
from stackgen.describe import describe
from stackgen.environments import environment_tree, spack_environments
from stackgen.environments.recipes import NAMESPACE
from stackgen.from_spack import Packages
from stackgen.lock import Lock, LockedSource, SpackLock, WheelLock, inputs
from stackgen.model import Environment, System
from stackgen.modules import module_tree
from stackgen.plan import Plan, plan
from stackgen.progress import Silent
from stackgen.publish import stage
from stackgen.release import InstalledFramework, Report, installed
from stackgen.run import LoggedRunner
from stackgen.smoke import smoke
from stackgen.spack import SpackHome
from stackgen.spack.driver import Host, Solved, Spack, solve
from stackgen.store import Store, install, open_store
from stackgen.tree import File, Tree

MODULE = '''\
import os
from spack.package import *


class {title}(Package):
    """A package of Python's, installed as pip would, which need not be there."""

    homepage = "https://{name}.example"
    has_code = False
    version("1.0")
    extends("python")
    depends_on("py-pip", type="build")
{needs}
    def write(self, path, text, mode=0o644):
        mkdirp(os.path.dirname(path))
        with open(path, "w") as stream:
            stream.write(text)
        os.chmod(path, mode)

    def install(self, spec, prefix):
        python = join_path(spec["python-venv"].prefix.bin, "python3")
        for path, text in {modules!r}.items():
            self.write(join_path(python_purelib, path), text)
        if "{name}" == "alto":
            self.write(join_path(prefix.share, "alto.txt"), "a score")
        for path, text in {programs!r}.items():
            self.write(join_path(prefix.bin, path), text.replace("PYTHON", python), 0o755)

    def setup_run_environment(self, env):
        env.set("CHOIR_VOICE", "{name}")
        env.set("CHOIR_{capitals}", join_path(self.prefix.share, "{name}.txt"))
        env.set("CHOIR_PYTHON", join_path(self.spec["python-venv"].prefix.bin, "python3"))
        env.prepend_path("CHOIR_PATH", self.prefix.bin)
'''
SBANG = "#!PYTHON\nimport choir.alto\nprint(choir.alto.__file__)\n"
"""Spack itself makes such a start short enough for every kernel."""
TRAMPOLINE = (
    "#!/bin/sh\n'''exec' PYTHON \"$0\" \"$@\"\n' '''\nimport sys, choir.tenor\nsys.exit(choir.tenor.main())\n"
)
"""As pip writes it where the path of the interpreter is too long."""
TENOR = "import sys\ndef main():\n    print('usage: tenor', sys.prefix)\n"
NO_PIP = """\
from spack.package import *


class PyPip(Package):
    \"\"\"Stands for pip in a graph, and is never started.\"\"\"

    homepage = "https://pip.example"
    has_code = False
    version("{version}")
    extends("python")

    def install(self, spec, prefix):
        mkdirp(prefix.bin)
"""
COPY = '''\
import glob
import shutil
from spack.package import *


class Python(Package):
    """Stands for a Python that Spack compiles: a copy of the machine's, its library found by a run path."""

    homepage = "https://python.example"
    has_code = False
    version("{python}.99")
    depends_on("c", type="build")

    def install(self, spec, prefix):
        shutil.copytree("{prefix}/lib/python{python}", prefix.lib.join("python{python}"), symlinks=False,
                        ignore=shutil.ignore_patterns("test", "dist-packages"), ignore_dangling_symlinks=True)
        mkdirp(prefix.bin)
        name = "libpython{python}.so.1.0"
        shared = [*glob.glob("{prefix}/lib/" + name), *glob.glob("{prefix}/lib/*/" + name)]
        if not shared:
            shutil.copy("{prefix}/bin/python{python}", prefix.bin)
            return
        shutil.copy(shared[0], prefix.lib)
        with open("main.c", "w") as stream:
            stream.write("int Py_BytesMain(int, char **);"
                         "int main(int count, char **words) {{ return Py_BytesMain(count, words); }}")
        library = join_path(prefix.lib, name)
        Executable("cc")("-o", join_path(prefix.bin, "python{python}"), "main.c", library)
'''


def module(name: str, modules: dict[str, str], programs: dict[str, str], *needs: str) -> dict[str, File]:
    """The recipe of a package `py-NAME` that has these files and runs others."""
    lines = "".join(f'    depends_on("py-{need}", type=("build", "run"))\n' for need in needs)
    title = f"Py{name.capitalize()}"
    text = MODULE.format(
        title=title, name=name, needs=lines, modules=modules, programs=programs, capitals=name.upper()
    )
    return {f"py_{name}/package.py": File(text)}


def metadata(name: str, script: str = "") -> dict[str, str]:
    """What pip leaves beside the modules of a package."""
    entry = f"[console_scripts]\n{script} = choir.{name}:main\n"
    own = {f"{name}-1.0.dist-info/entry_points.txt": entry} if script else {}
    record = f"{name}-1.0.dist-info/RECORD,,\n"
    return own | {
        f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{name}-1.0.dist-info/direct_url.json": '{"url": "file:///tmp/build/stage"}',
        f"{name}-1.0.dist-info/RECORD": record,
    }


def choir_recipes(pip: str) -> Tree:
    """Two packages in one namespace, a program in C, and pip by name."""
    tenor = {"choir/tenor.py": TENOR, "common.py": "VOICE = 'tenor'\n", **metadata("tenor", "tenor")}
    alto = {"choir/alto.py": "", "common.py": "VOICE = 'alto'\n", **metadata("alto")}
    return Tree(
        {
            **module("tenor", tenor, {"tenor": TRAMPOLINE}, "alto"),
            **module("alto", alto, {"alto": SBANG}),
            **recipe("vein", VEIN),
            **recipe("stone", STONE, "vein"),
            "py_pip/package.py": File(NO_PIP.format(version=pip)),
        }
    )


SYSTEM = {
    "name": "Here",
    "os": "debian12",
    "glibc": "2.36",
    "target": "x86_64",
    "compilers": [{"spec": "gcc@12.2.0", "prefix": "/usr", "languages": ["c", "c++"]}],
    "externals": [{"spec": "python@3.11.2 +bz2 +ctypes +ssl +zlib", "prefix": "/usr"}],
    "pythons": [{"version": "3.11", "prefix": "/usr"}],
}


@dataclass(frozen=True, kw_only=True)
class Choir:
    """Frameworks, their recipes and lock, and a prefix to build them in."""

    root: Path
    plan: Plan
    lock: Lock
    recipes: Tree
    spack: SpackHome

    @property
    def house(self) -> Wheelhouse:
        """The kit."""
        return Wheelhouse(self.root)

    @property
    def store(self) -> Store:
        """The store below the prefix, with these recipes in the place of stackgen's."""
        store = open_store(self.plan, self.house.mirror, self.spack, LoggedRunner(Silent()), None)
        files.write_tree(
            self.recipes.below(f"environments/repos/spack_repo/{NAMESPACE}/packages"), store.root
        )
        return store

    @property
    def prefixes(self) -> dict[str, Path]:
        """The prefix of every package by hash."""
        return {key: path for one in self.lock.spack for key, path in self.store.prefixes(one).items()}

    def prefix_of(self, package: str) -> Path:
        """Where a package of Spack's is."""
        return next(path for path in self.prefixes.values() if path.name.startswith(f"{package}-1.0-"))

    def install(self) -> None:
        """Let Spack build all."""
        install(self.plan, self.lock, self.house.mirror, self.store, Silent(), jobs=2)

    def build(self, recorder: Recorder | None = None) -> dict[str, InstalledFramework]:
        """Make the prefixes of the frameworks, Spack's packages being there."""
        progress = recorder or Recorder()
        run = LoggedRunner(progress)
        mirror, store = self.house.mirror, self.store
        packages = Packages(prefixes=self.prefixes, described=lambda lock: describe(lock, store, Silent()))
        built = build(self.plan, self.lock, mirror, run, progress, None, packages)
        return {framework.name: framework for framework in built}

    def test(self) -> Report:
        """Stage the release and test it."""
        tree = module_tree(self.plan, installed(self.plan, self.lock))
        staged = stage(self.plan, self.lock, tree)
        return smoke(staged, self.plan, LoggedRunner(Silent()), Silent())


def solved(root: Path, frameworks: dict[str, object], recipes: Tree, spack: SpackHome) -> Choir:
    """Solve what Spack is to build of these frameworks; the lock has no wheels yet."""
    values = {"name": "choir", "release": "1", "system": "here", "prefix": str(root / "ai")}
    asked = plan(
        Environment.model_validate(
            {**values, "toolchain": {"compiler": "gcc@12.2.0"}, "frameworks": frameworks}
        ),
        System.model_validate(SYSTEM),
    )
    given = environment_tree(asked) | recipes.below(f"spack/repos/spack_repo/{NAMESPACE}/packages")
    files.write_tree(given, root / "given")
    directories = {one.name: root / "given/spack" / one.name for one in spack_environments(asked)}
    tools = Spack(home=spack, run=LoggedRunner(Silent()), scratch=root / "solve")
    answers = solve(directories, Host.of(asked.system), tools)
    shutil.rmtree(root / "solve")
    locks = []
    for answer in answers:
        assert isinstance(answer, Solved), answer
        locks.append(SpackLock(name=answer.name, text=answer.lock_text, sources=_pip(root)))
    lock = Lock(
        environment="choir", inputs=inputs(asked), spack=tuple(sorted(locks, key=lambda one: one.name))
    )
    return Choir(root=root, plan=asked, lock=lock, recipes=recipes, spack=spack)


def with_wheels(choir: Choir, *locks: WheelLock) -> Choir:
    """The same with the locks of frameworks from wheels."""
    return replace(choir, lock=replace(choir.lock, wheels=locks))


def _pip(root: Path) -> tuple[LockedSource, ...]:
    """The machine's own wheel of pip as a source in the kit, where it has one."""
    wheel = pip_wheel()
    if wheel is None:
        return ()
    content = wheel.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    path = f"_source-cache/archive/{sha256[:2]}/{sha256}.whl"
    target = root / "mirror/sources" / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    version = wheel.name.split("-")[1]
    source = LockedSource(
        package="py-pip",
        version=version,
        kind="source",
        name=wheel.name,
        sha256=sha256,
        commit="",
        path=path,
        manual=False,
    )
    return (source,)
