"""What a framework's Python imports under a hostile caller who starts it without any module."""

import json
import subprocess
from pathlib import Path

import pytest
from wheelhouse import PYTHON, Wheelhouse

PROBE = """
import json, sys
import greeter, json.decoder, ssl, sqlite3, ctypes, multiprocessing
files = {name: module.__file__ for name, module in sys.modules.items() if getattr(module, "__file__", None)}
print(json.dumps({"files": files, "path": sys.path, "prefix": sys.prefix}))
"""


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    house = Wheelhouse(tmp_path_factory.mktemp("house"))
    return house.build_one(house.module("greeter", "1.0", "def main(): print('hello')", script="greet"))


@pytest.fixture
def hostile(tmp_path: Path) -> dict[str, str]:
    """A home with packages of its own, an active conda-like environment, and every variable that misleads."""
    evil = "raise SystemExit('hostile code ran: ' + __file__)\n"
    user = tmp_path / f".local/lib/python{PYTHON}/site-packages"
    conda = tmp_path / "conda"
    for directory in (user, conda / f"lib/python{PYTHON}/site-packages"):
        directory.mkdir(parents=True)
        for name in ("greeter", "numpy", "usercustomize", "sitecustomize"):
            (directory / f"{name}.py").write_text(evil)
        (directory / "hostile.pth").write_text("import sys; sys.exit('hostile .pth ran')\n")
    (tmp_path / "startup.py").write_text(evil)
    return {
        "HOME": str(tmp_path),
        "PATH": f"{conda}/bin:/usr/bin:/bin",
        "VIRTUAL_ENV": str(conda),
        "CONDA_PREFIX": str(conda),
        "CONDA_DEFAULT_ENV": "base",
        "PYTHONSTARTUP": str(tmp_path / "startup.py"),
        "LD_LIBRARY_PATH": str(conda / "lib"),
    }


def test_neither_home_nor_conda_reach_it(prefix: Path, hostile: dict[str, str]):
    seen = json.loads(imports(prefix, hostile))
    assert seen["prefix"] == str(prefix)
    assert {file for file in seen["files"].values() if not file.startswith(str(prefix))} == set()
    assert [path for path in seen["path"] if path and not path.startswith(str(prefix))] == []


def imports(prefix: Path, environment: dict[str, str]) -> str:
    words = (prefix / "bin" / "python", "-c", PROBE)
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout


def test_a_user_site_is_not_even_looked_at(prefix: Path, hostile: dict[str, str]):
    words = (prefix / "bin" / "python", "-m", "site")
    lines = subprocess.run(words, env=hostile, capture_output=True, text=True, check=False).stdout
    assert "ENABLE_USER_SITE: False" in lines


def test_the_console_scripts_neither(prefix: Path, hostile: dict[str, str]):
    words = (prefix / "bin" / "greet",)
    assert subprocess.run(words, env=hostile, capture_output=True, text=True, check=True).stdout == "hello\n"


def test_nothing_of_the_systems_python_is_left_in_it(prefix: Path):
    names = {path.name for path in prefix.rglob("*")}
    assert names & {"sitecustomize.py", "usercustomize.py", "EXTERNALLY-MANAGED", "test"} == set()


def test_the_copied_interpreter_alone_sees_the_framework_and_no_more(prefix: Path):
    words = (prefix / "base" / "bin" / "python3", "-I", "-c", PROBE)
    seen = json.loads(subprocess.run(words, env={}, capture_output=True, text=True, check=True).stdout)
    assert [path for path in seen["path"] if not path.startswith(str(prefix))] == []
    assert seen["files"]["greeter"] == f"{prefix}/lib/python{PYTHON}/site-packages/greeter.py"
