"""What a store refuses before Spack is started, and what it tells while Spack works."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from small_locks import HERE, locked, node, planned

from stackgen.errors import Fault, WorkError
from stackgen.graph import Node
from stackgen.inside.store.telling import short
from stackgen.lock import Lock, LockedSource
from stackgen.mirror import Mirror
from stackgen.progress import Silent
from stackgen.run import LoggedRunner, Outcome
from stackgen.sandbox import Sandbox
from stackgen.spack import SpackHome
from stackgen.store import Store, is_installed, tree_below, unfit
from stackgen.store.cache import Cache, open_cache
from stackgen.store.fitting import has_locks, refuse_moved, remember_place
from stackgen.store.orphans import end_orphans
from stackgen.store.place import directory_name
from stackgen.store.sources import require_sources
from stackgen.store.strength import Strength, free_memory, strength
from stackgen.store.told import Told


def test_a_prefix_that_is_too_long_is_refused_with_the_numbers():
    assert unfit(planned("/" + "x" * 119)) == ()
    long = "/" + "x" * 120
    assert unfit(planned(long)) == (
        Fault(
            where="prefix",
            what=f"the prefix {long} has 121 bytes, and Spack can build for at most 120",
            remedy="choose a shorter one",
        ),
    )


def test_packages_that_were_moved_are_refused(tmp_path: Path):
    def store(name: str) -> Store:
        home = SpackHome(spack=tmp_path, packages=tmp_path)
        run = LoggedRunner(Silent())
        return Store(prefix=tmp_path / name, home=home, run=run, sandbox=Sandbox.NONE)

    refuse_moved(store("one"))
    remember_place(store("one"))
    refuse_moved(store("one"))
    (tmp_path / "alias").symlink_to("one")
    refuse_moved(store("alias"))
    (tmp_path / "one").rename(tmp_path / "two")
    with pytest.raises(WorkError) as caught:
        refuse_moved(store("two"))
    assert str(caught.value) == (
        f"what lies in {tmp_path}/two was built in {tmp_path}/one, and works nowhere else; move it back,"
        " or build into an empty prefix: with the same --cache nothing is compiled again"
    )


DIGEST = hashlib.sha256(b"zlib").hexdigest()
SOURCE = LockedSource(
    package="zlib",
    version="1.3.1",
    kind="source",
    name="zlib-1.3.1.tar.gz",
    sha256=DIGEST,
    commit="",
    path=f"_source-cache/archive/{DIGEST[:2]}/{DIGEST}.tar.gz",
    manual=False,
)
ZLIB = Node(
    hash="abcdefghijklmnopqrstuvwxyz012345",
    name="zlib",
    version="1.3.1",
    os="debian12",
    target="x86_64",
    external=False,
    parameters={},
    edges=(),
)


def test_missing_sources_are_listed_before_anything_is_built(tmp_path: Path):
    lock, mirror = locked(sources=(SOURCE,)), Mirror(root=tmp_path)
    with pytest.raises(WorkError) as caught:
        require_sources(lock, [ZLIB], mirror, None)
    told = (
        f"the mirror {tmp_path} does not hold all that is to be built from;"
        " copy it again, or make it whole with"
        f" `stackgen mirror create ENV.yaml -d {tmp_path}` where there is a network,"
        " or name another with --mirror:\n"
        f"  missing: zlib 1.3.1  source zlib-1.3.1.tar.gz (sha256 {SOURCE.sha256})"
    )
    assert str(caught.value) == told
    place = tmp_path / "sources" / SOURCE.path
    place.parent.mkdir(parents=True)
    place.write_bytes(b"another")
    with pytest.raises(WorkError) as caught:
        require_sources(lock, [ZLIB], mirror, None)
    altered = f": its SHA-256 is {hashlib.sha256(b'another').hexdigest()}"
    assert str(caught.value) == told.replace("missing: ", "altered: ") + altered
    place.write_bytes(b"zlib")
    require_sources(lock, [ZLIB], mirror, None)


def test_what_the_cache_holds_needs_no_source(tmp_path: Path):
    entry = tmp_path / f"v3/manifests/spec/zlib/zlib-1.3.1-{ZLIB.hash}.spec.manifest.json"
    entry.parent.mkdir(parents=True)
    entry.touch()
    cache = Cache(directory=tmp_path, writable=False)
    require_sources(locked(sources=(SOURCE,)), [ZLIB], Mirror(root=tmp_path), cache)


def test_only_what_spack_knows_and_has_finished_is_installed(tmp_path: Path):
    asked, tree = planned(str(tmp_path)), tree_below(tmp_path)
    zlib, mpi, gcc = (
        node("zlib", "1.3.1"),
        node("mpi", "4", {"path": "/usr"}),
        node("gcc", "12", {"path": "/"}),
    )
    lock = locked(zlib, mpi, gcc, roots=(0, 1))

    def known(*hashes: str) -> bool:
        installs = {key: {"installed": True} for key in hashes}
        (tree / ".spack-db/index.json").write_text(json.dumps({"database": {"installs": installs}}))
        return is_installed(asked, lock)

    (tree / ".spack-db").mkdir(parents=True)
    finished = tree / f"linux-{HERE['target']}/zlib-1.3.1-0/.spack/install_manifest.json"
    assert not is_installed(asked, lock)
    assert not known("0", "1")
    finished.parent.mkdir(parents=True)
    finished.touch()
    assert not known("0", "1")
    finished.write_text("{}")
    assert known("0", "1")
    assert not known("0")
    assert not known("1", "2")
    assert is_installed(asked, Lock(environment="site", inputs={}))


def test_a_commit_and_a_branch_are_kept_under_names_for_files(tmp_path: Path):
    branch = Node(**{**as_dict(ZLIB), "version": "git.feature/new=1.3.1"})
    name = f"zlib-git.feature_new_1.3.1-{ZLIB.hash}"
    assert directory_name(branch) == f"linux-x86_64/{name}"
    entry = tmp_path / f"v3/manifests/spec/zlib/{name}.spec.manifest.json"
    entry.parent.mkdir(parents=True)
    entry.touch()
    assert Cache(directory=tmp_path, writable=False).holds(branch)


def test_what_a_killed_build_has_left_running_is_ended(tmp_path: Path):
    def sleeper(home: Path) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(("sleep", "60"), env={"PATH": "/usr/bin:/bin", "HOME": str(home)})

    with sleeper(tmp_path / "home") as ours, sleeper(tmp_path / "home/other") as other:
        end_orphans(tmp_path / "home")
        assert ours.wait(10) == -signal.SIGKILL
        assert other.poll() is None
        other.kill()


def test_packages_share_what_compilers_there_may_be():
    assert [strength(jobs) for jobs in (1, 2, 4, 64)] == [
        Strength(jobs=1, packages=1),
        Strength(jobs=2, packages=2),
        Strength(jobs=4, packages=3),
        Strength(jobs=64, packages=18),
    ]
    assert 1 <= strength().jobs <= len(os.sched_getaffinity(0))


class Screen(Silent):
    """A progress that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.shown: list[str] = []
        self.logged: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)

    def log(self, text: str) -> None:
        self.logged.append(text)

    def now(self, text: str) -> None:
        self.shown.append(text)


