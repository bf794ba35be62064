"""What a build can reach, seen by a source distribution that tries."""

import hashlib
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from wheelhouse import Wheelhouse, module

from stackgen import files
from stackgen.errors import WorkError
from stackgen.run import LoggedRunner
from stackgen.sandbox import Sandbox, choose

HOSTILE = {
    "PYTHONPATH": "/hostile",
    "PYTHONHOME": "/hostile",
    "PYTHONSTARTUP": "/hostile",
    "PIP_INDEX_URL": "http://hostile.invalid",
    "UV_INDEX_URL": "http://hostile.invalid",
    "UV_CACHE_DIR": "/hostile",
    "UV_LINK_MODE": "symlink",
    "http_proxy": "http://hostile.invalid",
    "HTTPS_PROXY": "http://hostile.invalid",
    "VIRTUAL_ENV": "/hostile",
    "CONDA_PREFIX": "/hostile",
    "LD_LIBRARY_PATH": "/hostile",
    "TMPDIR": "/hostile",
}


@pytest.fixture(params=Sandbox)
def sandbox(request: pytest.FixtureRequest, run: LoggedRunner) -> Sandbox:
    return working(request.param, run)


@pytest.fixture(params=[Sandbox.BWRAP, Sandbox.UNSHARE])
def cutting(request: pytest.FixtureRequest, run: LoggedRunner) -> Sandbox:
    return working(request.param, run)


def working(sandbox: Sandbox, run: LoggedRunner) -> Sandbox:
    try:
        return choose(sandbox, run)
    except WorkError as error:
        pytest.skip(str(error))


@pytest.fixture
def house(tmp_path: Path) -> Wheelhouse:
    return Wheelhouse(tmp_path)


@pytest.fixture
def listener() -> Iterator[int]:
    """The port of a server of this machine that lets everybody in."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def result(house: Wheelhouse, sandbox: Sandbox, code: str) -> object:
    """What the build of a source distribution found."""
    prefix = house.build_one(house.probe(code), sandbox=sandbox)
    code = "import probe; print(ascii(probe.RESULT))"
    words = (prefix / "bin" / "python", "-c", code)
    return eval(subprocess.run(words, env={}, capture_output=True, text=True, check=True).stdout)


def test_nothing_of_the_caller_is_seen(
    house: Wheelhouse, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    seen = result(house, sandbox, "import os; RESULT = dict(os.environ)")
    assert isinstance(seen, dict)
    assert [name for name, value in seen.items() if "hostile" in value] == []
    assert seen.keys() <= {
        *("PATH", "HOME", "TMPDIR", "LC_ALL", "SOURCE_DATE_EPOCH", "PWD"),
        *("VIRTUAL_ENV", "PYTHONIOENCODING", "PYTHONUNBUFFERED", "UV", "UV_INTERNAL__BUILD_DIR"),
    }, "the caller's or the sandbox's; the last are uv's"
    assert "/.making-" in seen["HOME"]
    assert "/.making-" in seen["TMPDIR"]


def test_no_server_of_this_machine_can_be_reached(house: Wheelhouse, cutting: Sandbox, listener: int):
    with socket.create_connection(("127.0.0.1", listener)):
        pass
    code = f"""
import socket
try:
    socket.create_connection(("127.0.0.1", {listener}), timeout=5)
    RESULT = "reached"
except OSError as error:
    RESULT = "cut"
"""
    assert result(house, cutting, code) == "cut"


def test_no_name_can_be_looked_up(house: Wheelhouse, cutting: Sandbox):
    code = """
import socket
try:
    RESULT = socket.getaddrinfo("www.example.org", 443)
except OSError as error:
    RESULT = "cut"
"""
    assert result(house, cutting, code) == "cut"


@pytest.fixture
def house_elsewhere() -> Iterator[Wheelhouse]:
    """A wheelhouse outside of /tmp, of which a sandbox has one of its own."""
    directory = Path(tempfile.mkdtemp(prefix="stackgen-", dir="/var/tmp"))
    yield Wheelhouse(directory)
    files.remove(directory)


def test_only_its_own_directory_can_be_written(
    house_elsewhere: Wheelhouse, run: LoggedRunner, tmp_path: Path
):
    working(Sandbox.BWRAP, run)
    house = house_elsewhere
    (house.prefix / "pythons").mkdir(parents=True)
    house.mirror.root.mkdir()
    kept = [house.root, house.prefix, house.prefix / "pythons", house.mirror.root]
    code = f"""
import os
RESULT = []
for directory in {[str(directory) for directory in (*kept, tmp_path)]}:
    try:
        os.makedirs(directory + "/left")
        RESULT.append(directory)
    except OSError:
        pass
"""
    written = result(house, Sandbox.BWRAP, code)
    assert set(written) <= {str(tmp_path)}, "which is not the real one"
    assert [directory for directory in (*kept, tmp_path) if (directory / "left").exists()] == []


def test_the_tools_of_the_system_are_there(house: Wheelhouse, sandbox: Sandbox):
    code = "import shutil; RESULT = shutil.which('sh')"
    assert result(house, sandbox, code) in {"/usr/bin/sh", "/bin/sh"}


def test_processes_of_others_cannot_be_seen(house: Wheelhouse, cutting: Sandbox):
    code = f"""
import os
try:
    os.kill({os.getpid()}, 0)
    RESULT = "seen"
except OSError:
    RESULT = "hidden"
"""
    assert result(house, cutting, code) == "hidden"


def test_builds_take_what_they_need_from_the_lock_alone(house: Wheelhouse, sandbox: Sandbox):
    tool = house.module("tool", "1.0")
    newer = house.module("tool", "2.0")
    probe = house.probe("import tool; RESULT = tool.__version__", requires=("tool",))
    lock = house.lock(probe, newer, framework="probe", build=(tool,))
    (framework,) = house.build(lock, sandbox=sandbox)
    code = "import probe, tool; print(probe.RESULT, tool.__version__)"
    words = (f"{framework.prefix}/bin/python", "-c", code)
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "1.0 2.0\n"


def test_an_altered_build_requirement_is_refused(house: Wheelhouse):
    tool = house.module("tool", "1.0", "harmless = 1")
    other = module("tool", "1.0", "harmless = 0")
    house.mirror.path(tool.file).write_bytes(other)
    lock = house.lock(house.probe("RESULT = 1", requires=("tool",)), framework="probe", build=(tool,))
    with pytest.raises(WorkError) as caught:
        house.build(lock)
    assert str(caught.value) == (
        f"the mirror {house.mirror.root} does not hold what the lock names:"
        f" tool-1.0-py3-none-any.whl (its SHA-256 is {hashlib.sha256(other).hexdigest()});"
        f" copy it again, or make it whole with `stackgen mirror create ENV.yaml -d {house.mirror.root}`"
        " where there is a network, or name another with --mirror"
    )


def test_a_source_distribution_that_the_lock_does_not_name_is_not_built(house: Wheelhouse):
    lock = house.lock(house.probe("RESULT = 1", requires=("tool",)))
    house.module("tool", "1.0")
    with pytest.raises(WorkError, match="cannot install probe: "):
        house.build(lock)
