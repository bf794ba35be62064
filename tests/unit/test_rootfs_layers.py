import hashlib
import io
import tarfile

import pytest
from root_parts import archive, described, layer, packed, tar

from stackgen.errors import WorkError
from stackgen.rootfs import Debs, Layer, Layers, RootFs, Texts, root_file_system
from stackgen.tree import File, Tree


def image(*layers: Layer) -> RootFs:
    return root_file_system([Layers(image="i", layers=layers)])


BELOW = (tar("a/"), tar("a/b", b"old"), tar("a/c/"), tar("a/c/d", b"old"), tar("l", target="a"))
REST = ("0755 /a/c", "0644 /a/c/d 3", "/l -> a")


@pytest.mark.parametrize("packing", ["", "gz", "zst", "xz", "bz2"])
def test_layers_packed_in_every_way(packing: str):
    assert described(image(layer(tar("a", b"abc"), packing=packing))) == ["0644 /a 3"]


def test_layers_of_several_gzip_members_and_zstd_frames():
    """As lazy pullers want them, who look for one file in the middle."""
    content = archive(tar("a", b"a" * 2000), tar("b", b"b"))
    for packing in ("gz", "zst"):
        joined = packed(content[:700], packing) + packed(content[700:], packing)
        if packing == "zst":
            joined = b"\x50\x2a\x4d\x18\x04\0\0\0skip" + joined + b"\x5e\x2a\x4d\x18\x01\0\0\0x"
        opened = Layer(name="layer 1", open=lambda joined=joined: io.BytesIO(joined))
        assert described(image(opened)) == ["0644 /a 2000", "0644 /b 1"]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ([tar("a/.wh.b")], ["0755 /a", "0755 /a/c", "0644 /a/c/d 3", "/l -> a"]),
        ([tar("a/.wh.c"), tar("l", b"file")], ["0755 /a", "0644 /a/b 3", "0644 /l 4"]),
        ([tar("l/.wh.b")], ["0755 /a", "0755 /a/c", "0644 /a/c/d 3", "/l -> a"]),
        ([tar(".wh.a")], ["/l -> a"]),
        ([tar(".wh..wh..opq"), tar("new", b"n")], ["0644 /new 1"]),
        # An opaque directory hides what is below its layer, wherever in the layer that is said.
        ([tar("a/x", b"x"), tar("a/.wh..wh..opq")], ["0755 /a", "0644 /a/x 1", "/l -> a"]),
        ([tar("a/b", b"new"), tar("a/.wh.b"), tar("a/.wh.c")], ["0755 /a", "0644 /a/b 3", "/l -> a"]),
        ([tar("gone/.wh.b"), tar("a/b/.wh.x"), tar("a/.wh..wh.aufs")], ["0755 /a", "0644 /a/b 3", *REST]),
        # Directories that replace a file or a link come with such a mark, too.
        ([tar("a/b/"), tar("a/b/.wh..wh..opq")], ["0755 /a", "0755 /a/b", *REST]),
        ([tar("l/"), tar("l/.wh..wh..opq")], ["0755 /a", "0644 /a/b 3", *REST[:2], "0755 /l"]),
    ],
)
def test_whiteouts(members: list[tuple[tarfile.TarInfo, bytes]], expected: list[str]):
    assert described(image(layer(*BELOW), layer(*members))) == expected


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (tar("a", b"file"), ["0644 /a 4", "/l -> a"]),
        (tar("a", target="elsewhere"), ["/a -> elsewhere", "/l -> a"]),
        (tar("a/c/", mode=0o700), ["0755 /a", "0644 /a/b 3", "0700 /a/c", "0644 /a/c/d 3", "/l -> a"]),
        (tar("a/b/"), ["0755 /a", "0755 /a/b", "0755 /a/c", "0644 /a/c/d 3", "/l -> a"]),
        (tar("l/"), ["0755 /a", "0644 /a/b 3", "0755 /a/c", "0644 /a/c/d 3", "0755 /l"]),
        (tar("l/b", b"by a link"), ["0755 /a", "0644 /a/b 9", "0755 /a/c", "0644 /a/c/d 3", "/l -> a"]),
    ],
)
def test_what_a_later_layer_replaces(member: tuple[tarfile.TarInfo, bytes], expected: list[str]):
    assert described(image(layer(*BELOW), layer(member))) == expected


def test_other_sources_keep_links_to_directories():
    """As dpkg does, or a package for /bin would make two of it."""
    texts = Texts(tree=Tree({"l/x": File("x")}), directories=("l",), links={"a": "elsewhere"})
    root = root_file_system([Layers(image="i", layers=(layer(*BELOW),)), texts])
    assert "0644 /a/x 1" in described(root)
    assert "/l -> a" in described(root)


def test_hard_links_within_and_across_layers():
    first = layer(tar("a", b"abc"), tar("s", target="a"))
    second = layer(tar("d/b", hard="./a"), tar("d/s", hard="s"), tar("a", b"replaced"))
    root = image(first, second)
    assert described(root) == ["0644 /a 8", "0755 /d", "0644 /d/b 3", "/d/s -> a", "/s -> a"]
    assert root.read(["/a", "/d/b", "/d/s"]) == {"/a": b"replaced", "/d/b": b"abc"}


