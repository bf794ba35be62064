import os
import stat
import subprocess
from pathlib import Path

import pytest
from stages import Recorder
from wheelhouse import PYTHON, Wheelhouse, module, pip_wheel

from stackgen.errors import WorkError
from stackgen.run import Command, Outcome

GREET = "def main(): print('hello from', __file__)"


def output(*words: str | Path, **environment: str) -> str:
    """What a program prints, in an environment of its own."""
    return subprocess.run(
        words, env={"PATH": os.defpath, **environment}, capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Wheelhouse:
    return Wheelhouse(tmp_path_factory.mktemp("house"))


@pytest.fixture(scope="module")
def prefix(house: Wheelhouse) -> Path:
    """A framework with a console script, a dependency and, where this machine has one, a pip."""
    pip = pip_wheel()
    return house.build_one(
        house.module("greeter", "1.0", GREET, script="greet"),
        house.module("needed", "2.0"),
        *([house.wheel(pip)] if pip else []),
    )


@pytest.fixture
def own(tmp_path: Path) -> Wheelhouse:
    """A wheelhouse that a test may spoil."""
    return Wheelhouse(tmp_path)


def test_console_scripts_run_wherever_they_are_called_from(prefix: Path, tmp_path: Path):
    file = prefix / "lib" / f"python{PYTHON}" / "site-packages" / "greeter.py"
    link = tmp_path / "link"
    link.symlink_to(prefix / "bin" / "greet")
    for program in (prefix / "bin" / "greet", link):
        assert output(program) == f"hello from {file}\n"


def test_its_python_is_its_own(prefix: Path):
    code = "import sys, os, json; print(json.dumps([sys.prefix, sys.base_prefix, os.__file__]))"
    library = f"{prefix}/base/lib/python{PYTHON}/os.py"
    assert output(prefix / "bin" / "python", "-c", code).split('"')[1::2] == [
        str(prefix),
        f"{prefix}/base",
        library,
    ]


def test_nothing_says_where_it_was_made(prefix: Path):
    traces = [path for path in prefix.rglob("*") if path.is_file() and b"/.making-" in path.read_bytes()]
    assert traces == []
    assert [path.name for path in prefix.parent.iterdir()] == [prefix.name]


def test_bytecode_says_its_final_place_and_is_never_out_of_date(prefix: Path):
    packages = prefix / "lib" / f"python{PYTHON}" / "site-packages"
    (compiled,) = packages.glob("__pycache__/greeter.*.pyc")
    content = compiled.read_bytes()
    assert int.from_bytes(content[4:8], "little") == 0b01, "unchecked, by hash"
    assert str(packages / "greeter.py").encode() in content


def test_all_of_the_standard_library_is_compiled(prefix: Path):
    library = prefix / "base" / "lib" / f"python{PYTHON}"
    assert [
        path for path in library.glob("*.py") if not any((library / "__pycache__").glob(f"{path.stem}.*.pyc"))
    ] == []


def test_everybody_may_read_and_nobody_may_write(prefix: Path):
    for path in (prefix, *prefix.rglob("*")):
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode):
            assert mode & 0o222 == 0, path
            assert mode & 0o444 == 0o444, path
            assert not stat.S_ISDIR(mode) or mode & 0o111 == 0o111, path


def test_a_narrow_umask_keeps_nobody_out(own: Wheelhouse):
    before = os.umask(0o077)
    try:
        prefix = own.build_one(own.module("private", "1.0"))
    finally:
        os.umask(before)
    assert all(path.lstat().st_mode & 0o004 for path in (prefix, *prefix.rglob("*")) if not path.is_symlink())


def test_no_file_is_shared_with_anything(prefix: Path):
    assert [path for path in prefix.rglob("*") if path.is_file() and path.lstat().st_nlink > 1] == []


def test_two_builds_of_the_same_are_the_same(house: Wheelhouse, prefix: Path, tmp_path: Path):
    again = Wheelhouse(tmp_path)
    pip = pip_wheel()
    other = again.build_one(
        again.module("greeter", "1.0", GREET, script="greet"),
        again.module("needed", "2.0"),
        *([again.wheel(pip)] if pip else []),
    )
    assert other.name == prefix.name
    assert listing(other) == listing(prefix)


def listing(prefix: Path) -> dict[str, bytes | str]:
    """Every file of a prefix, with the prefix's own path made the same."""
    return {
        str(path.relative_to(prefix)): str(path.readlink())
        if path.is_symlink()
        else path.read_bytes().replace(str(prefix).encode(), b"PREFIX")
        for path in prefix.rglob("*")
        if path.is_symlink() or (path.is_file() and path.suffix != ".pyc")
    }


def test_what_is_built_is_not_built_again(house: Wheelhouse, prefix: Path):
    def refuses(command: Command) -> Outcome:
        raise AssertionError(command)

    lock = house.lock(
        *(house.module("greeter", "1.0", GREET, script="greet"), house.module("needed", "2.0")),
        *([house.wheel(wheel)] if (wheel := pip_wheel()) else []),
        framework="greeter",
    )
    progress = Recorder()
    (framework,) = house.build(lock, run=refuses, progress=progress)
    assert framework.prefix == str(prefix)
    assert progress.lines == []


