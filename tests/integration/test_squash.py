import os
import py_compile
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from root_parts import archive, layer, tar

from stackgen.errors import WorkError
from stackgen.files import MORE_SPACE
from stackgen.programs import mksquashfs_program
from stackgen.rootfs import (
    Directory,
    Layers,
    RootFs,
    Source,
    Squasher,
    Texts,
    root_file_system,
    squash,
    squasher,
)
from stackgen.run import LoggedRunner
from stackgen.tree import File, Tree

if not shutil.which("mksquashfs", path="/usr/bin:/usr/sbin"):
    pytest.skip("no squashfs-tools: apt-get install squashfs-tools", allow_module_level=True)

NOISE = random.Random(1).randbytes(3_000_000)


@pytest.fixture
def by(run: LoggedRunner) -> Squasher:
    return squasher(run)


def listed(image: Path) -> list[str]:
    """As `ls -l` would, without the sizes of directories: mode, owner, size, time, path."""
    told = subprocess.run(("unsquashfs", "-lls", image), capture_output=True, text=True, check=True)
    lines = [
        line.replace("1970-01-01 00:00 squashfs-root", "1970 ").split() for line in told.stdout.splitlines()
    ]
    return [" ".join(words[:2] + words[3:] if words[0][0] == "d" else words) for words in lines]


def prefix(directory: Path, *, names: list[str]) -> Path:
    """A small prefix; its files are made in this order."""
    for name in names:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 3000 + NOISE[: len(name) * 20_000])
        path.chmod(0o555 if "bin" in name else 0o444)
    return directory


def sources(directory: Path) -> list[Source]:
    lower = layer(tar("bin/sh", b"sh", mode=0o4755), tar("etc/name", b"x"), tar("lib", target="usr/lib"))
    upper = layer(tar("etc/.wh.name"), tar("lib/libm.so", NOISE), packing="zst")
    mounts = Texts(tree=Tree({"etc/motd": File("hello\n")}), directories=("/proc", "/.stackgen/host"))
    made = Directory(path=directory, at="/opt/x", also_at="/.stackgen/prefix")
    return [Layers(image="i", layers=(lower, upper)), made, mounts]


EXPECTED = [
    "drwxr-xr-x root/root 1970",
    "drwxr-xr-x root/root 1970 /.stackgen",
    "drwxr-xr-x root/root 1970 /.stackgen/host",
    "drwxr-xr-x root/root 1970 /.stackgen/prefix",
    "drwxr-xr-x root/root 1970 /.stackgen/prefix/bin",
    "-r-xr-xr-x root/root 230000 1970 /.stackgen/prefix/bin/python",
    "drwxr-xr-x root/root 1970 /.stackgen/prefix/lib",
    "-r--r--r-- root/root 184000 1970 /.stackgen/prefix/lib/a.py",
    "drwxr-xr-x root/root 1970 /.stackgen/prefix/lib/b",
    "-r--r--r-- root/root 230000 1970 /.stackgen/prefix/lib/b/c.py",
    "-r--r--r-- root/root 115000 1970 /.stackgen/prefix/lib/z",
    "drwxr-xr-x root/root 1970 /bin",
    "-rwxr-xr-x root/root 2 1970 /bin/sh",
    "drwxr-xr-x root/root 1970 /etc",
    "-rw-r--r-- root/root 6 1970 /etc/motd",
    "lrwxrwxrwx root/root 7 1970 /lib -> usr/lib",
    "drwxr-xr-x root/root 1970 /opt",
    "drwxr-xr-x root/root 1970 /opt/x",
    "drwxr-xr-x root/root 1970 /opt/x/bin",
    "-r-xr-xr-x root/root 230000 1970 /opt/x/bin/python",
    "drwxr-xr-x root/root 1970 /opt/x/lib",
    "-r--r--r-- root/root 184000 1970 /opt/x/lib/a.py",
    "drwxr-xr-x root/root 1970 /opt/x/lib/b",
    "-r--r--r-- root/root 230000 1970 /opt/x/lib/b/c.py",
    "-r--r--r-- root/root 115000 1970 /opt/x/lib/z",
    "drwxr-xr-x root/root 1970 /proc",
    "drwxr-xr-x root/root 1970 /usr",
    "drwxr-xr-x root/root 1970 /usr/lib",
    "-rw-r--r-- root/root 3000000 1970 /usr/lib/libm.so",
]
NAMES = ["bin/python", "lib/a.py", "lib/b/c.py", "lib/z"]


