"""Copies of every Python that this machine has, and what becomes of them when the original is gone."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from wheelhouse import PYTHON, Wheelhouse, pip_wheel

from stackgen import host
from stackgen.errors import WorkError
from stackgen.interpreters import check_machine, find
from stackgen.model import Interpreter, System
from stackgen.run import LoggedRunner
from stackgen.sandbox import Sandbox, choose

PYTHONS = {python.version: python.prefix for python in host.interpreters(os.environ)}

MODULES = "ssl, sqlite3, ctypes, lzma, bz2, zlib, readline, curses, hashlib, uuid, decimal, multiprocessing"


def this(**changes: object) -> System:
    return host.detect().model_copy(update=changes)


@pytest.fixture(scope="session", params=PYTHONS)
def copied(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A framework with a copy of each Python of this machine."""
    house = Wheelhouse(tmp_path_factory.mktemp("copied"), python=request.param)
    pip = pip_wheel(request.param)
    return house.build_one(house.module("greeter", "1.0"), *([house.wheel(pip)] if pip else []))


def hiding_the_original(prefix: Path, run: LoggedRunner) -> tuple[str, ...]:
    """The words that run a command where the original Python and all libraries that were copied are gone."""
    try:
        choose(Sandbox.BWRAP, run)
    except WorkError as error:
        pytest.skip(str(error))
    version = version_of(prefix)
    original = Path(PYTHONS[version])
    directories = [original / "lib" / f"python{version}", Path("/usr/share/python-wheels")]
    names = [path.name for path in (prefix / "base" / "lib").iterdir() if path.is_file()]
    places = {place for root in ("/lib", "/usr/lib", original / "lib") for place in Path(root).rglob("*.so*")}
    hidden = {place.resolve() for place in places if place.name in names}
    hidden.add((original / "bin" / f"python{version}").resolve())
    return (
        *("bwrap", "--dev-bind", "/", "/"),
        *(word for path in directories if path.is_dir() for word in ("--tmpfs", str(path))),
        *(word for path in sorted(hidden) for word in ("--ro-bind", "/dev/null", str(path))),
    )


def version_of(prefix: Path) -> str:
    (program,) = (prefix / "base" / "bin").glob("python3.*")
    return program.name.removeprefix("python")


def output(*words: str | Path) -> str:
    return subprocess.run(words, env={"PATH": os.defpath}, capture_output=True, text=True, check=True).stdout


def test_it_lives_on_when_the_original_is_gone(copied: Path, run: LoggedRunner, tmp_path: Path):
    hiding = hiding_the_original(copied, run)
    with pytest.raises(subprocess.CalledProcessError):
        output(*hiding, Path(PYTHONS[version_of(copied)]) / "bin" / f"python{version_of(copied)}", "-c", "")
    assert (
        output(*hiding, copied / "bin/python", "-c", f"import greeter, {MODULES}; print('good')") == "good\n"
    )
    if pip_wheel(version_of(copied)):
        output(*hiding, copied / "bin/python", "-m", "venv", "--system-site-packages", tmp_path / "my")
        assert output(*hiding, tmp_path / "my/bin/python", "-c", "import greeter; print('seen')") == "seen\n"
        assert output(*hiding, tmp_path / "my/bin/pip", "--version").startswith("pip ")


def test_it_loads_libraries_of_its_own_and_of_glibc_alone(copied: Path):
    code = f"import {MODULES}; print(open('/proc/self/maps').read())"
    loaded = set(re.findall(r"(/\S+\.so[.\d]*)$", output(copied / "bin/python", "-c", code), re.MULTILINE))
    foreign = {Path(path).name for path in loaded if not path.startswith(str(copied))}
    assert {re.split(r"[-.]", name)[0] for name in foreign} <= {
        *("ld", "libc", "libm", "libdl", "libpthread", "libutil", "librt", "libresolv", "libgcc_s"),
    }


def test_a_library_path_of_the_user_does_not_reach_it(copied: Path, tmp_path: Path):
    """A module or conda that offers another OpenSSL must not break `import ssl`."""
    for library in (copied / "base" / "lib").glob("lib*.so*"):
        (tmp_path / library.name).write_text("no library")
    words = (copied / "bin/python", "-c", f"import {MODULES}")
    subprocess.run(words, env={"LD_LIBRARY_PATH": str(tmp_path)}, check=True)


def test_nothing_of_the_original_says_where_it_was_made(copied: Path):
    traces = [path for path in copied.rglob("*") if path.is_file() and b"/.making-" in path.read_bytes()]
    assert traces == []


def test_extensions_can_be_compiled_against_it(copied: Path):
    """Where the original came with headers."""
    code = "import sysconfig; print(sysconfig.get_path('include'))"
    include = Path(output(copied / "bin/python", "-c", code).strip())
    assert include.is_relative_to(copied / "base" / "include")
    if include.exists():
        assert (include / "Python.h").is_file()
        assert "SIZEOF_LONG" in (include / "pyconfig.h").read_text()


def test_the_system_comes_first(tmp_path: Path):
    program = tmp_path / "bin" / f"python{PYTHON}"
    program.parent.mkdir()
    program.touch()
    listed = (Interpreter(version=PYTHON, prefix=str(tmp_path)),)
    assert find(PYTHON, this(pythons=listed)) == program


def test_this_machine_is_searched_where_the_system_lists_none():
    assert find(PYTHON, this(pythons=())) == Path(PYTHONS[PYTHON]) / "bin" / f"python{PYTHON}"


def test_a_python_that_is_nowhere(tmp_path: Path):
    listed = (Interpreter(version="3.99", prefix=str(tmp_path)),)
    found = ", ".join(f"{version} in {prefix}" for version, prefix in PYTHONS.items())
    with pytest.raises(WorkError) as caught:
        find("3.99", this(name="hal", pythons=listed))
    assert str(caught.value) == (
        f"this machine has no Python 3.99 ({tmp_path}/bin/python3.99 is not there); found: {found};"
        " install it, or add its prefix to `pythons` of the system hal"
    )


def test_another_processor_is_refused():
    machine = os.uname().machine
    other = "power9le" if machine != "ppc64le" else "zen3"
    system = this(name="hal", target=other)
    with pytest.raises(WorkError) as caught:
        check_machine(system)
    assert str(caught.value) == (
        f"this machine is {machine}, and hal is {system.architecture};"
        " carry the mirror to hal and build there"
    )


def test_an_older_glibc_is_refused():
    here = host.detect().glibc
    with pytest.raises(WorkError) as caught:
        check_machine(this(name="hal", glibc="2.99"))
    assert str(caught.value) == (
        f"this machine has glibc {here}, and hal has glibc 2.99; carry the mirror to hal and build there"
    )


def test_this_machine_can_build_for_itself():
    check_machine(this())
    check_machine(this(glibc="2.17"))


def test_a_broken_interpreter_is_a_sentence(tmp_path: Path):
    program = tmp_path / "broken" / "bin" / f"python{PYTHON}"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho no library >&2\nexit 127\n")
    program.chmod(0o755)
    house = Wheelhouse(tmp_path)
    with pytest.raises(WorkError) as caught:
        house.build_one(
            house.module("greeter", "1.0"),
            system=this(pythons=(Interpreter(version=PYTHON, prefix=str(tmp_path / "broken")),)),
        )
    assert str(caught.value) == f"{program} does not work: no library; the log has the details"