def test_conflicting_pins_live_side_by_side(own: Wheelhouse):
    first = own.lock(own.module("one", "1.0"), own.module("protobuf", "4.25.9"))
    second = own.lock(own.module("two", "1.0"), own.module("protobuf", "5.29.6"))
    progress = Recorder()
    prefixes = [Path(built.prefix) for built in own.build(first, second, progress=progress)]
    code = "import protobuf; print(protobuf.__version__)"
    versions = [output(prefix / "bin" / "python", "-c", code) for prefix in prefixes]
    assert versions == ["4.25.9\n", "5.29.6\n"]
    assert [line.split(" in ")[0] for line in progress.lines] == ["built one 1.0", "built two 1.0"]


def test_a_prefix_behind_a_symbolic_link(tmp_path: Path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "home").symlink_to("disk")
    house = Wheelhouse(tmp_path / "home")
    prefix = house.build_one(house.module("greeter", "1.0", GREET, script="greet"))
    assert str(prefix).startswith(f"{tmp_path}/home/")
    assert output(prefix / "bin" / "greet").startswith("hello from ")


def test_a_virtual_environment_on_top_sees_and_overrides(prefix: Path, tmp_path: Path):
    if not pip_wheel():
        pytest.skip("this machine has no wheel of pip")
    house = Wheelhouse(tmp_path)
    newer = house.mirror.path(house.module("needed", "3.0").file)
    output(prefix / "bin" / "python", "-m", "venv", "--system-site-packages", tmp_path / "my")
    output(tmp_path / "my/bin/pip", "--isolated", "install", "--no-index", newer)
    code = "import greeter, needed; print(greeter.__version__, needed.__version__, greeter.__file__)"
    packages = f"{prefix}/lib/python{PYTHON}/site-packages"
    assert output(tmp_path / "my/bin/python", "-c", code) == f"1.0 3.0 {packages}/greeter.py\n"
    assert output(prefix / "bin" / "python", "-c", code) == f"1.0 2.0 {packages}/greeter.py\n"


def test_a_virtual_environment_on_top_gets_the_locked_pip(prefix: Path, tmp_path: Path):
    wheel = pip_wheel()
    if not wheel:
        pytest.skip("this machine has no wheel of pip")
    output(prefix / "bin" / "python", "-m", "venv", tmp_path / "my", PIP_INDEX_URL="http://hostile.invalid")
    assert output(tmp_path / "my/bin/pip", "--version").split()[1] == wheel.name.split("-")[1]


@pytest.mark.parametrize("start", [("bin/pip",), ("bin/python", "-m", "pip")], ids=["pip", "python -m pip"])
@pytest.mark.parametrize(
    "words", [("install", "six"), ("uninstall", "--yes", "needed")], ids=lambda it: it[0]
)
def test_pip_leads_to_an_environment_on_top_instead_of_changing_what_is_shared(
    prefix: Path, start: tuple[str, ...], words: tuple[str, ...]
):
    if not pip_wheel():
        pytest.skip("this machine has no wheel of pip")
    command = (prefix / start[0], *start[1:], *words)
    refused = subprocess.run(command, env={"PATH": os.defpath}, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-3:] == [
        "This Python is shared: nothing can be installed into it or removed from it.",
        "Make an environment of your own on top of it: python -m venv --system-site-packages DIRECTORY",
        "In pip's own words, this text is not a valid value for break-system-packages option, "
        "please specify a boolean value like yes/no, true/false or 1/0 instead.",
    ]
    assert output(prefix / "bin/python", "-c", "import needed; print(needed.__version__)") == "2.0\n"


def test_pip_still_reads(prefix: Path, tmp_path: Path):
    if not pip_wheel():
        pytest.skip("this machine has no wheel of pip")
    pip = (prefix / "bin/pip", "--disable-pip-version-check")
    assert {"greeter", "needed", "pip"} <= {
        line.split("==")[0] for line in output(*pip, "list", "--format=freeze").splitlines()
    }
    assert output(*pip, "check") == "No broken requirements found.\n"
    wheel = tmp_path / "six-1.0-py3-none-any.whl"
    wheel.write_bytes(module("six", "1.0"))
    output(*pip, "download", "--no-index", "--dest", tmp_path / "down", wheel)
    assert [path.name for path in (tmp_path / "down").iterdir()] == [wheel.name]


def test_a_broken_source_distribution_is_a_sentence(own: Wheelhouse):
    with pytest.raises(WorkError) as caught:
        own.build_one(own.probe("raise ValueError('no compiler')"))
    assert str(caught.value).startswith("cannot install probe: ")
    assert "no compiler" in caught.value.details
    assert list((own.prefix / "pythons").iterdir()) == []
