import io
import tarfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from root_parts import archive, packed, tar

from stackgen.errors import WorkError
from stackgen.rootfs import Layer, Layers, RootFs, root_file_system

NOISE = bytes(zlib.crc32(bytes([at % 251, at // 251])) % 256 for at in range(20_000))
SOUND = archive(tar("first", NOISE), tar("d/second", b"2" * 700), tar("l", target="first"))


def image(content: bytes) -> RootFs:
    layer = Layer(name="layer 3", open=lambda: io.BytesIO(content))
    return root_file_system([Layers(image="vendor/tf@sha256:1", layers=(layer,))])


def refused(content: bytes) -> str:
    try:
        image(content).write(io.BytesIO())
    except WorkError as error:
        return str(error)
    return ""


def refusal(content: bytes) -> str:
    with pytest.raises(WorkError) as caught:
        image(content)
    return str(caught.value).removeprefix("vendor/tf@sha256:1: layer 3 is not a whole archive: ")


@pytest.mark.parametrize(
    ("packing", "reason"),
    [
        ("", "it ends too soon; get it anew"),
        ("gz", "Compressed file ended before the end-of-stream marker was reached; get it anew"),
        ("zst", "Compressed file ended before the end-of-stream marker was reached; get it anew"),
        ("xz", "Compressed file ended before the end-of-stream marker was reached; get it anew"),
        ("bz2", "Compressed file ended before the end-of-stream marker was reached; get it anew"),
    ],
)
def test_layers_that_end_too_soon(packing: str, reason: str):
    content = packed(SOUND, packing)
    assert refusal(content[: len(content) // 2]) == reason


def test_the_end_of_the_packing_is_looked_at_too():
    content = packed(SOUND, "gz")
    end = "Compressed file ended before the end-of-stream marker was reached; get it anew"
    assert refusal(content[:-1]) == end
    wrong = content[:-8] + bytes(4) + content[-4:]
    assert refusal(wrong).startswith("CRC check failed ")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file; get it anew"),
        (b"<html>" * 200, "a header in it is broken; get it anew"),
        (b"x" * 100, "it ends too soon; get it anew"),
        # A reader that takes this for the archive's end would leave files out.
        (SOUND[:20_992] + b"\1" * 512 + SOUND[21_504:], "a header in it is broken; get it anew"),
    ],
)
def test_what_is_no_archive(content: bytes, reason: str):
    assert refusal(content) == reason


def test_a_layer_that_another_one_takes_the_place_of():
    """Between the two passes: nobody writes there, but a disk may fail."""
    contents = [packed(SOUND, "gz"), packed(SOUND, "gz")[:900]]
    layer = Layer(name="layer 3", open=lambda: io.BytesIO(contents.pop(0)))
    root = root_file_system([Layers(image="i", layers=(layer,))])
    with pytest.raises(WorkError, match=r"^i: layer 3 is not a whole archive: Compressed file ended before"):
        root.write(io.BytesIO())


def test_a_bomb():
    """A gigabyte and a bit, of zeros, in a megabyte."""
    big = tarfile.TarInfo("zeros")
    big.size = 2**31
    content = packed(big.tobuf(), "zst") + packed(bytes(2**24), "zst") * 70
    assert refusal(content) == "it unpacks to more than 200 times its size; get it anew"


def test_files_with_holes_beyond_all_bounds():
    header = tarfile.TarInfo("holes")
    header.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.size": str(2**50),
        "GNU.sparse.map": "0,0",
    }
    assert refusal(archive((header, b""))) == (
        "vendor/tf@sha256:1: layer 3: holes is one more than 256 GiB hold; do not trust it"
    )


def test_headers_that_would_fill_the_memory():
    long = tarfile.TarInfo("long")
    long.type, long.size = tarfile.GNUTYPE_LONGNAME, 2**30
    assert refusal(long.tobuf() + bytes(2**24)) == "a header in it is too large; get it anew"
    chain = tarfile.TarInfo("x")
    chain.type, chain.size = tarfile.XHDTYPE, 0
    assert refusal(chain.tobuf() * 3000).endswith("; get it anew")


def test_a_size_far_beyond_the_end():
    header = tarfile.TarInfo("large")
    header.size = 2**60
    assert refusal(header.tobuf() + bytes(2**14)) == "it ends too soon; get it anew"


def test_negative_sizes():
    header = tarfile.TarInfo("negative")
    header.pax_headers = {"size": "-1024"}
    assert refusal(archive((header, b""))).endswith("; get it anew")


@given(
    packing=st.sampled_from(["", "gz", "zst", "xz"]),
    changes=st.lists(st.tuples(st.integers(0, 2**20), st.binary(max_size=12)), min_size=1, max_size=4),
    where=st.sampled_from(["inside", "outside"]),
)
def test_any_damage_is_refused_or_harmless(packing: str, changes: list[tuple[int, bytes]], where: str):
    """Whatever a damaged layer holds, it ends in a root file system or in one message."""
    damaged = bytearray(SOUND if where == "inside" else packed(SOUND, packing))
    for at, change in changes:
        start = (at * 512 if where == "inside" else at) % len(damaged)
        damaged[start : start + len(change)] = change
    told = refused(packed(bytes(damaged), packing) if where == "inside" else bytes(damaged))
    assert "\n" not in told
    assert told == "" or told.startswith("vendor/tf@sha256:1: layer 3")