def test_an_image_has_what_was_merged(tmp_path: Path, by: Squasher):
    made = root_file_system(sources(prefix(tmp_path / "x", names=NAMES)))
    squash(made, tmp_path / "x.sqfs", by)
    assert listed(tmp_path / "x.sqfs") == EXPECTED
    told = subprocess.run(
        ("unsquashfs", "-stat", tmp_path / "x.sqfs"), capture_output=True, text=True, check=True
    )
    assert "Creation or last append time Thu Jan  1 00:00:00 1970" in told.stdout
    assert "Compression zstd" in told.stdout
    assert "Number of inodes 25\n" in told.stdout  # of 29: four files have two names
    assert "Xattrs are not stored" in told.stdout
    assert "Number of ids 1\n" in told.stdout


def test_the_same_bytes_whoever_makes_it_and_when(tmp_path: Path, by: Squasher):
    """Another directory, order of files, umask, number of processors, time."""
    squash(root_file_system(sources(prefix(tmp_path / "a", names=NAMES))), tmp_path / "a.sqfs", by)
    time.sleep(1.1)
    old = os.umask(0o077)
    try:
        (tmp_path / "b").mkdir()
        made = prefix(tmp_path / "b", names=NAMES[::-1])
        for directory in (made, made / "bin", made / "lib", made / "lib" / "b"):
            directory.chmod(0o755)
        squash(root_file_system(sources(made)), tmp_path / "b.sqfs", replace(by, processors=1))
    finally:
        os.umask(old)
    a, b = ((tmp_path / name).read_bytes() for name in ("a.sqfs", "b.sqfs"))
    assert sha256(a).digest() == sha256(b).digest()
    assert (tmp_path / "b.sqfs").stat().st_mode & 0o777 == 0o444


def test_what_is_there_already_is_replaced(tmp_path: Path, by: Squasher):
    for text in ("old", "new"):
        root = root_file_system([Texts(tree=Tree({"f": File(text)}))])
        squash(root, tmp_path / "x.sqfs", by)
    told = subprocess.run(("unsquashfs", "-cat", tmp_path / "x.sqfs", "f"), capture_output=True, check=True)
    assert told.stdout == b"new"
    assert os.listdir(tmp_path) == ["x.sqfs"]


def test_python_compiles_nothing_anew(tmp_path: Path, by: Squasher):
    """What it finds in the image still has the time that its bytecode names."""
    made = tmp_path / "lib"
    made.mkdir()
    (made / "m.py").write_text("answer = 42\n")
    os.utime(made / "m.py", (1_700_000_000, 1_700_000_000))
    py_compile.compile(str(made / "m.py"), invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP)
    squash(root_file_system([Directory(path=made, at="/lib")]), tmp_path / "x.sqfs", by)
    subprocess.run(("unsquashfs", "-q", "-d", tmp_path / "out", tmp_path / "x.sqfs"), check=True)
    argv = (sys.executable, "-v", "-c", "import m")
    told = subprocess.run(argv, cwd=tmp_path / "out/lib", capture_output=True, text=True, check=True)
    assert "m.cpython" in told.stderr
    assert f"matches {tmp_path}/out/lib/m.py" in told.stderr


