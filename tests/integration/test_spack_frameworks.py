"""Frameworks that a real Spack has built: delivered, tested and shut off as those from wheels."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from choir import COPY, Choir, choir_recipes, solved, with_wheels
from lmod import ROOT
from stages import Recorder
from wheelhouse import pip_wheel

from stackgen import files
from stackgen.errors import WorkError
from stackgen.release import Report
from stackgen.spack import SpackHome
from stackgen.tree import File, Tree

pytestmark = pytest.mark.spack

FRAMEWORKS = {
    "tenor": {
        "from": "spack",
        "version": "1.0",
        "spec": "py-tenor",
        "import": "choir.tenor",
        "python": "3.11",
    },
    "stone": {"from": "spack", "version": "1.0"},
}
CONFLICT = (
    "tenor 1.0: packages have different files of one name; taken: "
    "lib/python3.11/site-packages/common.py of py-tenor@1.0, not of py-alto@1.0"
)


def output(*words: str | Path, **environment: str) -> str:
    """What a program prints, in an environment of its own."""
    return subprocess.run(
        words, env={"PATH": os.defpath, **environment}, capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture(scope="module")
def pip() -> str:
    """The version of the pip that this machine has a wheel of."""
    wheel = pip_wheel()
    if wheel is None:
        pytest.skip("this machine has no wheel of pip")
    return wheel.name.split("-")[1]


@pytest.fixture(scope="module")
def choir(spack: SpackHome, pip: str, tmp_path_factory: pytest.TempPathFactory) -> Choir:
    """Two frameworks whose packages Spack has installed; tests that change the store take another."""
    choir = solved(tmp_path_factory.mktemp("choir"), FRAMEWORKS, choir_recipes(pip), spack)
    choir.install()
    return choir


@pytest.fixture(scope="module")
def told(choir: Choir) -> list[str]:
    """What the build has told."""
    recorder = Recorder()
    choir.build(recorder)
    return recorder.lines


@pytest.fixture(scope="module")
def tenor(choir: Choir, told: list[str]) -> Path:
    return Path(choir.build()["tenor"].prefix)


@pytest.fixture(scope="module")
def stone(choir: Choir, told: list[str]) -> Path:
    return Path(choir.build()["stone"].prefix)


@pytest.fixture(scope="module")
def report(choir: Choir, told: list[str]) -> Report:
    return choir.test()


def test_both_pass_the_test_of_a_release(report: Report):
    assert [(check.framework, check.name, check.detail) for check in report.checks if not check.passed] == []
    names = {
        name: [check.name for check in report.checks if check.framework == name]
        for name in ("tenor", "stone")
    }
    unloading = ["unloading"] if ROOT else []
    hostile = "isolation from a hostile caller"
    assert names["stone"] == ["module", hostile, "program stone", *unloading]
    assert names["tenor"] == [
        *("module", "import", "version", "packages", "isolation", "requirements", hostile, "script tenor")
    ]


def test_it_has_a_python_of_its_own(tenor: Path):
    code = "import sys, os, ssl, choir.alto as a; print(sys.prefix, sys.base_prefix, os.__file__, a.__file__)"
    assert output(tenor / "bin/python", "-c", code).split() == [
        str(tenor),
        f"{tenor}/base",
        f"{tenor}/base/lib/python3.11/os.py",
        f"{tenor}/lib/python3.11/site-packages/choir/alto.py",
    ]


def test_scripts_start_that_python_however_spack_began_them(tenor: Path, tmp_path: Path):
    link = tmp_path / "tenor"
    link.symlink_to(tenor / "bin/tenor")
    assert output(link) == f"usage: tenor {tenor}\n"
    assert output(tenor / "bin/alto") == f"{tenor}/lib/python3.11/site-packages/choir/alto.py\n"


def test_what_recipes_set_for_users_is_set_in_its_python(choir: Choir, tenor: Path):
    code = "import os; print(*(f'{k}={v}' for k, v in sorted(os.environ.items()) if k.startswith('CHOIR')))"
    assert output(tenor / "bin/python", "-I", "-c", code, CHOIR_VOICE="own").split() == [
        f"CHOIR_ALTO={tenor}/share/alto.txt",
        f"CHOIR_PYTHON={tenor}/bin/python3",
        f"CHOIR_TENOR={choir.prefix_of('py-tenor')}/share/tenor.txt",
        "CHOIR_VOICE=own",
    ]
    assert "CHOIR_VOICE=tenor" in output(tenor / "bin/python", "-c", code)


def test_programs_are_those_of_the_roots_and_of_pythons_packages(tenor: Path, stone: Path):
    pip = ["pip", "pip3", "pip3.11"]
    python = ["python", "python3", "python3.11"]
    assert sorted(path.name for path in (tenor / "bin").iterdir()) == ["alto", *pip, *python, "tenor"]
    assert [path.name for path in stone.iterdir()] == ["bin"]
    assert [path.name for path in (stone / "bin").iterdir()] == ["stone"]


def test_a_program_without_python_finds_its_libraries(choir: Choir, stone: Path):
    assert output(stone / "bin/stone") == f"{choir.prefix_of('vein')}\n"


def test_nobody_may_write_there(tenor: Path, stone: Path):
    paths = [
        path for prefix in (tenor, stone) for path in (prefix, *prefix.rglob("*")) if not path.is_symlink()
    ]
    assert [path for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o222] == []


def test_nothing_says_where_it_was_made(tenor: Path):
    paths = [path for path in tenor.rglob("*") if path.is_file()]
    for trace in (b"/.making-", b"/tmp/build"):
        assert [path for path in paths if trace in path.read_bytes()] == []
    assert [path.name for path in paths if b"/ai/store/" in path.read_bytes()] == ["framework-variables.pth"]


def test_bytecode_says_its_final_place_and_is_never_out_of_date(tenor: Path):
    packages = tenor / "lib/python3.11/site-packages"
    (compiled,) = packages.glob("choir/__pycache__/alto.*.pyc")
    content = compiled.read_bytes()
    assert int.from_bytes(content[4:8], "little") == 0b01, "unchecked, by hash"
    assert str(packages / "choir/alto.py").encode() in content


def test_two_packages_with_one_file_are_told_and_always_the_same_is_taken(tenor: Path, told: list[str]):
    assert [line for line in told if "of one name" in line] == [CONFLICT]
    assert output(tenor / "bin/python", "-c", "import common; print(common.VOICE)") == "tenor\n"


def test_environments_on_top_see_it_and_have_its_pip(tenor: Path, pip: str, tmp_path: Path):
    output(tenor / "bin/python", "-m", "venv", "--system-site-packages", tmp_path / "own")
    python = tmp_path / "own/bin/python"
    assert output(python, "-c", "import choir.tenor as t; print(t.__file__)").startswith(str(tenor))
    assert output(python, "-m", "pip", "--version").startswith(f"pip {pip} from {tmp_path}/own/")


def test_nothing_is_installed_into_it(tenor: Path):
    refused = subprocess.run(
        (tenor / "bin/pip", "install", "six"),
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode != 0
    assert "This Python is shared" in refused.stderr


def test_what_is_there_is_not_made_again(choir: Choir, tenor: Path):
    before = tenor.stat().st_ino
    recorder = Recorder()
    choir.build(recorder)
    assert recorder.lines == []
    assert tenor.stat().st_ino == before


def test_a_package_that_has_vanished_is_named_and_nothing_is_left(choir: Choir, pip: str, tmp_path: Path):
    own = solved(tmp_path / "own", FRAMEWORKS, choir_recipes(pip), choir.spack)
    for key, prefix in choir.prefixes.items():
        if prefix.is_relative_to(choir.store.tree) and not prefix.name.startswith("py-alto"):
            shutil.copytree(prefix, own.prefixes[key], symlinks=True)
    with pytest.raises(WorkError) as caught:
        own.build()
    assert str(caught.value) == (
        f"py-alto@1.0 of Spack is not in {own.prefix_of('py-alto')}; "
        "run `stackgen build` again, which installs it"
    )
    assert [path.name.split("-")[0] for path in (tmp_path / "own/ai/pythons").iterdir()] == ["stone"]


def test_a_damaged_pip_is_not_taken(choir: Choir, tenor: Path, tmp_path: Path):
    sources = choir.house.mirror.root / "sources"
    (wheel,) = sources.rglob("*.whl")
    content = wheel.read_bytes()
    files.remove(tenor)
    try:
        wheel.write_bytes(content[:-1] + b"?")
        with pytest.raises(WorkError, match=r"does not hold what the lock names: pip-.*\.whl \(damaged\)"):
            choir.build()
        wheel.unlink()
        with pytest.raises(
            WorkError,
            match=r"lacks pip-.*\.whl \(sha256 [0-9a-f]{64}\); copy it again, or",
        ):
            choir.build()
    finally:
        wheel.write_bytes(content)
    assert not tenor.exists()
    choir.build()
    assert tenor.is_dir()


def test_a_framework_with_nothing_to_use_is_refused(spack: SpackHome, pip: str, tmp_path: Path):
    vein = solved(tmp_path, {"vein": {"from": "spack", "version": "1.0"}}, choir_recipes(pip), spack)
    vein.install()
    with pytest.raises(WorkError) as caught:
        vein.build()
    assert str(caught.value) == (
        "vein 1.0 has neither programs nor packages of Python's; name vein under `packages:` instead"
    )


def test_wheels_stand_on_a_python_that_spack_has_built(spack: SpackHome, tmp_path: Path):
    python = {"from": "spack", "version": "3.11"}
    frameworks = {"greeter": {"from": "wheels", "version": "1.0", "python": python, "package": "greeter"}}
    recipes = Tree({"python/package.py": File(COPY.format(prefix="/usr", python="3.11"))})
    choir = solved(tmp_path, frameworks, recipes, spack)
    (solution,) = choir.lock.spack
    assert (solution.name, solution.packages["python"]) == ("python-3.11", "3.11.99")
    house = choir.house
    package = house.module("greeter", "1.0", "import sys\ndef main(): print(sys.base_prefix)", script="greet")
    choir = with_wheels(choir, house.lock(package))
    with pytest.raises(WorkError, match=r"^the Python 3\.11 that Spack builds is not in .*; run `stackgen"):
        choir.build()
    choir.install()
    prefix = Path(choir.build()["greeter"].prefix)
    shutil.rmtree(choir.root / "ai/store")  # it is a copy, and needs nothing of the store
    assert output(prefix / "bin/greet") == f"{prefix}/base\n"
    report = choir.test()
    assert [(check.name, check.detail) for check in report.checks if not check.passed] == []