@pytest.fixture
def told(tmp_path: Path) -> Told:
    nodes = {
        "1": Node(**{**as_dict(ZLIB), "hash": "1" * 32}),
        "2": Node(**{**as_dict(ZLIB), "hash": "2" * 32, "name": "hdf5", "version": "1.14"}),
    }
    return Told(nodes=nodes, total=2, progress=Screen(), root=tmp_path / "spack")


def as_dict(node: Node) -> dict[str, Any]:
    return {name: getattr(node, name) for name in Node.__slots__}


def hear(told: Told, *events: dict[str, Any]) -> list[int]:
    advanced: list[int] = []
    heard = told.listener(advanced.append)
    for event in events:
        heard(json.dumps(event))
    return advanced


def test_what_is_built_is_counted_and_what_is_at_work_is_shown(told: Told):
    advanced = hear(
        told,
        {"hash": "1", "phase": "start"},
        {"hash": "1", "phase": "unpack"},
        {"hash": "2", "phase": "configure"},
        {"hash": "1", "done": "built"},
        {"hash": "2", "done": "cached"},
    )
    screen = told.progress
    assert isinstance(screen, Screen)
    assert advanced == [1, 1]
    assert screen.shown == ["", "zlib: unpack", "hdf5: configure, zlib: unpack", "hdf5: configure", ""]
    assert screen.lines == [
        "1 of 2: zlib@1.3.1 built in 0 s",
        "2 of 2: hdf5@1.14 taken from the build cache",
    ]


def test_a_failure_is_told_with_its_lines_its_log_and_what_depends_on_it(told: Told, tmp_path: Path):
    log = tmp_path / "spack/logs/zlib.log"
    failed = {"hash": "1", "failed": "make: exit 2", "lines": ["z.c:1: error: no"], "log": str(log)}
    hear(told, {"hash": "1", "phase": "build"}, failed, {"hash": "2", "skipped": True})
    assert isinstance(told.progress, Screen)
    assert told.progress.lines == [
        "failed: zlib@1.3.1 in its phase build: make: exit 2",
        "    z.c:1: error: no",
        f"    the whole log is {log}",
    ]
    assert str(told.error(Outcome(status=1, stdout="", stderr=""))) == (
        "1 of 2 packages could not be built: zlib@1.3.1 (build), and so not what depends on it: hdf5@1.14;"
        f" see {log}; all others are kept, so run the same command again when the cause is gone"
    )


