"""Images are made of a lock and a mirror alone, whole or not at all, and hold what they run."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from imagehouse import ImageHouse, start_in
from stages import Recorder

from stackgen.build import build
from stackgen.errors import WorkError
from stackgen.files import sha256
from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner, Outcome

BUILDING = Path(__file__).with_name("imagehouse.py")
AROUND = {**os.environ, "PYTHONPATH": str(BUILDING.parents[1])}
"""Where it finds what tests share."""


def why_not() -> str:
    missing = [name for name in ("ch-run", "mksquashfs") if not shutil.which(name, path="/usr/bin:/usr/sbin")]
    return f"{' and '.join(missing)} not installed" if missing else ""


pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ImageHouse:
    house = ImageHouse(tmp_path_factory.mktemp("made"))
    house.build()
    return house


@pytest.fixture
def own(tmp_path: Path) -> ImageHouse:
    return ImageHouse(tmp_path)


def inside(house: ImageHouse, mounted: Path, *words: str) -> str:
    covered = tuple(f"@{bind.source}:{bind.target}" for bind in house.describe().covered)
    return start_in(Path(house.expected().image), *words, mounted=mounted, binds=covered)


def test_the_python_of_an_image_runs_from_it_alone(made: ImageHouse, tmp_path: Path):
    description = made.describe()
    assert inside(made, tmp_path / "m", description.commands["greet"]) == "hello from True\n"
    script = "import ssl, sqlite3, greeter; print(greeter.__version__)"
    assert inside(made, tmp_path / "m", description.python, "-c", script) == "1.0\n"


def test_what_lies_beside_it_says_what_it_is(made: ImageHouse):
    image, description = Path(made.expected().image), made.describe()
    prefix = made.expected().prefix
    assert (description.sha256, description.size) == (sha256(image), image.stat().st_size)
    assert (description.name, description.version) == ("greeter-container", "1.0")
    assert description.python == f"{prefix}/bin/python"
    assert description.commands["greet"] == f"{prefix}/bin/greet"
    assert description.environment["PATH"].startswith(f"{prefix}/bin:")
    assert [bind.target for bind in description.covered] == [prefix]
    assert {oct(path.stat().st_mode) for path in image.parent.iterdir()} == {"0o100444"}


def test_it_is_the_same_byte_for_byte_when_it_is_made_again(made: ImageHouse, own: ImageHouse):
    first = made.describe()
    image = Path(made.expected().image)
    kept = sha256(image)
    for path in (image, image.with_suffix(".json")):
        path.unlink()
    made.build()
    assert sha256(image) == kept
    assert made.describe() == first


def test_what_is_there_is_not_made_again(made: ImageHouse):
    def refuses(command: Command) -> Outcome:
        raise AssertionError(command)

    assert made.build(run=refuses) == made.expected()


@pytest.mark.parametrize("moment", ["mksquashfs -version", "mksquashfs - "])
def test_killed_half_way(own: ImageHouse, moment: str):
    with subprocess.Popen(
        (sys.executable, BUILDING, own.root), stdout=subprocess.PIPE, text=True, env=AROUND
    ) as process:
        for line in process.stdout or ():
            if moment in line:
                break
        process.kill()
    images = own.house.prefix / "images"
    assert [path.name for path in images.iterdir() if not path.name.startswith(".making-")] == []
    own.build()
    assert sorted(path.suffix for path in images.iterdir()) == [".json", ".sqfs"]


def test_a_second_build_waits_and_finds_it_there(own: ImageHouse):
    words = (sys.executable, BUILDING, own.root)
    streams = {"stdout": subprocess.PIPE, "text": True, "env": AROUND}
    with subprocess.Popen(words, **streams) as first:
        for line in first.stdout:
            if "mksquashfs -version" in line:
                break
        first.send_signal(signal.SIGSTOP)
        with subprocess.Popen(words, **streams) as second:
            waiting = second.stdout.readline()
            first.send_signal(signal.SIGCONT)
            last = first.stdout.read().splitlines()[-1]
            lines = second.stdout.read().splitlines()
    assert waiting.startswith("waiting for process ")
    assert lines == [last]


def test_a_blob_that_is_altered(own: ImageHouse):
    layer = own.base.layers[0].file
    place = own.house.mirror.path(layer)
    content = bytearray(place.read_bytes())
    content[-1] ^= 1
    place.write_bytes(content)
    with pytest.raises(WorkError) as caught:
        own.build()
    found = f"has SHA-256 {sha256(place)}"
    assert str(caught.value).startswith(
        f"the mirror {own.house.mirror.root} does not hold what the lock names: {layer.name} ("
    ), found
    assert list((own.house.prefix / "images").iterdir()) == []


def test_a_program_that_fails_leaves_nothing(own: ImageHouse):
    """The runner is real but for one program, which finds the disk full."""
    real = LoggedRunner(Recorder())

    def run(command: Command) -> Outcome:
        if "-noappend" in command.argv:
            return Outcome(status=1, stdout="", stderr="Write failed because No space left on device")
        return real(command)

    with pytest.raises(WorkError) as caught:
        own.build(run=run)
    assert "No space left on device" in str(caught.value)
    assert str(caught.value).endswith("free some space and run the same command again; what is done is kept")
    assert list((own.house.prefix / "images").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_full_disk(own: ImageHouse):
    images = own.house.prefix / "images"
    images.mkdir(parents=True)
    script = f'mount -t tmpfs -o size=2m none {images} && "$@"; status=$?; ls -A {images}; exit $status'
    words = ("unshare", "--mount", "sh", "-c", script, "sh", sys.executable, BUILDING, own.root)
    done = subprocess.run(words, capture_output=True, text=True, env=AROUND, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("refused: cannot write ")
    assert "No space left on device" in line
    assert [line for line in done.stdout.splitlines() if line.startswith(".making")] == []
    own.build()


def test_a_prefix_that_links_lead_to(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    house = ImageHouse(tmp_path / "link")
    house.build()
    assert inside(house, tmp_path / "m", house.describe().commands["greet"]) == "hello from True\n"


def test_a_mirror_that_lacks_a_blob_is_told_before_anything_is_built(own: ImageHouse):
    layer = own.base.layers[0].file
    _, lock = own.locked()
    own.house.mirror.path(layer).unlink()

    def refuses(command: Command) -> Outcome:
        raise AssertionError(command)

    with pytest.raises(WorkError) as caught:
        build(own.plan(lock.images.images[0]), lock, own.house.mirror, refuses, Silent(), None)
    assert str(caught.value).startswith(
        f"the mirror {own.house.mirror.root} lacks layer 1 of 1 of base registry.example/base"
        f" (sha256 {layer.sha256}); "
    )
    assert not own.house.prefix.exists()


def test_a_library_that_this_machine_has_not_is_noted(tmp_path: Path):
    told = Recorder()
    shown = {"mpi": "image", "libraries": ["/usr/lib64/libnowhere.so.*"]}
    ImageHouse(tmp_path, shown).build(progress=told)
    note = (
        "note: this machine has no /usr/lib64/libnowhere.so.*, so the image of greeter-container 1.0 does not"
    )
    assert f"{note} show it either" in told.lines
