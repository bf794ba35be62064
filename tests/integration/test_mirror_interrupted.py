"""Mirrors whose making is killed, interrupted, doubled or out of space: what came is kept, and it goes on."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from package_index import Index, Server, wheel
from stages import planned

from stackgen import files
from stackgen.lock import Lock, lock_tree
from stackgen.mirror import mirror, verify
from stackgen.progress import Silent
from stackgen.resolve import resolve
from stackgen.site import Site

pytestmark = pytest.mark.usefixtures("own_home")

MAKE = """
import signal
import sys
from pathlib import Path
from stackgen.errors import StackgenError
from stackgen.lock import read_lock
from stackgen.mirror import mirror
from stackgen.progress import Silent
from stackgen.run import LoggedRunner
from stackgen.site import Site

class Lines(Silent):
    def say(self, line):
        print(line, flush=True)

signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started the tests may ignore it
lock, into, index = sys.argv[1:]
try:
    mirror({"site": read_lock(Path(lock))}, Path(into), Site(index=index), LoggedRunner(Silent()), Lines())
except StackgenError as error:
    sys.exit(str(error))
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.fixture
def lock(small_index: Index, run, tmp_path: Path) -> Lock:
    """A large file and pip, also written to `site.lock`."""
    small_index.add("alpha-1.0-py3-none-any.whl", wheel("alpha", "1.0", padding=2**22))
    plan = planned(alpha={"version": "newest", "python": "3.11"})
    made = resolve(plan, Site(index=small_index.address), run, Silent())
    files.write_tree(lock_tree(made), tmp_path / "site.lock")
    return made


def command(tmp_path: Path, server: Server, into: Path | None = None) -> list[str]:
    target = str(into or tmp_path / "mirror")
    return [sys.executable, "-c", MAKE, str(tmp_path / "site.lock"), target, server.index]


def wait_for_part(directory: Path) -> int:
    """Wait until an unfinished file has some bytes; how many."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for part in directory.rglob("alpha*.part"):
            if size := part.stat().st_size:
                return size
        time.sleep(0.01)
    raise AssertionError("no download began")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_mirror_whose_making_was_ended_goes_on_where_it_was(lock, server, run, tmp_path, how):
    server.manners.slow = 0.05
    process = subprocess.Popen(command(tmp_path, server))
    there = wait_for_part(tmp_path / "mirror")
    process.send_signal(how)
    began = time.monotonic()
    assert process.wait(20) == (-signal.SIGKILL if how == signal.SIGKILL else 130)
    assert time.monotonic() - began < 3
    server.manners.slow = 0
    made = mirror({"site": lock}, tmp_path / "mirror", Site(index=server.index), run, Silent())
    skipped = [line for line in server.manners.asked if " from " in line]
    assert len(skipped) == 1
    assert int(skipped[0].rpartition(" ")[2]) >= there
    assert verify(made.root, Silent()) == ()


def test_two_that_fill_one_mirror_take_turns(lock, server, tmp_path):
    server.manners.slow = 0.01
    processes = [
        subprocess.Popen(command(tmp_path, server), stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = [process.communicate(timeout=30)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert server.manners.fetched == [file.name for file in sorted(lock.files)]
    waiting = [line for line in "".join(said).splitlines() if line.startswith("waiting for process ")]
    assert len(waiting) <= 1
    assert verify(tmp_path / "mirror", Silent()) == ()


def test_a_full_disk_is_told_once_and_what_came_is_kept(lock, server, run, tmp_path):
    unshare = shutil.which("unshare")
    trial = [unshare, "-rm", "mount", "-t", "tmpfs", "none", str(tmp_path)] if unshare else ["false"]
    if subprocess.run(trial, check=False, capture_output=True).returncode:
        pytest.skip("no file system of a limited size can be made: unshare or mount is not allowed")
    small, kept = tmp_path / "small", tmp_path / "kept"
    small.mkdir()
    script = 'mount -t tmpfs -o size=3m none "$0" && "$@"; status=$?; cp -r "$0" "$KEPT"; exit $status'
    done = subprocess.run(
        [unshare, "-rm", "sh", "-c", script, str(small), *command(tmp_path, server, small)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "KEPT": str(kept)},
    )
    assert done.stderr == (
        f"cannot fill {small}: No space left on device; "
        "free some space and run the same command again; what is done is kept\n"
    )
    assert done.returncode == 1
    made = mirror({"site": lock}, kept, Site(index=server.index), run, Silent())
    assert made.lacks(lock) == ()
    assert any(" from " in line for line in server.manners.asked)


def test_a_complete_mirror_may_be_read_only(lock, server, run, tmp_path):
    made = mirror({"site": lock}, tmp_path / "mirror", Site(index=server.index), run, Silent())
    files.make_read_only(made.root)
    try:
        assert mirror({"site": lock}, made.root, Site(), run, Silent()) == made
        assert verify(made.root, Silent()) == ()
    finally:
        for directory, _, _ in os.walk(made.root):
            Path(directory).chmod(0o755)