def test_what_fails_on_two_nodes_is_told_once(told: Told):
    for name in ("n1", "n2"):
        failed = {"hash": "1", "failed": "make: exit 2", "lines": ["z.c:1: error: no"], "log": "/log"}
        told.listener([].append, name)(json.dumps(failed))
    assert isinstance(told.progress, Screen)
    assert told.progress.lines == [
        "failed: zlib@1.3.1 in its start on n1: make: exit 2",
        "    z.c:1: error: no",
        "    the whole log is /log",
    ]
    assert told.progress.logged == ["failed: zlib@1.3.1 on n2, too: make: exit 2"]
    assert str(told.error(Outcome(status=1, stdout="", stderr=""))).startswith(
        "1 of 2 packages could not be built: zlib@1.3.1 (start); see /log; all others are kept"
    )


def test_a_log_that_finds_no_room_is_not_promised(told: Told, tmp_path: Path):
    failed = {"hash": "1", "failed": "No space left on device", "lines": [], "log": ""}
    hear(told, {"hash": "1", "phase": "build"}, failed)
    assert isinstance(told.progress, Screen)
    assert told.progress.lines == ["failed: zlib@1.3.1 in its phase build: No space left on device"]
    assert str(told.error(Outcome(status=1, stdout="", stderr=""))) == (
        f"cannot write to {tmp_path}: No space left on device;"
        " free some space and run the same command again; what is done is kept"
    )


def test_what_spack_says_beside_is_for_the_log(told: Told):
    told.listener([].append)("==> Warning: this is not ours")
    assert isinstance(told.progress, Screen)
    assert told.progress.lines == []


def test_of_a_log_as_much_is_told_as_a_pipe_takes_in_one_piece():
    assert short(["error: no  ", "x" * 200]) == ["error: no", "x" * 160]
    padded = (
        f"'PREFIX=/opt/hpai/store{'/__spack_path_placeholder__' * 4}/__spack_path_placeh/linux/tree-2.1.0'"
    )
    assert short([padded]) == ["'PREFIX=/opt/hpai/store/…/linux/tree-2.1.0'"]
    coloured = ["\x1b[31m\x1b[K" * 20] * 15
    told = short(["ProcessError", *coloured])
    assert told == ["ProcessError", *coloured[: len(told) - 1]]
    assert 2000 < len(json.dumps(told)) < 4096 - 500


def test_what_a_control_group_has_read_makes_room(tmp_path: Path):
    def group(**files: str) -> int | None:
        for name, text in files.items():
            (tmp_path / f"memory.{name}").write_text(text)
        return free_memory(tmp_path)

    assert group() is None
    assert group(max="max", current="5000") is None
    assert group(max="8000", current="7000") == 1000
    assert group(stat="anon 1000\nactive_file 2000\ninactive_file 4000\n") == 7000


def test_a_spack_that_fails_by_itself_is_quoted(told: Told):
    stderr = "==> Warning: look\n==> Error: the database is from the future\n\n"
    assert str(told.error(Outcome(status=1, stdout="", stderr=stderr))) == (
        "Spack failed: the database is from the future; the log has all that it said"
    )
    assert str(told.error(Outcome(status=-9, stdout="", stderr=""))) == (
        "Spack failed: exit status -9; the log has all that it said"
    )


LOCKLESS = """\
#include <errno.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>
int fcntl64(int file, int what, ...) {
    va_list rest;
    va_start(rest, what);
    if (what == 6 || what == 7) { errno = ENOLCK; return -1; }
    return syscall(SYS_fcntl, file, what, va_arg(rest, long));
}
int fcntl(int, int, ...) __attribute__((alias("fcntl64")));
"""
ASKING = """\
import pathlib, sys
from stackgen.store.fitting import has_locks
print(has_locks(pathlib.Path(sys.argv[1])))
"""


def test_a_file_system_without_locks_is_noticed(tmp_path: Path):
    assert has_locks(tmp_path)
    (tmp_path / "lockless.c").write_text(LOCKLESS)
    library = tmp_path / "lockless.so"
    subprocess.run(("gcc", "-shared", "-fPIC", "-o", library, tmp_path / "lockless.c"), check=True)
    words = (sys.executable, "-c", ASKING, tmp_path)
    environment = {**os.environ, "LD_PRELOAD": str(library)}
    outcome = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert outcome.stdout == "False\n"


def test_a_build_cache_that_cannot_be_made_is_to_be_elsewhere(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(WorkError) as caught:
        open_cache(tmp_path / "file/cache", Silent())
    assert str(caught.value) == (
        f"cannot make the build cache {tmp_path}/file/cache: Not a directory; "
        "name a directory that you may make with --cache"
    )
