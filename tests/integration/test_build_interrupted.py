"""Builds that are killed, that meet, that run out of space, or whose mirror is not whole."""

import hashlib
import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from wheelhouse import Wheelhouse, module

from stackgen.errors import WorkError
from stackgen.run import Command, LoggedRunner, Outcome
from stackgen.sandbox import Sandbox, choose

BUILDING = Path(__file__).with_name("building.py")

ENDINGS = {
    "while it asks the interpreter": " -I -S -",
    "while it looks for shared libraries": "LD_TRACE_LOADED_OBJECTS",
    "while it makes the copy movable": " --set-rpath ",
    "while it installs": " pip install ",
    "while it compiles and flushes": " -I -S - /",
}


@pytest.fixture
def house(tmp_path: Path) -> Wheelhouse:
    return Wheelhouse(tmp_path)


def start(house: Wheelhouse, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        (sys.executable, BUILDING, house.root, *words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(house: Wheelhouse, *words: str) -> Path:
    """Build to the end in a new process; the prefix."""
    with start(house, *words) as process:
        stdout, stderr = process.communicate()
    assert process.returncode == 0, stderr
    return Path(stdout.splitlines()[-1])


def works(prefix: Path) -> bool:
    words = (prefix / "bin" / "python", "-c", "import greeter, bulky, ssl; print(greeter.__version__)")
    return subprocess.run(words, env={}, capture_output=True, text=True, check=True).stdout == "1.0\n"


@pytest.mark.parametrize("moment", ENDINGS)
def test_killed(house: Wheelhouse, moment: str):
    with start(house) as process:
        for line in process.stdout:
            if ENDINGS[moment] in line:
                break
        process.kill()
    pythons = house.prefix / "pythons"
    assert [path.name for path in pythons.iterdir() if not path.name.startswith(".making-")] == []
    prefix = finish(house)
    assert works(prefix)
    assert list(pythons.iterdir()) == [prefix]


@pytest.mark.parametrize("sandbox", [Sandbox.UNSHARE, Sandbox.NONE])
def test_killed_where_programs_outlive_the_build(house: Wheelhouse, run: LoggedRunner, sandbox: Sandbox):
    try:
        choose(sandbox, run)
    except WorkError as error:
        pytest.skip(str(error))
    with start(house, sandbox) as process:
        for line in process.stdout:
            if " pip install " in line:
                break
        process.kill()
    assert works(finish(house, sandbox))
    assert works(finish(house, sandbox))


def test_two_at_once_build_it_once(house: Wheelhouse):
    with start(house) as first:
        first.stdout.readline()  # it holds the prefix
        first.send_signal(signal.SIGSTOP)
        with start(house) as second:
            waiting = second.stdout.readline()
            first.send_signal(signal.SIGCONT)
            outputs = [process.communicate()[0].splitlines() for process in (first, second)]
    holder = f"process {first.pid} on {os.uname().nodename}"
    assert waiting == f"waiting for {holder}, which is working in {house.prefix}\n"
    assert [line for line in outputs[1] if not line.startswith("/")] == []
    assert outputs[0][-1] == outputs[1][-1]
    assert works(Path(outputs[1][-1]))


@pytest.fixture(scope="module")
def size(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many bytes the framework takes at least where all space is in pages, as on a tmpfs."""
    prefix = finish(Wheelhouse(tmp_path_factory.mktemp("size")))
    page = os.sysconf("SC_PAGE_SIZE")
    sizes = [path.stat().st_size for path in prefix.rglob("*") if path.is_file() and not path.is_symlink()]
    return sum(math.ceil(size / page) * page for size in sizes)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.8])
def test_a_full_disk(house: Wheelhouse, size: int, share: float):
    """The file system of the frameworks is full at different steps; then there is room, and it goes on."""
    pythons = house.prefix / "pythons"
    pythons.mkdir(parents=True)
    script = f'"$@"; status=$?; echo "left: $(ls -A {pythons})"; exit $status'
    words = (*mounting(pythons, int(size * share)), script, "sh", sys.executable, BUILDING, house.root)
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("refused: cannot ")
    assert "No space left on device" in line
    assert line.endswith("; free some space and run the same command again; what is done is kept")
    assert done.stdout.splitlines()[-1] == "left: ", "or it would be full the next time too"
    assert works(finish(house))


def mounting(directory: Path, size: int) -> tuple[str | Path, ...]:
    """The words before a shell script that runs where a small file system lies at a directory."""
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    mount = f"mount -t tmpfs -o size={size} none {directory}"
    words = ("unshare", *user, "--mount", "sh", "-c", f'{mount} && exec sh -c "$@"', "sh")
    if not shutil.which("unshare") or subprocess.run((*words, "true"), check=False).returncode:
        pytest.skip("this machine allows no mount namespace")
    return words


def test_a_mirror_that_is_not_whole(house: Wheelhouse):
    packages = [house.module(name, "1.0") for name in ("alpha", "beta", "gamma")]
    files = [package.file for package in packages]
    house.mirror.path(files[0]).unlink()
    house.mirror.path(files[2]).write_bytes(b"half")

    def refuses(command: Command) -> Outcome:
        raise AssertionError(command)

    with pytest.raises(WorkError) as caught:
        house.build_one(*packages, run=refuses)
    assert str(caught.value) == (
        f"the mirror {house.mirror.root} lacks alpha-1.0-py3-none-any.whl (sha256 {files[0].sha256}),"
        f" gamma-1.0-py3-none-any.whl (sha256 {files[2].sha256});"
        f" copy it again, or make it whole with `stackgen mirror create ENV.yaml -d {house.mirror.root}`"
        " where there is a network, or name another with --mirror"
    )
    assert not house.prefix.exists()


def test_a_mirror_that_is_not_there(house: Wheelhouse):
    package = house.module("alpha", "1.0")
    shutil.rmtree(house.mirror.root)
    with pytest.raises(WorkError) as caught:
        house.build_one(package)
    assert str(caught.value) == (
        f"the mirror {house.mirror.root} is not there;"
        f" copy it again, or make it whole with `stackgen mirror create ENV.yaml -d {house.mirror.root}`"
        " where there is a network, or name another with --mirror"
    )


def test_a_mirror_with_other_bytes(house: Wheelhouse):
    package = house.module("alpha", "1.0", "harmless = 1")
    other = module("alpha", "1.0", "harmless = 0")
    house.mirror.path(package.file).write_bytes(other)
    with pytest.raises(WorkError) as caught:
        house.build_one(package)
    assert str(caught.value) == (
        f"the mirror {house.mirror.root} does not hold what the lock names:"
        f" alpha-1.0-py3-none-any.whl (its SHA-256 is {hashlib.sha256(other).hexdigest()});"
        f" copy it again, or make it whole with `stackgen mirror create ENV.yaml -d {house.mirror.root}`"
        " where there is a network, or name another with --mirror"
    )
    assert not house.prefix.exists()


def test_a_mirror_that_vanishes_during_the_build(house: Wheelhouse, run: LoggedRunner):
    package = house.module("alpha", "1.0")

    def vanishing(command: Command) -> Outcome:
        if "install" in command.argv:
            shutil.rmtree(house.mirror.root)
        return run(command)

    with pytest.raises(WorkError) as caught:
        house.build_one(package, run=vanishing)
    assert str(caught.value).startswith(f"the mirror {house.mirror.root} ")
    assert list((house.prefix / "pythons").iterdir()) == []


def test_another_framework_stays_whole(house: Wheelhouse):
    published = house.build_one(house.module("greeter", "1.0"), house.module("bulky", "1.0"))
    with pytest.raises(WorkError):
        house.build_one(house.probe("raise SystemExit('no')"))
    assert works(published)
