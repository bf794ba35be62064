"""Dockerfiles as they are read before anything is built."""

from pathlib import Path

import pytest

from stackgen.errors import InputError
from stackgen.oci.dockerfiles import Instruction, instructions, read_dockerfile

DIGEST = f"sha256:{'ab' * 32}"
BASE = f"registry.example/base@{DIGEST}"


def written(directory: Path, text: str) -> Path:
    file = directory / "Dockerfile"
    file.write_text(text)
    return file


def refusal(directory: Path, text: str) -> str:
    with pytest.raises(InputError) as caught:
        read_dockerfile(written(directory, text))
    return str(caught.value).replace(f"{directory}/", "")


def test_instructions_have_their_lines_and_comments_are_none():
    text = "# a\n\nFROM x \\\n# in between\n  AS y\nrun a \\\n\n  b\nENV c=d"
    assert list(instructions(text)) == [
        Instruction(line=3, name="from", rest="x   AS y"),
        Instruction(line=6, name="run", rest="a   b"),
        Instruction(line=9, name="env", rest="c=d"),
    ]


def test_stages_are_told_from_images(tmp_path):
    file = written(tmp_path, f"ARG X\nFROM {BASE} AS Build\nRUN true\nFROM build\nCOPY --from=0 /a /a\n")
    first, second = read_dockerfile(file)
    assert (first.line, str(first.reference), first.name) == (2, BASE, "Build")
    assert (second.line, second.reference) == (4, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Dockerfile: there is no FROM in it; begin with FROM NAME@sha256:..."),
        ("RUN a\n", "Dockerfile:1:1: something stands before the first FROM; begin with FROM"),
        (
            "ARG V=1\nFROM a:$V\n",
            "Dockerfile:2:1: FROM a:$V depends on an argument; write the image itself, with its digest",
        ),
        ("FROM\n", "Dockerfile:1:1: this FROM names no image; write FROM NAME@sha256:... [AS NAME]"),
        (
            f"FROM --platform=linux/arm64 {BASE}\n",
            "Dockerfile:1:1: FROM has the option --platform=linux/arm64; take it out",
        ),
        ("\\\n", "Dockerfile:1:1: '' is no instruction; see ch-image(1)"),
        (f"FROM {BASE}\nRUM a\n", "Dockerfile:2:1: 'rum' is no instruction; see ch-image(1)"),
        (
            f"FROM {BASE}\n\nADD https://example.org/x /x\n",
            "Dockerfile:3:1: ADD fetches from an address, and images are built without a network; "
            "put the file beside the Dockerfile",
        ),
        (
            f"FROM {BASE}\nCOPY --from=alpine /x /x\n",
            "Dockerfile:2:1: COPY --from=alpine names no stage of this file; begin one with FROM ... AS NAME",
        ),
        (
            "FROM debian:12\n",
            "Dockerfile:1:1: FROM debian:12: the image debian:12 has no digest, "
            "so it may be another tomorrow; "
            "`skopeo inspect --format '{{.Digest}}' docker://debian:12` shows it: write debian:12@sha256:...",
        ),
    ],
)
def test_what_could_not_be_built_is_refused_at_its_line(tmp_path, text, message):
    assert refusal(tmp_path, text) == message


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "Dockerfile").write_bytes(b"FROM \xff\n")
    with pytest.raises(InputError) as caught:
        read_dockerfile(tmp_path / "Dockerfile")
    assert str(caught.value) == f"{tmp_path}/Dockerfile: is no text; name a Dockerfile in UTF-8"


def test_one_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError) as caught:
        read_dockerfile(tmp_path / "Dockerfile")
    assert str(caught.value) == f"{tmp_path}/Dockerfile: is not there; correct its name"