def test_parents_are_resolved_as_inside():
    """Links that are absolute, or climb above the root, stay inside; what they point to is made."""
    links = tar("abs", target="/data/x"), tar("up", target="../../../etc"), tar("deep/l", target="../abs/y")
    files = tar("abs/f", b"1"), tar("up/passwd", b"2"), tar("deep/l/g", b"3"), tar("/lead/./ing", b"4")
    assert described(image(layer(*links, *files))) == [
        "/abs -> /data/x",
        "0755 /data",
        "0755 /data/x",
        "0644 /data/x/f 1",
        "0755 /data/x/y",
        "0644 /data/x/y/g 1",
        "0755 /deep",
        "/deep/l -> ../abs/y",
        "0755 /etc",
        "0644 /etc/passwd 1",
        "0755 /lead",
        "0644 /lead/ing 1",
        "/up -> ../../../etc",
    ]


@pytest.mark.parametrize(
    ("members", "what"),
    [
        ([tar("../etc/passwd", b"x")], "../etc/passwd leads out of the root"),
        ([tar("a/../../b", b"x")], "a/../../b leads out of the root"),
        ([tar("../.wh.x")], "../.wh.x leads out of the root"),
        ([tar("a", hard="../../etc/shadow")], "a leads out of the root"),
        ([tar("a", hard="b")], "a is a hard link to b, which is no file"),
        ([tar("b/"), tar("a", hard="b")], "a is a hard link to b, which is no file"),
        ([tar("a", b"x"), tar("a/b", b"x")], "a/b leads through a, which is a file"),
        ([tar("r", target="r"), tar("r/x", b"x")], "r/x leads through symbolic links in a circle"),
        (
            [tar("p", target="q"), tar("q", target="./p/"), tar("p/new\nline", b"x")],
            r"'p/new\nline' leads through symbolic links in a circle",
        ),
        ([tar("./", b"", kind=tarfile.SYMTYPE, target="x")], "./ would replace the root"),
        ([tar("y" * 256, b"x")], "y" * 60 + "... has a name of more than 255 bytes"),
        ([tar("d/" * 3000 + "f", b"x")], "d/" * 30 + "... is longer than 4095 bytes"),
        ([tar("a", target="t" * 4096)], "a is a symbolic link to nothing that can be named"),
    ],
)
def test_what_is_refused(members: list[tuple[tarfile.TarInfo, bytes]], what: str):
    with pytest.raises(WorkError) as caught:
        root_file_system([Layers(image="registry/x@sha256:1", layers=(layer(*members, name="layer 7"),))])
    assert str(caught.value) == f"registry/x@sha256:1: layer 7: {what}; do not trust it"


def test_what_is_left_out_and_taken_away():
    capable = tar("ping", b"x", mode=0o755)
    capable[0].pax_headers = {"SCHILY.xattr.security.capability": "x"}
    owned = tar("su", b"x", mode=0o6755)
    owned[0].uid, owned[0].gid, owned[0].uname = 1000, 1000, "me"
    members = [
        capable,
        owned,
        tar("dev/null", kind=tarfile.CHRTYPE),
        tar("dev/sda", kind=tarfile.BLKTYPE),
        tar("old", kind=tarfile.FIFOTYPE),
        tar("tmp/", mode=0o7777),
    ]
    root = image(layer(tar("old", b"file")), layer(*members, name="layer 2"))
    assert described(root) == ["0755 /dev", "0755 /ping 1", "0755 /su 1", "1777 /tmp"]
    assert root.told == (
        "i: layer 2: su has lost its setuid and setgid bits",
        "i: layer 2: dev/null is left out: a device, a pipe or a socket",
        "i: layer 2: dev/sda is left out: a device, a pipe or a socket",
        "i: layer 2: old is left out: a device, a pipe or a socket",
    )
    stream = io.BytesIO()
    root.write(stream)
    stream.seek(0)
    with tarfile.open(fileobj=stream) as written:
        assert {(member.uid, member.uname, str(member.pax_headers)) for member in written} == {(0, "", "{}")}


def test_long_names_and_large_files_in_both_formats():
    long = "/".join(["d" * 100] * 20)
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        content = archive(tar(f"{long}/f", b"f"), tar("l", target=long), form=form)
        root = image(Layer(name="layer 1", open=lambda content=content: io.BytesIO(content)))
        assert described(root)[-2:] == [f"0644 /{long}/f 1", f"/l -> {long}"]
        assert root.read(["/l/f"]) == {"/l/f": b"f"}


def test_files_with_holes():
    """Written by hand, since Python reads such archives but writes none."""
    header = tarfile.TarInfo("GNUSparseFile.0/holes")
    header.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.name": "holes",
        "GNU.sparse.size": "1000",
        "GNU.sparse.map": "10,3,997,3",
    }
    header.size = 6
    root = image(layer((header, b"abcxyz"), tar("next", b"n")))
    assert root.read(["/holes", "/next"]) == {
        "/holes": bytes(10) + b"abc" + bytes(984) + b"xyz",
        "/next": b"n",
    }


def test_the_digest_of_an_unpacked_layer():
    content = archive(tar("a", b"a"))
    right = f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert described(image(layer(tar("a", b"a"), packing="gz", diff_id=right))) == ["0644 /a 1"]
    wrong = f"sha256:{'0' * 64}"
    with pytest.raises(WorkError) as caught:
        image(layer(tar("a", b"a"), packing="gz", diff_id=wrong))
    assert str(caught.value) == f"i: layer 1 is {right}, where the image says {wrong}; get it anew"


def test_the_directories_that_links_stand_for_are_not_replaced_by_packages():
    root = root_file_system(
        [
            Texts(directories=("bin",), tree=Tree({"bin/own": File("x")})),
            Debs(packages=(), merged=("bin",)),
        ]
    )
    assert described(root) == ["0755 /bin", "0644 /bin/own 1", "0755 /usr", "0755 /usr/bin"]
