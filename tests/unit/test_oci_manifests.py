"""Documents of images that are anything at all: read, or refused, and nothing else."""

import json
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from stackgen.errors import InputError
from stackgen.oci.manifests import read_config, read_document

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("schemaVersion", "mediaType", "config", "layers", "manifests", "digest", "size", "urls", "platform")
documents = st.dictionaries(st.sampled_from(KEYS), values | st.dictionaries(st.sampled_from(KEYS), values))


def is_placed(read: Callable[[], object]) -> bool:
    """Whether something is read, or refused at its place."""
    try:
        read()
    except InputError as error:
        return str(error).startswith("image: ")
    return True


@given(documents)
def test_any_document(document):
    assert is_placed(lambda: read_document(json.dumps(document).encode(), "an image", "image"))


@given(st.binary(max_size=60))
def test_any_bytes(content):
    assert is_placed(lambda: read_document(content, "an image", "image"))
    assert is_placed(lambda: read_config(content, "an image", "x86_64", "image"))


@given(st.dictionaries(st.sampled_from(("architecture", "os", "config", "rootfs")), values))
def test_any_configuration(document):
    assert is_placed(lambda: read_config(json.dumps(document).encode(), "an image", "x86_64", "image"))


def test_variables_that_no_program_can_be_given_are_left_out():
    variables = ["PATH=/bin", "HALF=\ud800", "\udcff=1", "ZERO=a\0b", "=nameless", "EMPTY="]
    document = {"architecture": "amd64", "os": "linux", "config": {"Env": variables}}
    found = read_config(json.dumps(document).encode(), "an image", "x86_64", "image")
    assert found.environment == {"PATH": "/bin", "EMPTY": ""}
