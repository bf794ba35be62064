"""Spack environments installed for real: with no network, in part, again, from a cache, after a kill."""

import ast
import os
import pickle
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from quarry import BAD, BROKEN, GOOD, SCOUT, WALL, Quarry, recipe, solved
from stages import Recorder

from stackgen.errors import WorkError
from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner
from stackgen.sandbox import Sandbox
from stackgen.spack import SpackHome
from stackgen.store import Cache, open_cache
from stackgen.store.place import padded
from stackgen.tree import File, Tree

pytestmark = pytest.mark.spack

MEANWHILE = """
import spack.installer
import spack.store

_ensure_locked = spack.installer.PackageInstaller._ensure_locked


def _late(installer, kind, pkg):
    if pkg.name == "rubble" and kind == "write":
        spack.store.STORE.failure_tracker.mark(pkg.spec)
    return _ensure_locked(installer, kind, pkg)


spack.installer.PackageInstaller._ensure_locked = _late
"""
"""Has another Spack find that a package fails, and give it back, just before ours takes it."""
SECONDS = re.compile(r" in \d+ s$")


@pytest.fixture(scope="module")
def good(spack: SpackHome, tmp_path_factory: pytest.TempPathFactory) -> Quarry:
    return solved(GOOD, ("stone",), spack, tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def bad(spack: SpackHome, tmp_path_factory: pytest.TempPathFactory) -> Quarry:
    return solved(BAD, ("wall", "stone"), spack, tmp_path_factory.mktemp("bad"))


@pytest.fixture(scope="module")
def installed(good: Quarry) -> Quarry:
    """A prefix where all is installed, by somebody secretive; tests that change it take another."""
    before = os.umask(0o077)
    good.install()
    os.umask(before)
    return good


def told(lines: list[str]) -> list[str]:
    """Lines without what is another at each run."""
    return [SECONDS.sub("", line).split(": ", 1)[-1] for line in lines]


def how(lines: list[str]) -> set[str]:
    """What has become of the packages."""
    return {line.split(" ", 1)[1] for line in told(lines)}


def ran(program: Path) -> str:
    return subprocess.run((program,), env={}, capture_output=True, text=True, check=True).stdout


class Refusal:
    """A runner for which there is nothing to run."""

    def __call__(self, command: Command):
        if command.argv[-1] == "true":  # whether the sandbox works
            return LoggedRunner(Silent())(command)
        raise AssertionError(f"{command} was started")


def test_all_is_built_where_the_store_says(installed: Quarry):
    stone, vein = installed.prefix_of("stone"), installed.prefix_of("vein")
    assert ran(stone / "bin/stone") == f"{vein}\n"
    assert len(str(installed.store().tree)) == 128
    assert stone.parents[1] == installed.store().tree
    left = {path.name for path in (installed.store().root / "stage").iterdir()}
    assert left <= {".lock", "root", "tmp"}


def test_whatever_the_umask_everybody_can_use_the_store(installed: Quarry):
    stone = installed.prefix_of("stone")
    of_stone = (path for path in stone.rglob("*") if path.name != "install_times.json")
    assert [path for path in of_stone if not path.lstat().st_mode & 0o004] == []
    directories = (path for path in stone.parents if path.is_relative_to(installed.prefix / "store"))
    assert {path.stat().st_mode & 0o777 for path in directories} == {0o755}


def test_what_is_installed_is_found_without_spack(installed: Quarry):
    began = time.monotonic()
    assert installed.install(run=Refusal()).lines == []
    assert time.monotonic() - began < 1


def test_padding_is_that_of_spack(installed: Quarry):
    program = "import spack.util.path as p; print([p.add_padding('/' + 'x' * n, 128) for n in range(1, 126)])"
    store = installed.store()
    outcome = store.run(store.command("toolchain", ("python", "-c", program)))
    assert ast.literal_eval(outcome.stdout) == [
        str(padded(Path("/" + "x" * length), 128)) for length in range(1, 126)
    ]


def test_a_prefix_that_is_gone_is_built_again(good: Quarry, tmp_path: Path):
    own = good.at(tmp_path / "prefix")
    own.install()
    shutil.rmtree(own.prefix_of("vein"))
    assert told(own.install().lines) == ["vein@1.0 built"]
    assert ran(own.prefix_of("stone") / "bin/stone")


def test_a_damaged_database_is_made_again_and_only_what_is_half_there_is_built(good: Quarry, tmp_path: Path):
    own = good.at(tmp_path / "prefix")
    own.install()
    index, half = own.store().tree / ".spack-db/index.json", own.prefix_of("stone") / ".spack"
    index.write_bytes(index.read_bytes()[:1000])
    (half / "install_manifest.json").write_bytes(b"")
    assert told(own.install().lines) == ["stone@1.0 built"]
    assert ran(own.prefix_of("stone") / "bin/stone") == f"{own.prefix_of('vein')}\n"
    index.write_bytes(b"")
    (half / "spec.json").write_bytes(b"")
    (half / "install_manifest.json").unlink()
    assert told(own.install().lines) == ["stone@1.0 built"]
    shutil.rmtree(index.parent)
    assert told(own.install().lines) == []
    own.install(run=Refusal())


def test_what_fails_is_told_with_its_log_and_all_else_is_built(bad: Quarry):
    with pytest.raises(WorkError) as caught:
        bad.install()
    log = next((bad.store().root / "logs").iterdir())
    assert str(caught.value) == (
        "1 of 6 packages could not be built: rubble@1.0 (install), and so not what depends on it: wall@1.0;"
        f" see {log}; all others are kept, so run the same command again when the cause is gone"
    )
    assert "'nothing' undeclared" in log.read_text()
    assert ran(bad.prefix_of("stone") / "bin/stone")
    assert not bad.prefix_of("rubble").exists()


def test_after_a_repair_only_what_is_missing_is_built(bad: Quarry):
    repaired = bad.with_recipes(Tree({**BAD, **recipe("rubble", WALL, "vein")}))
    assert told(repaired.install().lines) == ["rubble@1.0 built", "wall@1.0 built"]


def test_what_another_one_finds_to_fail_as_we_take_it_is_not_built(bad: Quarry, tmp_path: Path):
    (name, file), *_ = recipe("rubble", BROKEN, "vein").items()
    late = Tree({**BAD, name: File(file.text + MEANWHILE)})
    own, recorder = bad.at(tmp_path / "prefix").with_recipes(late), Recorder()
    with pytest.raises(WorkError):
        own.install(recorder=recorder)
    assert {"stone@1.0 built", "vein@1.0 built"} <= {*told(recorder.lines)}
    assert not any(line.startswith("failed: ") for line in recorder.lines)
    assert not [*(own.store().root / "logs").iterdir()]


def test_the_failure_is_shown_as_it_happens(bad: Quarry, tmp_path: Path):
    own, recorder = bad.at(tmp_path / "prefix"), Recorder()
    with pytest.raises(WorkError):
        own.install(recorder=recorder)
    shown = recorder.lines[next(n for n, line in enumerate(recorder.lines) if line.startswith("failed: ")) :]
    assert shown[0].startswith("failed: rubble@1.0 in its phase install: ProcessError: ")
    assert any("error: 'nothing' undeclared" in line for line in shown)
    assert len(shown) <= 20


def test_a_build_sees_no_network_and_nothing_of_the_user(
    spack: SpackHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("SPACK_ROOT", "SPACK_USER_CONFIG_PATH", "SPACK_ENV", "MAKEFLAGS", "CFLAGS"):
        monkeypatch.setenv(name, "/in/the/way")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".spack").mkdir()
    (tmp_path / ".spack/config.yaml").write_text("not: {a: configuration\n")
    scout = solved(Tree(recipe("scout", SCOUT)), ("scout",), spack, tmp_path / "solve").at(
        tmp_path / "prefix"
    )
    scout.install(scratch=tmp_path)
    found = ast.literal_eval((scout.prefix_of("scout") / "lib/found").read_text())
    store = scout.store(scratch=tmp_path)
    assert [path.name for path in store.workplace.iterdir()] == ["tmp"]
    assert found == {
        "HOME": f"{store.root}/home",
        "TMPDIR": f"{store.workplace}/tmp",
        "/outside": "No such file or directory",
        "/usr": "Read-only file system",
        "network": "Network is unreachable",
    }


def test_a_prefix_may_be_named_by_a_link(good: Quarry, filled: Cache, tmp_path: Path):
    (tmp_path / "place").mkdir()
    (tmp_path / "link").symlink_to("place")
    own = good.at(tmp_path / "link/prefix")
    assert how(own.install(cache=filled).lines) == {"taken from the build cache"}
    assert ran(own.prefix_of("stone") / "bin/stone") == f"{own.prefix_of('vein')}\n"
    own.install(run=Refusal())


@pytest.fixture(scope="module")
def filled(good: Quarry, tmp_path_factory: pytest.TempPathFactory) -> Cache:
    """A build cache that holds all, and whose prefix is gone."""
    directory = tmp_path_factory.mktemp("cache")
    first = good.at(directory / "first")
    first.install(cache=open_cache(directory / "cache", Silent()))
    shutil.rmtree(first.prefix)
    return open_cache(directory / "cache", Silent())


def test_another_prefix_is_filled_from_the_cache_alone(good: Quarry, filled: Cache, tmp_path: Path):
    unbuildable = Tree(recipe("vein", "        1 / 0\n") | recipe("stone", "        1 / 0\n", "vein"))
    second = good.at(tmp_path / "a-second-one").with_recipes(unbuildable)
    reading = Cache(directory=filled.directory, writable=False)
    assert how(second.install(cache=reading).lines) == {"taken from the build cache"}
    assert ran(second.prefix_of("stone") / "bin/stone") == f"{second.prefix_of('vein')}\n"


def test_a_damaged_entry_of_the_cache_is_built_and_replaced(good: Quarry, filled: Cache, tmp_path: Path):
    cache = open_cache(shutil.copytree(filled.directory, tmp_path / "cache"), Silent())
    for blob in cache.directory.glob("blobs/*/*/*"):
        blob.write_bytes(blob.read_bytes()[:-9] + b"scratched")
    second = good.at(tmp_path / "second")
    assert (
        "vein@1.0: its entry in the build cache is damaged, so it is built"
        in second.install(cache=cache).lines
    )
    assert ran(second.prefix_of("stone") / "bin/stone") == f"{second.prefix_of('vein')}\n"
    third = good.at(tmp_path / "third")
    assert how(third.install(cache=cache).lines) == {"taken from the build cache"}


def test_a_cache_that_cannot_be_written_to_is_read(tmp_path: Path):
    recorder = Recorder()
    assert open_cache(Path("/sys"), recorder) == Cache(directory=Path("/sys"), writable=False)
    assert recorder.lines == ["the build cache /sys cannot be written to: it is used, and nothing is added"]
    with pytest.raises(WorkError) as caught:
        open_cache(Path("/sys/cache"), recorder)
    assert str(caught.value).startswith("cannot make the build cache /sys/cache: ")


def test_a_scratch_that_somebody_else_has_laid_out_is_refused(good: Quarry, tmp_path: Path):
    own = good.at(tmp_path / "prefix")
    place = own.store(scratch=tmp_path).workplace
    place.symlink_to("/root")
    with pytest.raises(WorkError) as caught:
        own.install(scratch=tmp_path)
    assert str(caught.value) == (
        f"{place} is somebody else's; have it removed, or name another directory by --scratch"
    )


def test_killed_at_any_moment_it_goes_on(bad: Quarry, tmp_path: Path):
    own = bad.at(tmp_path / "prefix").with_recipes(Tree({**BAD, **recipe("rubble", WALL, "vein")}))
    (tmp_path / "quarry").write_bytes(pickle.dumps(own))
    program = Path(__file__).with_name("quarrying.py")
    source = random.Random(20261121)
    for _ in range(5):
        with subprocess.Popen(
            (sys.executable, program, tmp_path / "quarry"), start_new_session=True
        ) as process:
            time.sleep(source.uniform(0.4, 3))
            process.send_signal(signal.SIGKILL)
    own.install()
    assert ran(own.prefix_of("stone") / "bin/stone") == f"{own.prefix_of('vein')}\n"
    assert list((own.store().tree / ".spack-db").glob("failures/*")) == []


def test_what_a_killed_build_without_a_sandbox_leaves_running_is_ended(good: Quarry, tmp_path: Path):
    own = replace(good.at(tmp_path / "prefix"), sandbox=Sandbox.NONE)
    endless = own.with_recipes(Tree({**GOOD, **recipe("vein", "        Executable('sleep')('3600')\n")}))
    (tmp_path / "quarry").write_bytes(pickle.dumps(endless))
    program = Path(__file__).with_name("quarrying.py")
    home = own.store().home_directory
    with subprocess.Popen((sys.executable, program, tmp_path / "quarry")) as process:
        while not sleeping(home) and process.poll() is None:
            time.sleep(0.1)
        process.kill()
    assert sleeping(home)
    own.install()
    assert not sleeping(home)
    assert ran(own.prefix_of("stone") / "bin/stone") == f"{own.prefix_of('vein')}\n"


def sleeping(home: Path) -> bool:
    """Whether a build with this home has a `sleep` at work."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "comm").read_text() == "sleep\n" and bytes(home) in (
                process / "environ"
            ).read_bytes():
                return True
    return False


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_full_disk_is_one_sentence(good: Quarry, tmp_path: Path):
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", small), check=True)
    try:
        full = good.at(small / "prefix")
        full.store()
        (small / "ballast").write_bytes(b"x" * (free(small) - 2**20))
        with pytest.raises(WorkError) as caught:
            full.install()
        assert str(caught.value).endswith(
            "No space left on device; free some space and run the same command again; what is done is kept"
        )
        (small / "ballast").unlink()
    finally:
        subprocess.run(("umount", small), check=True)


def free(directory: Path) -> int:
    return shutil.disk_usage(directory).free
