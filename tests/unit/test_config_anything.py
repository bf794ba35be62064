"""Whatever a file holds, reading it ends with an environment or with an InputError."""

import tempfile
from pathlib import Path

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stackgen.config import load
from stackgen.errors import InputError

SCALARS = st.one_of(
    st.sampled_from(
        ["", "~", "wheels", "newest", "3.11", "2.21", "hdf5", "/opt/x", "x", "yes", "1..16", "{", "*a"]
    ),
    st.text(max_size=8),
)
KEYS = st.one_of(
    st.sampled_from(
        [
            "name",
            "release",
            "system",
            "prefix",
            "modules",
            "namespace",
            "defaults",
            "toolchain",
            "mpi",
            "packages",
        ]
    ),
    st.sampled_from(
        [
            "frameworks",
            "tensorflow",
            "from",
            "version",
            "python",
            "features",
            "settings",
            "sdists",
            "requires",
        ]
    ),
    st.sampled_from(["include", "wheels", "source", "[key]", "build-requires", "<<", "image", "verify"]),
    SCALARS,
)
VALUES = st.recursive(
    SCALARS | st.none(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=5),
    max_leaves=12,
)
FRAMEWORK = st.fixed_dictionaries({"from": st.sampled_from(["wheels", "spack", "container", "x"])}).flatmap(
    lambda base: st.dictionaries(KEYS, VALUES, max_size=6).map(lambda more: {**more, **base})
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=8).flatmap(
    lambda base: st.dictionaries(KEYS, FRAMEWORK, max_size=3).map(lambda found: {**base, "frameworks": found})
)


def faults(content):
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "site.yaml")
        path.write_bytes(content)
        try:
            load(path)
        except InputError as error:
            return error.faults
        return ()


def read(content):
    for fault in faults(content):
        assert fault.place
        assert str(fault).isprintable()
        assert len(str(fault)) < 5000


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_bytes(content):
    read(content)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
@example('"\\UFFFFFFFF"')
@example("? - a\n: *b")
@example("a: &a [*a]")
@example("--- !!set {a, b}")
@example("%YAML 3.0\n---\na: b")
def test_text(text):
    read(text.encode(errors="ignore"))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab:-[]{}&*!|>'\"%@?#, \n\t\\0", max_size=60))
def test_punctuation(text):
    read(text.encode())


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES | DOCUMENTS)
def test_structures(value):
    read(yaml.safe_dump(value).encode(errors="ignore"))
