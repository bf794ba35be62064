"""What Spack resolves to, inside a lock: kept verbatim, refused where damaged, its inputs compared."""

import json
from pathlib import Path

import pytest

from stackgen import files
from stackgen.errors import InputError
from stackgen.lock import Lock, SpackLock, changes, inputs, lock_tree, read_lock
from stackgen.lock_changes import difference, packages_at
from stackgen.model import Environment, System
from stackgen.plan import Plan, plan

GCC = {"spec": "gcc@13.2.0", "prefix": "/usr"}
UCX = {"spec": "ucx@1.17.0", "prefix": "/opt/ucx"}


def planned(packages=("zlib",), **facts) -> Plan:
    return plan(
        Environment.model_validate(
            {"name": "site", "release": "1", "system": "there", "prefix": "/site/ai"}
            | {"toolchain": {"compiler": "gcc@13.2.0"}, "packages": packages}
            | {"frameworks": {"alpha": {"from": "wheels", "version": "1.0.0", "python": "3.11"}}}
        ),
        System.model_validate(
            {"name": "there", "os": "rhel8", "glibc": "2.28", "target": "zen2", "compilers": [GCC]} | facts
        ),
    )


def solution(*versions: str) -> str:
    """The text of a `spack.lock` with zlib in these versions."""
    nodes = {f"hash{version}": {"name": "zlib", "version": version} for version in versions}
    content = {
        "_meta": {"file-type": "spack-lockfile", "lockfile-version": 6},
        "roots": [{"hash": key, "spec": "zlib"} for key in nodes],
        "concrete_specs": nodes,
    }
    return json.dumps(content) + "\n"


def locked(*versions: str) -> Lock:
    asked = {**inputs(planned()), "frameworks": {}}
    spack = (SpackLock(name="toolchain", text=solution(*versions)),)
    return Lock(environment="site", inputs=asked, spack=spack)


LOCK = locked("1.3.1")


def write(directory: Path, lock: Lock = LOCK) -> Path:
    files.write_tree(lock_tree(lock), directory)
    return directory


def test_what_spack_wrote_is_kept_byte_for_byte(tmp_path):
    directory = write(tmp_path / "site.lock")
    assert (directory / "spack/toolchain.lock").read_text() == solution("1.3.1")
    assert read_lock(directory) == LOCK


DAMAGE = {
    "gone": (lambda path: path.unlink(), "is missing"),
    "edited": (
        lambda path: path.write_text(path.read_text().replace("1.3.1", "1.3.2")),
        "was edited or damaged since it was locked",
    ),
    "another": (lambda path: (path.parent / "other.lock").write_text("{}"), "is not named in lock.json"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_named(tmp_path, case):
    damage, what = DAMAGE[case]
    directory = write(tmp_path / "site.lock")
    damage(directory / "spack/toolchain.lock")
    name = "other" if case == "another" else "toolchain"
    with pytest.raises(InputError) as caught:
        read_lock(directory)
    remedy = f"run `stackgen lock {tmp_path}/site.yaml`"
    assert str(caught.value) == f"{directory}/spack/{name}.lock: {what}; {remedy}"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"_meta": {"file-type": "spack-lockfile"}}', "\0"])
def test_what_spack_never_wrote_is_no_lock(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the reader of a lock gives it its words
        SpackLock(name="toolchain", text=text)


def test_wheels_alone_ask_nothing_of_spack():
    assert "spack" not in inputs(planned(packages=()))


CHANGES = {
    "nothing": (planned(), ()),
    "package": (
        planned(packages=("zlib", "hdf5 +mpi")),
        ("spack.environments.toolchain: hdf5 +mpi added",),
    ),
    "version": (
        planned(packages=("zlib@1.2",)),
        ("spack.environments.toolchain: zlib -> zlib@1.2",),
    ),
    "none": (planned(packages=()), ("spack: removed",)),
    "target": (planned(target="zen3"), ("spack.target: zen2 -> zen3",)),
    "external": (
        planned(externals=[UCX]),
        ("spack.externals: ucx@1.17.0 in /opt/ucx added",),
    ),
    "program": (
        planned(compilers=[{**GCC, "programs": {"c": "/usr/bin/gcc-13"}}]),
        ("what stackgen generates for Spack has changed",),
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_changed_since_a_lock_was_made(case):
    plan, lines = CHANGES[case]
    lock = Lock(environment="site", inputs=inputs(planned()))
    assert changes(lock, plan) == lines


def test_packages_of_spack_are_compared_too(tmp_path):
    old, new = (packages_at(write(tmp_path / name, locked(*them))) for name, them in VERSIONS.items())
    (change,) = difference(old, new)
    assert (change.framework, change.package, change.old, change.new) == (
        "toolchain",
        "zlib",
        "1.2.13, 1.3.1",
        "1.3.1",
    )


VERSIONS = {"old.lock": ("1.3.1", "1.2.13"), "new.lock": ("1.3.1",)}