@contextmanager
def little_space(directory: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    directory.mkdir()
    subprocess.run(("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", directory), check=True)
    try:
        yield directory
    finally:
        subprocess.run(("umount", directory), check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk(tmp_path: Path, by: Squasher):
    root = root_file_system(sources(prefix(tmp_path / "x", names=NAMES)))
    with little_space(tmp_path / "small") as small:
        with pytest.raises(WorkError) as caught:
            squash(root, small / "x.sqfs", by)
        assert os.listdir(small) == []
    what = f"cannot write {tmp_path}/small/x.sqfs: No space left on device"
    assert str(caught.value) == f"{what}; {MORE_SPACE}"


def endless(directory: Path) -> RootFs:
    """A file that mksquashfs works on for a while."""
    with (directory / "zeros").open("wb") as stream:
        stream.truncate(2**36)
    return root_file_system([Directory(path=directory / "zeros", at="/zeros")])


def children() -> list[int]:
    """Those processes of this one that are a mksquashfs."""
    told = subprocess.run(
        ("pgrep", "-P", str(os.getpid()), "-x", "mksquashfs"), capture_output=True, check=False
    )
    return list(map(int, told.stdout.split()))


def test_mksquashfs_killed(tmp_path: Path, by: Squasher):
    (tmp_path / "out").mkdir()
    root = endless(tmp_path)

    def kill() -> None:
        while not (found := children()):
            time.sleep(0.05)
        time.sleep(0.2)
        os.kill(found[0], signal.SIGKILL)

    killing = threading.Thread(target=kill)
    killing.start()
    with pytest.raises(WorkError) as caught:
        squash(root, tmp_path / "out" / "x.sqfs", by)
    killing.join()
    what = f"cannot make {tmp_path}/out/x.sqfs: mksquashfs was ended by SIGKILL"
    assert str(caught.value) == f"{what}; see whether memory ran out, and run the same command again"
    assert os.listdir(tmp_path / "out") == []


def test_mksquashfs_killed_in_a_sandbox(tmp_path: Path, by: Squasher):
    """Which tells of it by its own exit status, as shells do."""
    place = stand_in(tmp_path, 'sh -c "kill -9 \\$\\$"; exit $?')
    with pytest.raises(WorkError, match=r": mksquashfs was ended by SIGKILL; see whether memory ran out, "):
        squash(root_file_system([Texts()]), tmp_path / "x", replace(by, program=place / "bin" / "mksquashfs"))


def test_a_source_that_breaks_in_the_middle(tmp_path: Path, by: Squasher):
    """What mksquashfs has got so far would make an image, too."""
    (tmp_path / "out").mkdir()
    (tmp_path / "a").write_bytes(NOISE)
    (tmp_path / "b").write_bytes(NOISE)
    root = root_file_system([Directory(path=tmp_path, at="/x")])
    (tmp_path / "b").write_bytes(b"")
    with pytest.raises(WorkError) as caught:
        squash(root, tmp_path / "out" / "x.sqfs", by)
    assert str(caught.value) == f"{tmp_path}/b was changed while it was read; run the same command again"
    assert os.listdir(tmp_path / "out") == []


def test_a_directory_that_is_not_there(tmp_path: Path, by: Squasher):
    with pytest.raises(WorkError, match=rf"^cannot write {tmp_path}/gone/x.sqfs: No such file or directory "):
        squash(root_file_system([Texts()]), tmp_path / "gone" / "x.sqfs", by)


def stand_in(directory: Path, told: str) -> Path:
    """A mksquashfs that says this of itself and does nothing."""
    program = directory / "bin" / "mksquashfs"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\ncat >/dev/null\n{told}\n")
    program.chmod(0o755)
    return directory


REMEDY = "install squashfs-tools 4.5 or newer, or name `squashfs +zstd` among the packages"


@pytest.mark.parametrize(
    ("told", "what"),
    [
        ("echo mksquashfs version 4.3-git.1 '(2014/09/12)'", "is 4.3, too old"),
        ("exit 1", "does not say its version"),
    ],
)
def test_a_stand_in_for_an_old_mksquashfs(tmp_path: Path, run: LoggedRunner, told: str, what: str):
    place = stand_in(tmp_path, told)
    with pytest.raises(WorkError) as caught:
        squasher(run, place)
    assert str(caught.value) == f"{place}/bin/mksquashfs {what}; {REMEDY}"


def test_a_stand_in_for_a_mksquashfs_without_zstd(tmp_path: Path, run: LoggedRunner):
    told = """[ "$1" = -version ] && echo mksquashfs version 4.6.1 && exit
    echo 'FATAL ERROR: Compressor "zstd" is not supported!' >&2; exit 1"""
    with pytest.raises(WorkError) as caught:
        squash(root_file_system([Texts()]), tmp_path / "x", squasher(run, stand_in(tmp_path, told)))
    assert str(caught.value) == f"cannot make {tmp_path}/x: this mksquashfs has no zstd; {REMEDY}"


def test_no_mksquashfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    if shutil.which("mksquashfs", path="/usr/sbin:/sbin"):
        pytest.skip("it is where root looks")
    with pytest.raises(WorkError) as caught:
        mksquashfs_program()
    assert str(caught.value) == f"there is no mksquashfs on this machine; {REMEDY}"


def test_names_of_any_bytes_come_through(tmp_path: Path, by: Squasher):
    names = [b"new\nline", b"\xff\xfe", "gr\u00fc\u00dfe".encode(), b"y" * 255, b" ", b"-x", b"*"]
    made = [tar(name.decode(errors="surrogateescape"), b"x") for name in names]
    long = tar("/".join(["d" * 200] * 19), b"deep")
    squash(root_file_system([Layers(image="i", layers=(layer(*made, long),))]), tmp_path / "x.sqfs", by)
    subprocess.run(
        ("unsquashfs", "-d", tmp_path / "out", tmp_path / "x.sqfs"), check=True, stdout=subprocess.DEVNULL
    )
    assert set(os.listdir(os.fsencode(tmp_path / "out"))) == {*names, b"d" * 200}
    assert len(list((tmp_path / "out").rglob("*"))) == len(names) + 19


LARGE = """
import resource, sys
from pathlib import Path
from stackgen.rootfs import Layer, Layers, root_file_system
layer = Layer(name="layer 1", open=lambda: open(sys.argv[1], "rb"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open("/dev/null", "wb") as out:
    root_file_system([Layers(image="i", layers=(layer,))]).write(out)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_large_layer_is_never_in_memory(tmp_path: Path):
    header, _ = tar("large")
    header.size = 2**30
    with (tmp_path / "layer").open("wb") as stream:
        stream.write(header.tobuf())
        stream.seek(2**30, os.SEEK_CUR)
        stream.write(archive())
    told = subprocess.run(
        (sys.executable, "-c", LARGE, tmp_path / "layer"), capture_output=True, text=True, check=True
    )
    assert int(told.stdout) < 32 * 1024  # KiB


@pytest.mark.skipif(not shutil.which("ch-run"), reason="no Charliecloud: apt-get install charliecloud")
def test_charliecloud_runs_it(tmp_path: Path, by: Squasher):
    """With this machine's own shell in it, and a directory bound over the one that is empty."""
    libraries = subprocess.run(("ldd", "/bin/sh"), capture_output=True, text=True, check=True).stdout.split()
    needed = {Path(word) for word in libraries if word.startswith("/")}
    binaries = [
        Directory(path=Path("/bin/sh"), at="/bin/sh"),
        Directory(path=Path("/bin/cat"), at="/bin/cat"),
    ]
    shared = [Directory(path=path, at=str(path)) for path in sorted(needed)]
    usual = ("/dev", "/proc", "/sys", "/tmp", "/run", "/home", "/etc", "/mnt", "/var/tmp", "/root", "/data")
    files = Tree({f"etc/{name}": File("") for name in ("passwd", "group", "hosts", "resolv.conf")})
    root = root_file_system([*binaries, *shared, Texts(tree=files, directories=usual)])
    squash(root, tmp_path / "x.sqfs", by)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "f").write_text("from outside\n")
    (tmp_path / "mnt").mkdir()
    told = subprocess.run(
        (
            *("ch-run", "-m", tmp_path / "mnt", "-b", f"{tmp_path}/data:/data", tmp_path / "x.sqfs", "--"),
            *("/bin/sh", "-c", "cat /data/f; echo $0 $((1 + 1))", "inside"),
        ),
        env={"USER": "root", "HOME": "/root", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.stdout, told.returncode) == ("from outside\ninside 2\n", 0), told.stderr
