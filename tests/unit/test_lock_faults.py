"""What Spack has solved, against what the frameworks were resolved for."""

import pytest
from spack_graphs import lock_text, package, python_lock

from stackgen.lock import Lock, SpackLock
from stackgen.lock_faults import lock_faults
from stackgen.model import Environment, System
from stackgen.plan import Plan, plan

WHEELS = {"six": {"from": "wheels", "version": "1.17.0", "python": {"from": "spack", "version": "3.12"}}}
SPACK = {"scipy": {"from": "spack", "version": "1.16", "spec": "py-scipy"}}
LIBC = package("glibc", "2.36", external="/usr")


def planned(frameworks: dict[str, object]) -> Plan:
    environment = Environment.model_validate(
        {"name": "lab", "release": "1", "system": "box", "prefix": "/ai", "frameworks": frameworks}
    )
    return plan(environment, System(name="box", os="debian12", glibc="2.36", target="x86_64_v3"))


def faults(frameworks: dict[str, object], name: str, text: str) -> list[str]:
    lock = Lock(environment="lab", inputs={}, spack=(SpackLock(name=name, text=text),))
    return [str(fault) for fault in lock_faults(planned(frameworks), lock)]


def test_a_python_that_fits_is_taken():
    text = lock_text(("python",), dict((package("python", "3.12.12", "link:glibc"), LIBC)))
    assert faults(WHEELS, "python-3.12", text) == []


@pytest.mark.parametrize(
    ("python", "libc", "misfit"),
    [
        (package("python", "3.13.8"), LIBC, "Python 3.12, and Spack has solved 3.13.8"),
        (package("python", "3.1.2"), LIBC, "Python 3.12, and Spack has solved 3.1.2"),
        (
            package("python", "3.12.3", external="/usr"),
            LIBC,
            "a Python of Spack's, and it has solved the system's 3.12.3",
        ),
        (
            package("python", "3.12.12", target="power9le"),
            LIBC,
            "x86_64, and Spack's Python would be for power9le",
        ),
        (
            package("python", "3.12.12", freethreading=True),
            LIBC,
            "a Python with its global lock, and Spack's would be without",
        ),
        (
            package("python", "3.12.12", "link:glibc"),
            package("glibc", "2.40", external="/usr"),
            "glibc 2.36, and Spack's Python would be for glibc 2.40",
        ),
        (
            package("python", "3.12.12", "link:musl"),
            package("musl", "1.2", external="/usr"),
            "glibc 2.36, and Spack's Python would be for musl 1.2",
        ),
    ],
)
def test_a_python_that_the_wheels_are_not_for_is_refused(python, libc, misfit):
    text = lock_text(("python",), dict((python, libc)))
    assert faults(WHEELS, "python-3.12", text) == [
        f"frameworks.six.python: the wheels are for {misfit}; name another `version:`, or take the system's"
    ]


def test_a_lock_without_a_python_is_refused():
    text = lock_text(("zlib",), dict((package("zlib"),)))
    assert faults(WHEELS, "python-3.12", text) == [
        "frameworks.six.python: Spack has solved no Python; run `stackgen lock` again"
    ]


def test_a_package_of_the_systems_is_no_part_of_a_framework():
    text = python_lock(
        package("py-scipy", "1.16.0", "python", "python-venv", "py-numpy"),
        package("py-numpy", "2.3", external="/usr"),
        roots=("py-scipy",),
    )
    assert faults(SPACK, "scipy", text) == [
        "frameworks.scipy: py-numpy@2.3 would be the system's, outside of the framework; "
        "take py-numpy from `externals` of the system's file, or ask for another version"
    ]
