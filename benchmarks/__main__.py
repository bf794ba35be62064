"""`python -m benchmarks [DIR]`: build the quickstart in DIR, time it against its peers, print the table."""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.paired import Row, Side, medians, table
from stackgen import files
from stackgen.mirror import Mirror
from stackgen.pipeline import BuildOptions, Stage, build_project
from stackgen.programs import uv_program
from stackgen.progress import Silent
from stackgen.project import Project, Tools, open_project, read_fitting_lock
from stackgen.run import Command, LoggedRunner, succeed

ROUNDS = 5
QUICKSTART = Path(__file__).parent.parent / "environments/quickstart.yaml"
RUN = LoggedRunner(Silent())


def main() -> None:
    """Prepare, measure, print."""
    with tempfile.TemporaryDirectory(prefix="stackgen-benchmark-") as scratch:
        work = Path(arguments().directory or scratch).absolute()
        project = prepared(work)
        print(
            table(
                [
                    *no_op(project),
                    *install(project, work),
                    *mirror_again(project, work),
                    *module_load(project, work),
                ]
            )
        )


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("directory", nargs="?", help="where to build; a temporary directory if not given")
    return parser.parse_args()


def prepared(work: Path) -> Project:
    """The quickstart, built and published below `work`."""
    (work / "environments").mkdir(parents=True, exist_ok=True)
    path = work / "environments/quickstart.yaml"
    shutil.copy(QUICKSTART, path)
    project = open_project(path, str(work / "prefix"))
    build_project(project, BuildOptions(), Tools(run=RUN, progress=Silent()))
    return project


def no_op(project: Project) -> list[Row]:
    """A build of what is published, against the bare import of what any such tool imports."""
    words = (
        sys.executable,
        "-m",
        "stackgen",
        "build",
        str(project.loaded.path),
        "--prefix",
        project.plan.prefix,
    )
    ours, theirs = medians(
        (
            Side(name="build", action=lambda: ran(words)),
            Side(name="import", action=lambda: ran((sys.executable, "-c", "import click, pydantic"))),
        ),
        4 * ROUNDS,
    )
    goal, met = "at most 3 x, under 0.6 s", ours <= 3 * theirs and ours < 0.6
    return [
        Row(
            title="build of a published release / import click, pydantic",
            ours=ours,
            theirs=theirs,
            goal=goal,
            met=met,
        )
    ]


def install(project: Project, work: Path) -> list[Row]:
    """The offline installation of the framework, against bare uv and pip with the same wheels."""
    wheels, requirements = flat_wheels(project, work)
    prefix, bare = work / "other-prefix", work / "bare"
    other = open_project(project.loaded.path, str(prefix))
    offline = BuildOptions(mirror=project.prefix / "mirror", offline=True, until=Stage.BUILD)

    def ours() -> None:
        build_project(other, offline, Tools(run=RUN, progress=Silent()))

    def empty_venv() -> None:
        files.remove(bare)
        files.remove(work / "cache")
        ran((sys.executable, "-m", "venv", str(bare)))

    python = str(bare / "bin/python")
    source = (
        "--no-index",
        "--find-links",
        str(wheels),
        "--no-deps",
        "-r",
        str(requirements),
    )
    uv = (str(uv_program()), "pip", "install", "--offline", "--compile-bytecode", "--python", python, *source)
    pip = (python, "-m", "pip", "--isolated", "install", "--quiet", *source)
    taken = medians(
        (
            Side(name="stackgen", action=ours, before=lambda: files.remove(prefix)),
            Side(name="uv", action=lambda: ran(uv, UV_CACHE_DIR=str(work / "cache")), before=empty_venv),
            Side(name="pip", action=lambda: ran(pip), before=empty_venv),
        ),
        ROUNDS,
    )
    return [
        Row(
            title="offline build / bare uv pip install --compile-bytecode",
            ours=taken[0],
            theirs=taken[1],
            goal="at most 1.15 x",
            met=taken[0] <= 1.15 * taken[1],
        ),
        Row(
            title="offline build / pip install",
            ours=taken[0],
            theirs=taken[2],
            goal="at most 0.33 x",
            met=taken[0] * 3 <= taken[2],
        ),
        Row(
            title="for comparison: bare uv / pip install",
            ours=taken[1],
            theirs=taken[2],
            goal="none",
            met=True,
        ),
    ]


def flat_wheels(project: Project, work: Path) -> tuple[Path, Path]:
    """The framework's wheels in one directory, and the requirements that name them; no peer checks hashes."""
    directory = work / "wheels"
    directory.mkdir(exist_ok=True)
    (lock,) = read_fitting_lock(project).wheels
    mirror = Mirror(root=project.prefix / "mirror")
    for file in lock.files:
        link = directory / file.name
        link.unlink(missing_ok=True)
        link.symlink_to(mirror.path(file))
    requirements = work / "requirements.txt"
    requirements.write_text("".join(f"{package.name}=={package.version}\n" for package in lock.packages))
    return directory, requirements


def mirror_again(project: Project, work: Path) -> list[Row]:
    """`mirror create` where nothing is missing, with the network cut, against reading the same files once."""
    words = (
        sys.executable,
        "-m",
        "stackgen",
        "mirror",
        "create",
        str(project.loaded.path),
        "-d",
        f"{project.prefix}/mirror",
    )
    everything = tuple(str(path) for path in (project.prefix / "mirror").rglob("*.whl"))
    ours, theirs = medians(
        (
            Side(
                name="mirror", action=lambda: ran(("unshare", "--user", "--map-root-user", "--net", *words))
            ),
            Side(name="sha256sum", action=lambda: ran(("sha256sum", *everything))),
        ),
        ROUNDS,
    )
    return [
        Row(
            title="mirror of a complete wheelhouse, no network / sha256sum",
            ours=ours,
            theirs=theirs,
            goal="under 1 s",
            met=ours < 1,
        )
    ]


def module_load(project: Project, work: Path) -> list[Row]:
    """Loading the framework's module, against loading an empty one."""
    empty = work / "empty"
    (empty / "nothing").mkdir(parents=True, exist_ok=True)
    (empty / "nothing/1.0.lua").write_text("-- empty\n")

    def loading(path: Path, module: str) -> tuple[str, ...]:
        # Many loads in one shell: the shell's own start is not the question.
        loop = f"for i in 1 2 3 4 5 6 7 8 9 10; do module load {module}; module unload {module}; done"
        return ("bash", "-lc", f"module use {path}; {loop}")

    core = project.prefix / "current/modules/Core"
    ours, theirs = medians(
        (
            Side(name="framework", action=lambda: ran(loading(core, "hpai/tensorflow"))),
            Side(name="empty", action=lambda: ran(loading(empty, "nothing"))),
        ),
        ROUNDS,
    )
    goal = "at most 1.3 x"
    return [
        Row(
            title="10 x module load+unload / an empty module",
            ours=ours,
            theirs=theirs,
            goal=goal,
            met=ours <= 1.3 * theirs,
        )
    ]


def ran(words: tuple[str, ...], **more: str) -> None:
    """Run a program to its successful end."""
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "LANG": "C.UTF-8", **more}
    succeed(RUN, Command(argv=words, environment=environment, directory=Path.cwd()), f"{words[0]} failed")


main()
