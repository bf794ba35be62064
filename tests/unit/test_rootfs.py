import io
import os
import socket
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from root_parts import deb, described, layer, tar

from stackgen.errors import WorkError
from stackgen.rootfs import Deb, Debs, Directory, Layers, RootFs, Texts, root_file_system
from stackgen.tree import File, Tree


def written(root: RootFs) -> bytes:
    stream = io.BytesIO()
    root.write(stream)
    return stream.getvalue()


def test_texts_directories_and_links():
    tree = Tree({"etc/motd": File("hello\n"), "bin/hi": File("#!/bin/sh\n", 0o755)})
    root = root_file_system([Texts(tree=tree, directories=("/proc", "dev/shm"), links={"lib": "usr/lib"})])
    assert described(root) == [
        "0755 /bin",
        "0755 /bin/hi 10",
        "0755 /dev",
        "0755 /dev/shm",
        "0755 /etc",
        "0644 /etc/motd 6",
        "/lib -> usr/lib",
        "0755 /proc",
    ]
    assert root.read(["/etc/motd", "/etc/nothing", "/proc"]) == {"/etc/motd": b"hello\n"}


def test_a_directory_of_this_machine_at_two_places(tmp_path: Path):
    (tmp_path / "x" / "bin").mkdir(parents=True)
    (tmp_path / "x" / "bin" / "python").symlink_to("/nowhere/../../python3")
    (tmp_path / "x" / "bin" / "tool").write_text("tool")
    (tmp_path / "x" / "bin" / "tool").chmod(0o4755)
    os.mkfifo(tmp_path / "x" / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "x" / "socket"))
    for directory in (tmp_path / "x", tmp_path / "x" / "bin"):
        directory.chmod(0o2555)
    root = root_file_system([Directory(path=tmp_path / "x", at="/opt/x", also_at="/.stackgen/prefix")])
    assert described(root) == [
        "0755 /.stackgen",
        "0555 /.stackgen/prefix",
        "0555 /.stackgen/prefix/bin",
        "/.stackgen/prefix/bin/python -> /nowhere/../../python3",
        "0755 /.stackgen/prefix/bin/tool 4",
        "0755 /opt",
        "0555 /opt/x",
        "0555 /opt/x/bin",
        "/opt/x/bin/python -> /nowhere/../../python3",
        "0755 /opt/x/bin/tool 4",
    ]
    assert root.told == (
        f"{tmp_path}/x: /opt/x/bin/tool has lost its setuid and setgid bits",
        f"{tmp_path}/x: /opt/x/pipe is left out: a device, a pipe or a socket",
        f"{tmp_path}/x: /opt/x/socket is left out: a device, a pipe or a socket",
    )
    with tarfile.open(fileobj=io.BytesIO(written(root))) as archive:
        last = archive.getmembers()[-1]
    assert (last.name, last.islnk(), last.linkname) == (
        "opt/x/bin/tool",
        True,
        ".stackgen/prefix/bin/tool",
    )


def test_one_file_of_this_machine(tmp_path: Path):
    (tmp_path / "site.conf").write_bytes(b"\xff\0")
    root = root_file_system([Directory(path=tmp_path / "site.conf", at="/etc/site.conf")])
    assert root.read(["/etc/site.conf"]) == {"/etc/site.conf": b"\xff\0"}


def test_a_file_that_grows_while_it_is_read(tmp_path: Path):
    (tmp_path / "a").write_text("short")
    root = root_file_system([Directory(path=tmp_path, at="/a")])
    (tmp_path / "a").write_text("longer by now")
    with pytest.raises(WorkError) as caught:
        written(root)
    assert str(caught.value) == f"{tmp_path}/a was changed while it was read; run the same command again"


