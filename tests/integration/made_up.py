"""Packages that do next to nothing, built by a real Spack in a second: what a hierarchy is made of."""

from dataclasses import dataclass
from pathlib import Path

from stackgen import files
from stackgen.describe import hierarchy
from stackgen.environments import environment_tree
from stackgen.environments.recipes import NAMESPACE
from stackgen.lock import Lock, SpackLock
from stackgen.mirror import Mirror
from stackgen.model import Environment, System
from stackgen.plan import Plan, plan
from stackgen.progress import Silent
from stackgen.run import LoggedRunner
from stackgen.sandbox import Sandbox
from stackgen.spack import SpackHome
from stackgen.spack.driver import Host, Solved, Spack, solve
from stackgen.store import Store, install, open_store
from stackgen.tree import File, Tree

RECIPE = '''\
from spack.package import *


class {title}(Package):
    """{summary}"""

    homepage = "https://{name}.example"
    has_code = False
    version("{version}")
    depends_on("c", type="build")
{needs}
    def install(self, spec, prefix):
        mkdirp(prefix.bin, prefix.lib.pkgconfig, prefix.share.man.man1)
        with open(join_path(prefix.bin, "{name}"), "w") as program:
            program.write("#!/bin/sh\\necho {name} {version}\\n")
        set_executable(join_path(prefix.bin, "{name}"))
        touch(join_path(prefix.lib.pkgconfig, "{name}.pc"))
        touch(join_path(prefix.share.man.man1, "{name}.1"))

    def setup_run_environment(self, env):
        env.set("{capitals}_MODE", "quick & dirty; 50%=half")
        env.set("{capitals}_HOT", "a!b")
        env.append_flags("{capitals}_FLAGS", "-a")
        env.prepend_path("{capitals}_LUA", "?.lua", separator=";")
'''


def recipe(name: str, version: str, *needs: str, summary: str = "") -> dict[str, File]:
    """A package of this name; `needs` are the arguments of `depends_on`."""
    text = RECIPE.format(
        name=name,
        title=name.capitalize(),
        capitals=name.upper(),
        version=version,
        summary=summary or f"The {name} of all.",
        needs="".join(f"    depends_on({need})\n" for need in needs),
    )
    return {f"{name}/package.py": File(text)}


LINK, RUN = 'type="link"', 'type=("link", "run")'
PACKAGES = Tree(
    recipe("greeting", "1.2.3", f'"tongue", {RUN}', f'"teeth", {LINK}', '"zlib"')
    | recipe("tongue", "0.1")
    | recipe("teeth", "32")
    | recipe("answer", "4.2", '"mpi"', '"greeting"', summary="Tells ]] \\\\ 'it' <all> & $HOME `id`.")
)

SYSTEM = {
    "name": "Here",
    "os": "debian12",
    "glibc": "2.36",
    "target": "x86_64",
    "compilers": [{"spec": "gcc@12.2.0", "prefix": "/usr"}],
    "externals": [
        {"spec": "mpich@4.0.2", "prefix": "/usr"},
        {"spec": "openmpi@4.1.4", "prefix": "/usr"},
        {"spec": "zlib@1.2.13", "prefix": "/usr"},
    ],
    "pythons": [{"version": "3.11", "prefix": "/usr"}],
}
ENVIRONMENT = {
    "name": "lab",
    "release": "1",
    "system": "here",
    "toolchain": {"compiler": "gcc@12.2.0", "mpi": "openmpi@4.1.4", "other-mpis": ["mpich@4.0.2"]},
    "packages": ["greeting", "answer"],
    "frameworks": {"six": {"from": "wheels", "version": "newest"}},
}


def planned(prefix: Path, **changes: object) -> Plan:
    """The plan of an environment with made-up packages."""
    values = {**ENVIRONMENT, "prefix": str(prefix), **changes}
    return plan(Environment.model_validate(values), System.model_validate(SYSTEM))


@dataclass(frozen=True)
class Built:
    """What Spack has built of a plan, and its modules."""

    plan: Plan
    lock: Lock
    store: Store
    modules: Tree


def built(plan: Plan, spack: SpackHome, scratch: Path) -> Built:
    """Solve, install and describe a plan's packages."""
    run, mirror = LoggedRunner(Silent()), Mirror(root=scratch / "mirror")
    mirror.root.mkdir(parents=True)
    store = open_store(plan, mirror, spack, run, Sandbox.NONE)
    ours = PACKAGES.below(f"repos/spack_repo/{NAMESPACE}/packages")
    files.write_tree(environment_tree(plan) | ours.below("spack"), scratch / "given")
    files.write_tree(ours, store.root / "environments")
    directories = {path.parent.name: path.parent for path in sorted(scratch.glob("given/spack/*/spack.yaml"))}
    answers = solve(directories, Host.of(plan.system), Spack(home=spack, run=run, scratch=scratch / "solve"))
    solved = [answer for answer in answers if isinstance(answer, Solved)]
    assert len(solved) == len(directories), answers
    lock = Lock(
        environment=plan.environment,
        inputs={},
        spack=tuple(SpackLock(name=answer.name, text=answer.lock_text) for answer in solved),
    )
    install(plan, lock, mirror, store, Silent())
    return Built(plan=plan, lock=lock, store=store, modules=hierarchy(plan, lock, store, Silent()))
