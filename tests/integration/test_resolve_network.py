"""Locking what sites really ask for, from the package index that this machine is configured to use."""

import json

import pytest
from packaging.utils import parse_wheel_filename
from packaging.version import Version
from stages import planned

from stackgen.errors import InputError
from stackgen.lock import lock_tree
from stackgen.mirror import mirror, verify
from stackgen.platforms import Target, wheel_tags
from stackgen.progress import Silent
from stackgen.resolve import resolve

pytestmark = pytest.mark.network

ELSE = "use `from: spack` or `from: container`, another Python or version, or name tensorflow under `sdists:`"


@pytest.mark.parametrize(
    ("target", "glibc", "package"),
    [("neoverse_v2", "2.28", "tensorflow"), ("skylake_avx512", "2.28", "tensorflow-cpu")],
)
def test_tensorflow_for_another_machine(index, run, target, glibc, package):
    plan = planned(target, glibc, tensorflow={"version": "newest", "python": "3.11"})
    (lock,) = resolve(plan, index, run, Silent()).wheels
    assert Version(lock.version(package)) >= Version("2.21")
    fitting = set(wheel_tags(Target(platform=plan.platform, python="3.11")))
    for locked in lock.packages:
        assert fitting & parse_wheel_filename(locked.file.name)[3], locked.file.name
        assert locked.file.size > 0


def test_locking_tensorflow_twice_gives_the_same_bytes(index, run):
    plan = planned(tensorflow={"version": "2.21", "python": "3.12"})
    first = lock_tree(resolve(plan, index, run, Silent()))
    assert lock_tree(resolve(plan, index, run, Silent())) == first
    assert "://" not in "".join(file.text for file in first.values())


def test_tensorflow_has_no_wheel_for_power(index, run):
    plan = planned("power9le", "2.28", tensorflow={"version": "newest", "python": "3.11"})
    with pytest.raises(InputError) as caught:
        resolve(plan, index, run, Silent())
    message = str(caught.value)
    assert message.startswith(
        "frameworks.tensorflow: tensorflow has no wheel for linux ppc64le, glibc 2.28, Python 3.11 "
    )
    assert message.endswith(f"; {ELSE}")


def test_a_python_that_is_too_new_gets_no_pre_release(index, run):
    plan = planned("neoverse_v2", "2.28", tensorflow={"version": "2.21.0", "python": "3.14"})
    with pytest.raises(InputError) as caught:
        resolve(plan, index, run, Silent())
    assert str(caught.value) == (
        "frameworks.tensorflow: tensorflow==2.21.0 has no wheel for linux aarch64, glibc 2.28, Python 3.14 "
        f"(tensorflow 2.21.0 has them for Python 3.10, 3.11, 3.12, 3.13); {ELSE}"
    )


def test_a_small_framework_is_mirrored_for_another_machine(index, run, tmp_path):
    plan = planned("power9le", "2.28", markupsafe={"version": "newest", "python": "3.11"})
    lock = resolve(plan, index, run, Silent())
    made = mirror({"site": lock}, tmp_path / "mirror", index, run, Silent())
    assert made.lacks(lock) == ()
    assert verify(made.root, Silent()) == ()
    origins = {line["origin"] for line in json.loads((made.root / "manifest.json").read_text())["files"]}
    assert all(origin.startswith(("https://", "file:///")) for origin in origins)


def test_a_source_distribution_by_name(index, run):
    sdists = [{"name": "docopt", "build-requires": ["setuptools", "wheel"]}]
    plan = planned(docopt={"version": "0.6.2", "python": "3.11", "sdists": sdists})
    (lock,) = resolve(plan, index, run, Silent()).wheels
    assert lock.packages[0].file.name == "docopt-0.6.2.tar.gz"
    assert {"setuptools", "wheel"} <= {package.name for package in lock.build_packages}
