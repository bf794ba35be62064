"""Sources whose collecting is killed or has no room: what came is kept and named, and it goes on."""

import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from package_index import Index, Server, serving
from sourcehouse import content, locked, source

from stackgen.lock import LockedSource, lock_tree
from stackgen.mirror import keep, verify
from stackgen.progress import Silent

pytestmark = pytest.mark.usefixtures("own_home")

SIZE = 2**19
MANY = tuple(source(f"many{number}", SIZE) for number in range(12))
MAKE = """
import sys
from pathlib import Path
from sourcehouse import Makers, locked, source
from stackgen.errors import StackgenError
from stackgen.mirror import mirror
from stackgen.progress import Silent
from stackgen.site import Site

kit, address, size, *names = sys.argv[1:]
sources = [source(name, int(size)) for name in names]
known = Makers(known={one.path: (f"{address}/files/{one.name}",) for one in sources})
try:
    mirror({"site": locked(*sources)}, Path(kit), Site(upstream=True), None, Silent(), upstream=known)
except StackgenError as error:
    sys.exit(str(error))
"""


@pytest.fixture
def offered(tmp_path: Path) -> Iterator[Server]:
    """A server that has every source."""
    for one in MANY:
        place = tmp_path / "makers/files" / one.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content(one.package, SIZE))
    with serving(Index(tmp_path / "makers")) as server:
        yield server


def words(kit: Path, server: Server, *sources: LockedSource) -> list[str]:
    script = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n{MAKE}"
    names = [one.package for one in sources]
    return [sys.executable, "-c", script, str(kit), server.address, str(SIZE), *names]


def named(kit: Path) -> None:
    """Have the lock in the kit, as whoever makes kits does."""
    tree = lock_tree(locked(*MANY))
    contents = {f"environments/site.lock/{path}": file.text.encode() for path, file in tree.items()}
    keep(kit, contents, ("site",), Silent())


def defects(kit: Path) -> set[str]:
    return {defect.kind for defect in verify(kit, Silent())}


def test_killed_at_any_moment_it_goes_on_and_what_lacks_is_named(offered: Server, tmp_path: Path):
    kit, chance = tmp_path / "kit", random.Random(4)
    named(kit)
    offered.manners.slow = 0.02
    for _ in range(4):
        process = subprocess.Popen(words(kit, offered, *MANY))
        time.sleep(chance.uniform(0.5, 1.5))
        process.kill()
        process.wait()
        assert defects(kit) <= {"missing", "unknown"}  # what came since the manifest was written last
    offered.manners.slow = 0
    done = subprocess.run(words(kit, offered, *MANY), check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert defects(kit) == set()
    assert not list(kit.rglob("*.part"))
    whole = [line for line in offered.manners.asked if " from " not in line]
    assert len(whole) <= len(MANY) + 4 * 8  # at each kill some were asked for of which nothing had come


def test_a_full_disk_is_told_once_and_what_came_is_kept(offered: Server, tmp_path: Path):
    kit = tmp_path / "kit"
    named(kit)

    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (SIZE // 2, SIZE // 2))

    done = subprocess.run(
        words(kit, offered, *MANY), check=False, capture_output=True, text=True, preexec_fn=little_room
    )
    assert (done.returncode, done.stderr) == (1, f"cannot fill {kit}: File too large\n")
    assert defects(kit) == {"missing"}
    again = subprocess.run(words(kit, offered, *MANY), check=False, capture_output=True, text=True)
    assert (again.returncode, again.stderr) == (0, "")
    assert defects(kit) == set()
