"""What differs between two sets of packages, wherever they are read from."""

from dataclasses import replace

import pytest
from spack_graphs import lock_text, package, python_lock

from stackgen import files
from stackgen.errors import InputError
from stackgen.lock import Lock, LockedFile, LockedPackage, SpackLock, WheelLock, lock_tree
from stackgen.lock_changes import Change, difference, packages_at
from stackgen.release import InstalledFramework, Release

PACKAGES = {"alpha": {"alpha": "1.0", "pip": "26.0"}}


def locked() -> Lock:
    def package(name: str, version: str) -> LockedPackage:
        file = LockedFile(name=f"{name}-{version}-py3-none-any.whl", size=1, sha256="0" * 64)
        return LockedPackage(name=name, version=version, file=file)

    wheels = WheelLock(
        framework="alpha", python="3.11", packages=(package("alpha", "1.0"), package("pip", "26.0"))
    )
    inputs = {
        "system": {"architecture": "x86_64", "glibc": "2.28"},
        "frameworks": {"alpha": {"python": "3.11", "requires": ["alpha", "pip"], "sdists": {}}},
    }
    return Lock(environment="site", inputs=inputs, wheels=(wheels,))


def change(package: str, old: str | None, new: str | None, framework: str = "alpha") -> Change:
    return Change(framework=framework, package=package, old=old, new=new)


def test_what_was_added_removed_and_changed():
    new = {"alpha": {"alpha": "2.0", "beta": "1.0"}, "gamma": {"pip": "26.0"}}
    found = difference(PACKAGES, new)
    assert found == (
        change("alpha", "1.0", "2.0"),
        change("beta", None, "1.0"),
        change("pip", "26.0", None),
        change("pip", None, "26.0", framework="gamma"),
    )
    assert [one.kind for one in found] == ["changed", "added", "removed", "added"]


def test_the_same_is_no_difference():
    assert difference(PACKAGES, PACKAGES) == ()


def test_packages_of_a_lock(tmp_path):
    files.write_tree(lock_tree(locked()), tmp_path / "site.lock")
    assert packages_at(tmp_path / "site.lock") == PACKAGES


def test_what_spack_builds_is_told_as_its_release_tells_it(tmp_path):
    framework = python_lock(
        package("py-coverage", "7.10.7", "python", "python-venv", "build:cmake"),
        package("cmake", "3.31.0"),
        roots=("py-coverage",),
    )
    shared = lock_text(("zlib",), dict((package("zlib", "1.3"),)))
    solved = (SpackLock(name="coverage", text=framework), SpackLock(name="toolchain", text=shared))
    asked = {
        "commits": {},
        "os": "debian12",
        "target": "x86_64_v3",
        "toolchain": {},
        "compilers": [],
        "externals": [],
        "environments": {"coverage": ["py-coverage"], "toolchain": ["zlib"]},
        "files": {},
    }
    lock = replace(locked(), spack=solved, inputs={**locked().inputs, "spack": asked})
    files.write_tree(lock_tree(lock).below("lock"), tmp_path)
    told = {**PACKAGES, "coverage": {"coverage": "7.10.7", "pip": "25.1.1"}, "toolchain": {"zlib": "1.3"}}
    assert packages_at(tmp_path / "lock") == told
    frameworks = tuple(
        InstalledFramework(
            name=name, module=name, version="1", prefix="/", python="", packages=packages, settings={}
        )
        for name, packages in told.items()
        if name != "toolchain"
    )
    release = Release(
        name="1", environment="e", system="s", namespace="n", request="r", frameworks=frameworks
    )
    files.write(tmp_path / "release.json", release.model_dump_json())
    assert packages_at(tmp_path) == told


def test_packages_of_an_environment_are_those_of_its_lock(tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "name: site\nrelease: 1\nsystem: this\nprefix: /site/ai\n"
        "frameworks: {alpha: {from: wheels, version: newest, python: 3.11}}\n"
    )
    files.write_tree(lock_tree(locked()), tmp_path / "site.lock")
    assert packages_at(tmp_path / "mine.yaml") == PACKAGES


def test_packages_of_a_release(tmp_path):
    (tmp_path / "release.json").write_text(
        '{"name": "1", "environment": "site", "system": "there", "namespace": "hpai", "request": "0",'
        ' "frameworks": [{"name": "alpha", "module": "alpha", "version": "1.0", "prefix": "/p",'
        ' "python": "3.11", "settings": {}, "packages": {"alpha": "1.0", "pip": "26.0"}}]}'
    )
    assert packages_at(tmp_path) == PACKAGES


def test_a_damaged_release_is_refused(tmp_path):
    (tmp_path / "release.json").write_text("{}")
    with pytest.raises(InputError) as caught:
        packages_at(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/release.json: is no release that this stackgen can read; name another"
    )


def test_a_release_that_cannot_be_read(tmp_path):
    (tmp_path / "release.json").symlink_to("/proc/self/mem")  # opens, and cannot be read
    with pytest.raises(InputError) as caught:
        packages_at(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/release.json: cannot be read: Input/output error; check its permissions"
    )


def test_a_lock_that_cannot_be_read(tmp_path):
    (tmp_path / "lock.json").symlink_to("/proc/self/mem")
    with pytest.raises(InputError) as caught:
        packages_at(tmp_path)
    assert str(caught.value) == f"{tmp_path}: cannot be read: Input/output error; check its permissions"


def test_a_place_where_nothing_is(tmp_path):
    with pytest.raises(InputError) as caught:
        packages_at(tmp_path / "nothing")
    assert str(caught.value) == (
        f"{tmp_path}/nothing is not there; "
        "name a lock's directory, an environment file or a release's directory"
    )