@contextmanager
def nobody() -> Iterator[None]:
    """Root may read everything; others are who they are."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("name", ["file", "directory"])
def test_what_may_not_be_read(name: str):
    with tempfile.TemporaryDirectory() as place:  # that of pytest is root's alone
        top = Path(place)
        (top / "directory").mkdir()
        (top / "file").write_text("secret")
        top.chmod(0o755)
        (top / name).chmod(0)
        with nobody(), pytest.raises(WorkError) as caught:
            written(root_file_system([Directory(path=top, at="/x")]))
        (top / name).chmod(0o700)
    where = top if name == "directory" else top / "file"
    remedy = "run it as the owner of that directory, or choose another by --prefix, -d or -o"
    assert str(caught.value) == f"cannot read {where}: Permission denied ({top / name}); {remedy}"


def test_a_directory_that_is_not_there(tmp_path: Path):
    with pytest.raises(WorkError) as caught:
        root_file_system([Directory(path=tmp_path / "gone", at="/a")])
    assert str(caught.value) == (f"cannot read {tmp_path}/gone: No such file or directory ({tmp_path}/gone)")


def test_the_headers_say_nothing_of_this_machine(tmp_path: Path):
    (tmp_path / "a").write_text("a")
    with tarfile.open(
        fileobj=io.BytesIO(written(root_file_system([Directory(path=tmp_path, at="/x")])))
    ) as archive:
        for member in archive:
            assert (member.uid, member.gid, member.uname, member.gname, member.mtime) == (0, 0, "", "", 0)


def test_names_of_any_bytes(tmp_path: Path):
    names = [b"new\nline", b"\xff\xfe", "gr\u00fc\u00dfe".encode(), b"y" * 255]
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(name)
    root = root_file_system([Directory(path=tmp_path, at="/x")])
    with tarfile.open(fileobj=io.BytesIO(written(root))) as archive:
        found = {member.name.encode(errors="surrogateescape") for member in archive if member.isreg()}
    assert found == {b"x/" + name for name in names}


def pyc(seconds: int, size: int, flags: int = 0) -> bytes:
    words = (flags, seconds % 2**32, size)
    return b"\xa7\x0d\r\n" + b"".join(word.to_bytes(4, "little") for word in words)


@pytest.mark.parametrize(
    ("bytecode", "kept"),
    [
        ({"__pycache__/m.cpython-311.pyc": pyc(1_700_000_000, 5)}, 1_700_000_000),
        ({"__pycache__/m.cpython-311.opt-1.pyc": pyc(1_700_000_000, 5)}, 1_700_000_000),
        ({"m.pyc": pyc(1_700_000_000, 5)}, 1_700_000_000),
        # Another Python's is out of date: that stays so, and this one's does not.
        (
            {
                "__pycache__/m.cpython-310.pyc": pyc(0, 5),
                "__pycache__/m.cpython-311.pyc": pyc(1_700_000_000, 5),
            },
            1_700_000_000,
        ),
        ({"__pycache__/m.cpython-311.pyc": pyc(1_700_000_000, 6)}, 0),
        ({"__pycache__/m.cpython-311.pyc": pyc(1_700_000_001, 5)}, 0),
        ({"__pycache__/m.cpython-311.pyc": pyc(0, 5)}, 1),
        ({"__pycache__/m.cpython-311.pyc": pyc(1_700_000_000, 5, flags=1)}, 0),
        ({"__pycache__/other.cpython-311.pyc": pyc(1_700_000_000, 5)}, 0),
        ({"__pycache__/m.cpython-311.pyc": b"short"}, 0),
        ({}, 0),
    ],
)
def test_sources_keep_the_time_that_their_bytecode_names(bytecode: dict[str, bytes], kept: int):
    members = [tar("p/m.py", b"a = 1", seconds=1_700_000_000)]
    members += [tar(f"p/{name}", content) for name, content in bytecode.items()]
    root = root_file_system([Layers(image="i", layers=(layer(*members),))])
    with tarfile.open(fileobj=io.BytesIO(written(root))) as archive:
        assert {member.name: member.mtime for member in archive if member.mtime} == (
            {"p/m.py": kept} if kept else {}
        )
    assert root.newest == kept


@pytest.mark.parametrize("packing", ["", "gz", "xz", "zst"])
def test_debian_packages(packing: str):
    shell = deb(
        packing, tar("./"), tar("./bin/"), tar("./bin/sh", b"sh", mode=0o755), tar("./lib/l", target="m")
    )
    later = deb(packing, tar("./usr/bin/"), tar("./usr/bin/sh", b"new", mode=0o755))
    packages = (Deb(name="dash 1", open=shell), Deb(name="dash 2", open=later))
    root = root_file_system([Debs(packages=packages, merged=("bin", "lib", "lib64"))])
    assert described(root) == [
        "/bin -> usr/bin",
        "/lib -> usr/lib",
        "/lib64 -> usr/lib64",
        "0755 /usr",
        "0755 /usr/bin",
        "0755 /usr/bin/sh 3",
        "0755 /usr/lib",
        "/usr/lib/l -> m",
        "0755 /usr/lib64",
    ]
    assert root.read(["/bin/sh"]) == {"/bin/sh": b"new"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is no Debian package"),
        (b"!<arch>\n", "it has no files"),
        (b"!<arch>\n" + b"x" * 60, "a header in it is broken"),
        (deb("gz", tar("a", b"a" * 4000))().read()[:250], "it ends too soon"),
    ],
)
def test_broken_packages(content: bytes, reason: str):
    with pytest.raises(WorkError) as caught:
        root_file_system([Debs(packages=(Deb(name="bash 5.2", open=lambda: io.BytesIO(content)),))])
    assert str(caught.value) == f"package bash 5.2 is not a whole archive: {reason}; get it anew"


def test_looking_follows_links_as_inside():
    links = {
        "a/up": "../../../b",
        "a/absolute": "/b/c",
        "a/chain": "up/c",
        "round": "round",
        "b/x": "../a/./up",
    }
    root = root_file_system([Texts(tree=Tree({"b/c": File("c")}), links=links)])
    paths = ("/a/up", "/a/absolute", "/a/chain", "/round", "/b/x/c", "/gone/x", "/b/c/d", "/", "/a/up/../b/c")
    found = {path: entry.kind for path in paths if (entry := root.look(path))}
    assert found == {
        "/a/up": "directory",
        "/a/absolute": "file",
        "/a/chain": "file",
        "/b/x/c": "file",
        "/": "directory",
    }
    assert root.names("/a/up") == ("c", "x")
    assert root.names("/round") == ()
