"""Releases with frameworks that Spack builds, and with a Python that it builds for wheels."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from small_releases import locked, planned
from spack_graphs import lock_text, package, python_lock

from stackgen import files
from stackgen.lock import Lock, SpackLock
from stackgen.model import Environment, System
from stackgen.plan import Plan, plan
from stackgen.release import (
    InstalledFramework,
    Release,
    installed,
    is_whole,
    read_release,
    release_of,
    request,
)
from stackgen.release_changes import changes_between

OLDER = {
    "format": 1,
    "name": "2026.11",
    "environment": "lab",
    "system": "box",
    "namespace": "hpai",
    "request": "37554b67dfd2dac5537d27027a6903ed9e0904ff7bd71228bcadf8f04e39196a",
    "frameworks": [
        {
            "name": "six",
            "module": "six",
            "version": "1.17.0",
            "prefix": "/ai/pythons/six-1.17.0-b34b7dedb209",
            "python": "3.11",
            "packages": {"six": "1.17.0"},
            "settings": {},
        }
    ],
}
"""What the first stackgen wrote into a release."""


def by_spack(**framework: object) -> Plan:
    values = {"name": "lab", "release": "1", "system": "box", "prefix": "/ai"}
    frameworks = {"coverage": {"from": "spack", "version": "newest", "spec": "py-coverage", **framework}}
    system = System(name="box", os="debian12", glibc="2.36", target="x86_64_v3")
    return plan(Environment.model_validate({**values, "frameworks": frameworks}), system)


def spack_lock(name: str, text: str) -> Lock:
    return Lock(environment="lab", inputs={}, spack=(SpackLock(name=name, text=text),))


def coverage(version: str = "7.10.7") -> Lock:
    package_of_it = package("py-coverage", version, "python", "python-venv")
    return spack_lock("coverage", python_lock(package_of_it, roots=("py-coverage",)))


def test_a_release_of_an_older_stackgen_is_read_and_stays_the_same(tmp_path: Path):
    files.write(tmp_path / "release.json", json.dumps(OLDER))
    older = read_release(tmp_path)
    asked = planned(Path("/ai"), "2026.11")
    assert older == release_of(asked, locked(asked, "1.17.0"))
    assert older.frameworks[0].source == "wheels"


def test_what_spack_builds_is_in_the_release():
    (framework,) = installed(by_spack(settings={"OMP_NUM_THREADS": "1"}), coverage())
    assert framework == InstalledFramework(
        name="coverage",
        module="coverage",
        version="7.10.7",
        prefix=framework.prefix,
        python="3.11",
        packages={"coverage": "7.10.7", "pip": "25.1.1"},
        settings={"OMP_NUM_THREADS": "1"},
        source="spack",
    )
    assert Path(framework.prefix).name.startswith("coverage-7.10.7-")
    read = Release.model_validate_json(release_of(by_spack(), coverage()).model_dump_json())
    assert read.frameworks[0].source == "spack"


def test_its_place_is_by_what_spack_has_solved():
    def prefix(text: str) -> str:
        return installed(by_spack(), spack_lock("coverage", text))[0].prefix

    one = lock_text(("py-coverage",), dict((package("py-coverage"),)))
    other = one.replace("py-coverage", "py-coverage-2")
    assert prefix(one) == prefix(one)
    assert prefix(one) != prefix(other)
    assert request(by_spack(), spack_lock("coverage", one)) != request(
        by_spack(), spack_lock("coverage", other)
    )


def test_the_place_of_wheels_is_by_the_python_that_spack_builds(tmp_path: Path):
    def prefix(python: object, *packages: tuple[str, dict[str, object]]) -> str:
        asked = planned(tmp_path, "1", python=python)
        built = tuple(
            SpackLock(name="python-3.11", text=lock_text((name,), {name: content}))
            for name, content in packages
        )
        return installed(asked, replace(locked(asked, "1.17.0"), spack=built))[0].prefix

    spack = {"from": "spack", "version": "3.11"}
    first, second = (("one", package("python", "3.11.14")[1]), ("two", package("python", "3.11.14")[1]))
    assert len({prefix("3.11"), prefix(spack, first), prefix(spack, second)}) == 3


def test_what_differs_between_releases_is_told_even_where_no_version_does():
    old, new = (release_of(by_spack(), coverage(version)) for version in ("7.10.7", "7.10.8"))
    assert changes_between(old, new) == ("coverage: coverage 7.10.7 -> 7.10.8",)
    (framework,) = old.frameworks
    wheels = framework.model_copy(update={"source": "wheels"})
    assert changes_between(old, old.model_copy(update={"frameworks": (wheels,)})) == (
        "coverage: from spack -> wheels",
    )
    other = framework.model_copy(update={"prefix": "/ai/pythons/coverage-7.10.7-other"})
    assert changes_between(old, old.model_copy(update={"frameworks": (other,)})) == (
        "coverage: built otherwise",
    )
    assert changes_between(old, old) == ()


@pytest.mark.parametrize("python", ["3.11", ""])
def test_it_is_whole_as_long_as_all_that_it_shows_is_there(tmp_path: Path, python: str):
    store, prefix = tmp_path / "store/bin/caffe", tmp_path / "prefix"
    framework = installed(by_spack(), coverage())[0].model_copy(
        update={"prefix": str(prefix), "python": python}
    )
    assert not is_whole(framework)
    files.write(store, "")
    if python:
        files.write(prefix / "bin/python", "")
        files.write(prefix / "lib/python3.11/site-packages/six.py", "")
    (prefix / "bin").mkdir(parents=True, exist_ok=True)
    (prefix / "bin/caffe").symlink_to(store)
    assert is_whole(framework)
    store.unlink()
    assert not is_whole(framework)
