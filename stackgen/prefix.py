"""The virtual environment that is a framework's prefix, around the copy of its interpreter."""

import shutil
from pathlib import Path

from stackgen import files
from stackgen.interpreters import INSIDE, Layout
from stackgen.one_file import joined
from stackgen.workshop import Workshop

_REFUSAL = """\
This Python is shared: nothing can be installed into it or removed from it.
    Make an environment of your own on top of it: python -m venv --system-site-packages DIRECTORY
    In pip's own words, this text"""

# Without it root damages what others run, and others are told no more than `Permission denied`. An
# EXTERNALLY-MANAGED would be the standard's way, but inside a virtual environment pip ignores it; it does
# read the environment's own pip.conf, and shows a truth value that is none: `<text> is not a valid value
# for break-system-packages option`. Environments on top have another pip.conf and are not concerned.
_PIP_CONF = "".join(
    f"[{command}]\nbreak-system-packages = {_REFUSAL}\n" for command in ("install", "uninstall")
)


RENDEZVOUS = "stackgen_rendezvous"
"""The module by which the ranks of a program find each other."""
# In no other process is more asked than this, for every Python reads it; each launcher sets one of them.
_IS_RANK = ("SLURM_STEP_ID", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "JSM_NAMESPACE_RANK", "PALS_RANKID")
_JOIN = f"import os; any(map(os.environ.get, {_IS_RANK!r})) and __import__({RENDEZVOUS!r}).join(os.environ)\n"


def lay(layout: Layout, workshop: Workshop) -> None:
    """Make the prefix an empty virtual environment, on the original interpreter until the copy is there."""
    with files.reported(f"cannot make {workshop.prefix}"):
        site_packages(workshop.prefix, layout).mkdir(parents=True)
        (workshop.prefix / "lib64").symlink_to("lib")
        (workshop.prefix / "bin").mkdir()
        for name in ("python3", f"python{layout.minor}"):
            (workshop.prefix / "bin" / name).symlink_to("python")
    _base_on(str(layout.program), layout.program.parent, layout, workshop)


def finish(layout: Layout, workshop: Workshop, pip: Path | None) -> None:
    """Make the prefix one that works at its final place; its virtual environments get the wheel `pip`."""
    _base_on(f"../base/bin/python{layout.minor}", workshop.final / "base" / "bin", layout, workshop)
    with files.reported(f"cannot finish {workshop.prefix}"):
        forget_the_installer(workshop.prefix, site_packages(workshop.prefix, layout))
    path = workshop.base / layout.site.relative_to(layout.prefix) / "framework.pth"
    files.write(path, _path_line(site_packages(workshop.final, layout)))
    files.write(workshop.prefix / "pip.conf", _PIP_CONF)
    if pip:
        _give_pip(workshop.base / layout.libraries[0].relative_to(layout.prefix) / "ensurepip", pip)


def give_rendezvous(layout: Layout, workshop: Workshop) -> None:
    """Have the prefix's Python, and environments on top of it, say to each rank where the others are."""
    packages = site_packages(workshop.prefix, layout)
    files.write(packages / f"{RENDEZVOUS}.py", rendezvous_module())
    files.write(packages / f"{RENDEZVOUS}.pth", _JOIN)


def rendezvous_module() -> str:
    """The module as one file, which needs nothing of stackgen."""
    beginning = '"""Where the ranks of a parallel program meet, as its launcher tells."""\n'
    return joined(INSIDE, ("ranks", "rendezvous"), beginning, "")


def compile_bytecode(layout: Layout, workshop: Workshop) -> None:
    """Compile all that has no bytecode yet, or what nobody may write would be compiled at every start."""
    workshop.start(
        *(workshop.base / "bin" / f"python{layout.minor}", "-I", "-S", "-", workshop.prefix, workshop.final),
        stdin=(INSIDE / "bytecode.py").read_text(encoding="utf-8"),
        failure=f"cannot compile the bytecode of {workshop.final.name}",
    )


def site_packages(prefix: Path, layout: Layout) -> Path:
    """Where a prefix has its packages."""
    return prefix / "lib" / f"python{layout.minor}" / "site-packages"


def _base_on(program: str, home: Path, layout: Layout, workshop: Workshop) -> None:
    """uv makes console scripts find their interpreter beside themselves where it reads `relocatable`."""
    lines = (
        f"home = {home}",
        "include-system-site-packages = false",
        f"version = {layout.version}",
        "relocatable = true",
    )
    files.write(workshop.prefix / "pyvenv.cfg", "".join(f"{line}\n" for line in lines))
    files.point(workshop.python, program)


def _path_line(packages: Path) -> str:
    """Virtual environments on top know the copied interpreter alone: it leads them to the framework.

    A plain path would do, but for the `.pth` files among the framework's packages.
    """
    return f"import site; site.addsitedir({str(packages)!r})\n"


def forget_the_installer(prefix: Path, packages: Path) -> None:
    """Remove what uv leaves for itself: its lock, and the times of the files that it installed from."""
    (prefix / ".lock").unlink(missing_ok=True)
    for cached in packages.glob("*.dist-info/uv_cache.json"):
        record = cached.with_name("RECORD")
        lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
        own = f"{cached.parent.name}/{cached.name},"
        record.write_text("".join(line for line in lines if not line.startswith(own)), encoding="utf-8")
        cached.unlink()


def _give_pip(directory: Path, wheel: Path) -> None:
    """Debian's ensurepip, where it is installed at all, takes pip from outside of the copy."""
    with files.reported(f"cannot write {directory}"):
        directory.mkdir()
        shutil.copyfile(INSIDE / "ensurepip.py", directory / "__init__.py")
        shutil.copyfile(wheel, directory / wheel.name)
    files.write(directory / "__main__.py", "import ensurepip\n\nensurepip.bootstrap()\n")
