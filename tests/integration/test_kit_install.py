"""A real kit of a small environment, carried to a machine that has no network and no stackgen."""

import os
import random
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from desk import Desk
from far_side import NO_NETWORK

from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner, Outcome
from stackgen.site import Site

pytestmark = pytest.mark.network

HOSTILE = {
    "PYTHONPATH": "/nowhere",
    "PYTHONHOME": "/nowhere",
    "PYTHONSTARTUP": "/nowhere",
    "STACKGEN_SPACK": "/x",
}


@dataclass(frozen=True)
class Machine:
    """A machine with an empty home, no network, and a kit."""

    root: Path
    kit: Path

    @property
    def place(self) -> Path:
        return self.root / "opt/stackgen"

    @property
    def stackgen(self) -> str:
        return str(self.place / "bin/stackgen")

    def words(self, *words: str) -> tuple[str, ...]:
        return (
            oldest_python(),
            "-W",
            "error",
            str(self.kit / "install.py"),
            "--prefix",
            str(self.place),
            *words,
        )

    def install(self, *words: str) -> Outcome:
        return self(*self.words(*words))

    def __call__(self, *words: str, **more: str) -> Outcome:
        return LoggedRunner(Silent())(
            Command(argv=(*NO_NETWORK, *words), environment=self.environment() | more, directory=self.root)
        )

    def environment(self) -> dict[str, str]:
        home = self.root / "home"
        home.mkdir(parents=True, exist_ok=True)
        return {"HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}

    def next(self) -> str:
        """What is printed when all went well."""
        return f"{self.stackgen} build {self.kit}/environments/small.yaml --mirror {self.kit} --offline\n"


def oldest_python() -> str:
    """A Python 3.6 where pyenv has one, else the system's."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    return str(next(iter(sorted(pyenv.glob("versions/3.6.*/bin/python3.6"))), "/usr/bin/python3"))


@pytest.fixture(scope="module")
def kit(shared_desk: Desk, index: Site) -> Path:
    shared_desk.small()
    for words in (("lock", "small.yaml"), ("mirror", "create", "small.yaml", "-d", "kit")):
        outcome = shared_desk(*words)
        assert outcome.status == 0, outcome.stderr
    return shared_desk.directory / "kit"


@pytest.fixture(scope="module")
def installed(kit: Path, tmp_path_factory) -> Machine:
    machine = Machine(tmp_path_factory.mktemp("machine"), kit)
    outcome = machine.install()
    assert outcome.status == 0, outcome.stderr
    assert outcome.stdout == machine.next()
    return machine


@pytest.fixture
def machine(kit: Path, tmp_path: Path) -> Machine:
    """A machine with a kit of its own, to be damaged."""
    shutil.copytree(kit, tmp_path / "kit")
    return Machine(tmp_path / "machine", tmp_path / "kit")


def test_nothing_is_written_but_the_place(installed: Machine):
    assert list((installed.root / "home").iterdir()) == []
    assert sorted(path.name for path in installed.root.iterdir()) == ["home", "opt"]
    assert [path.name for path in installed.place.parent.iterdir()] == ["stackgen"]
    assert sorted(path.name for path in installed.place.iterdir()) == ["bin", "versions"]
    assert [path.name for path in (installed.place / "bin").iterdir()] == ["stackgen"]


def test_the_kit_says_what_to_type(kit: Path):
    lines = (kit / "README").read_text().splitlines()
    assert "    python3 KIT/install.py --prefix DIR" in lines
    assert "    DIR/bin/stackgen build KIT/environments/small.yaml --mirror KIT --offline" in lines


def test_nothing_of_the_caller_reaches_it(installed: Machine, tmp_path: Path):
    for package in ("stackgen", "click"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise SystemExit('the wrong one')")
    user = installed.root / "home/.local/lib/python3.11/site-packages"
    user.mkdir(parents=True)
    (user / "click.py").write_text("raise SystemExit('the wrong one')")
    link = tmp_path / "link"
    link.symlink_to(installed.stackgen)
    words = ("sh", "-c", f"cd {tmp_path} && exec {link} --version")
    outcome = installed(*words, **{**HOSTILE, "PYTHONPATH": str(tmp_path)})
    shutil.rmtree(installed.root / "home/.local")
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "stackgen, version 0.1.0\n", "")


def test_again_it_does_nothing(installed: Machine):
    before = {path: path.lstat().st_mtime_ns for path in installed.place.rglob("bin/*")}
    began = time.monotonic()
    outcome = installed.install()
    assert (outcome.status, outcome.stdout) == (0, installed.next())
    assert outcome.stderr == f"stackgen is in {installed.place}; next:\n\n"
    assert {path: path.lstat().st_mtime_ns for path in installed.place.rglob("bin/*")} == before
    assert time.monotonic() - began < 20


def test_again_with_spack_beside_it(machine: Machine):
    assert machine.install().status == 0
    (machine.place / "share/stackgen/spack").mkdir(parents=True)
    outcome = machine.install()
    assert (outcome.status, outcome.stdout) == (0, machine.next())
    assert outcome.stderr == f"stackgen is in {machine.place}; next:\n\n"


def test_it_builds_from_a_kit_that_cannot_be_written(installed: Machine):
    script = (
        'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && ! touch "$0/x" 2>/dev/null && exec "$@"'
    )
    words = installed.next().split()
    outcome = LoggedRunner(Silent())(
        Command(
            argv=("unshare", "--mount", *NO_NETWORK[1:], "sh", "-c", script, str(installed.kit), *words),
            environment=installed.environment(),
            directory=installed.root,
        )
    )
    prefix = installed.kit.parent / "prefix"
    assert outcome.status == 0, outcome.stderr
    assert outcome.stdout == f"module use {prefix}/current/modules/Core\nmodule load hpai/six\n"
    assert installed(installed.stackgen, "mirror", "verify", str(installed.kit)).status == 0


def test_what_is_not_whole_is_mended(installed: Machine):
    library = next(installed.place.glob("versions/*/lib/python*/site-packages"))
    (library / "click/core.py").unlink()
    shutil.rmtree(library / "rich")
    assert installed(installed.stackgen, "--version").status != 0
    outcome = installed.install()
    assert outcome.status == 0, outcome.stderr
    assert installed(installed.stackgen, "--help").status == 0
    assert [path.name for path in installed.place.glob("versions/.making*")] == []


def test_a_flipped_byte_and_a_missing_file(machine: Machine):
    wheel = next(machine.kit.glob("wheels/*/*/uv-*.whl"))
    whole = wheel.read_bytes()
    wheel.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    outcome = machine.install()
    assert (outcome.status, outcome.stdout) == (1, "")
    assert outcome.stderr.splitlines()[-1] == f"{wheel} is not as the manifest says; copy the kit again"
    assert not Path(machine.stackgen).exists()
    wheel.unlink()
    assert machine.install().stderr.splitlines()[-1] == f"{wheel} is missing; copy the kit again"
    wheel.write_bytes(whole)
    assert machine.install().status == 0
    assert [path.name for path in machine.place.glob("versions/.making*")] == []


def test_killed_at_any_moment_and_again(machine: Machine):
    chance = random.Random(4)
    for _ in range(6):
        process = subprocess.Popen(
            machine.words(), env=machine.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.1, 3))
        process.send_signal(chance.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGINT)))
        process.wait()
        if Path(machine.stackgen).exists():
            assert machine(machine.stackgen, "--version").status == 0
    outcome = machine.install()
    assert (outcome.status, outcome.stdout) == (0, machine.next()), outcome.stderr
    assert machine(machine.stackgen, "--help").status == 0
    assert [path.name for path in machine.place.glob("versions/.making*")] == []


def test_a_full_disk(machine: Machine):
    (machine.root / "opt").mkdir(parents=True)
    script = 'mount -t tmpfs -o size=30m none "$0" && shift 0 && exec "$@"'
    outcome = LoggedRunner(Silent())(
        Command(
            argv=(
                "unshare",
                "--mount",
                *NO_NETWORK[1:],
                "sh",
                "-c",
                script,
                str(machine.root / "opt"),
                *machine.words(),
            ),
            environment=machine.environment(),
            directory=machine.root,
        )
    )
    assert outcome.status == 1
    last = outcome.stderr.splitlines()[-1]
    assert last.startswith("cannot go on: No space left on device"), outcome.stderr
    assert last.endswith("; free some space and run it again")


def test_two_at_once_make_one(machine: Machine):
    both = [
        subprocess.Popen(
            machine.words(),
            env=machine.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert [output for output, _ in outputs] == [machine.next()] * 2
    assert len(list(machine.place.glob("versions/[!.]*"))) == 1


def test_another_python_takes_its_place_and_the_one_before_stays(machine: Machine):
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    others = [
        str(next(iter(pyenv.glob(f"versions/{version}.*/bin/python{version}")), ""))
        for version in ("3.12", "3.13")
    ]
    if not all(others):
        pytest.skip("no Python 3.12 and 3.13 by pyenv on this machine")
    seen = []
    for python in ("/usr/bin/python3", *others):
        outcome = machine.install("--python", python)
        assert (outcome.status, outcome.stdout) == (0, machine.next()), outcome.stderr
        seen.append(Path(machine.stackgen).read_text().partition("versions/")[2].partition("/")[0])
    assert sorted(path.name for path in machine.place.glob("versions/[!.]*")) == sorted(seen[1:])
    assert machine(machine.stackgen, "--help").status == 0
