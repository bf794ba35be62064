"""stackgen's own wheel: the same bytes every time, and all of the package."""

import hashlib
import importlib.metadata
import io
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stackgen import __version__
from stackgen.kit.wheel import PACKAGE, own_package, own_wheel, requirements
from stackgen.programs import uv_program


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    """A copy of the package, which nobody edits meanwhile."""
    copy = tmp_path_factory.mktemp("copy") / "stackgen"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def names(wheel: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(wheel)).namelist()


def test_the_same_bytes_whatever_times_and_left_overs(package: Path, tmp_path: Path):
    made = own_wheel(package)
    other = tmp_path / "other"
    shutil.copytree(package, other, copy_function=shutil.copyfile)
    for left_over in (
        "a.pyc",
        "lock/values.py.orig",
        ".hidden",
        "cli/__pycache__/x.cpython-311.pyc",
        "b.py~",
    ):
        (other / left_over).parent.mkdir(exist_ok=True)
        (other / left_over).write_text("")
    assert own_wheel(other) == made


def test_it_holds_the_package_and_its_record(package: Path):
    wheel = own_wheel(package)
    files = {f"stackgen/{path.relative_to(package)}" for path in package.rglob("*") if path.is_file()}
    described = {
        f"stackgen-{__version__}.dist-info/{n}" for n in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")
    }
    assert set(names(wheel)) == files | described
    assert "stackgen/modulefiles/framework.lua.j2" in files
    assert "stackgen/recipes/spack_repo/stackgen/repo.yaml" in files
    locked = own_package(wheel)
    assert (locked.name, locked.version, locked.file.name) == (
        "stackgen",
        __version__,
        f"stackgen-{__version__}-py3-none-any.whl",
    )
    assert (locked.file.size, locked.file.sha256) == (len(wheel), hashlib.sha256(wheel).hexdigest())


def test_what_is_installed_from_it_makes_the_same_again(package: Path, tmp_path: Path):
    made = own_wheel(package)
    file = tmp_path / own_package(made).file.name
    file.write_bytes(made)
    words = (str(uv_program()), "pip", "install", "--quiet", "--offline", "--no-deps", "--no-config")
    subprocess.run((*words, "--target", str(tmp_path / "site"), str(file)), check=True, capture_output=True)
    program = "import sys; from stackgen.kit.wheel import own_wheel; sys.stdout.buffer.write(own_wheel())"
    others = Path(importlib.metadata.distribution("pydantic").locate_file("."))
    outcome = subprocess.run(
        (
            sys.executable,
            "-S",
            "-c",
            f"import sys; sys.path += {[str(tmp_path / 'site'), str(others)]}\n{program}",
        ),
        check=True,
        capture_output=True,
        env={},
        cwd=tmp_path,
    )
    assert outcome.stdout == made
    scripts = importlib.metadata.PathDistribution(
        tmp_path / f"site/stackgen-{__version__}.dist-info"
    ).entry_points
    assert [(entry.name, entry.value) for entry in scripts] == [("stackgen", "stackgen.cli:main")]


def test_its_requirements_are_the_projects():
    assert any(line.startswith("uv") for line in requirements())
    assert any(line.startswith("clingo") for line in requirements())
