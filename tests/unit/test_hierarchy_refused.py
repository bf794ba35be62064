"""What Spack would build for everyone and nobody could load: told before anything is built."""

from dataclasses import replace
from pathlib import Path

import pytest
from hierarchies import Made, locked
from small_releases import locked as wheels_locked

from stackgen import files
from stackgen.errors import InputError
from stackgen.lock import Lock, SpackLock
from stackgen.project import Project, generate, open_project

SYSTEM = "name: Box\nos: debian12\nglibc: 2.36\ntarget: x86_64\n"
ENVIRONMENT = """\
name: lab
release: 1
system: box
prefix: /ai
modules:
  namespace: zlib
toolchain: {mpi: openmpi@4.1.4}
packages: [zlib]
frameworks: {six: {from: wheels, version: newest, python: 3.11}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    files.write(tmp_path / "systems/box.yaml", SYSTEM)
    files.write(tmp_path / "lab.yaml", ENVIRONMENT)
    return open_project(tmp_path / "lab.yaml")


def having(project: Project, *spack: SpackLock) -> Lock:
    """A lock of the project with these of Spack's."""
    return replace(wheels_locked(project.plan, "1.17.0"), spack=spack)


def test_a_namespace_that_is_a_package_is_refused_at_its_place(project: Project) -> None:
    zlib = Made(name="zlib", version="1.3.1")
    with pytest.raises(InputError) as caught:
        generate(project, having(project, locked([zlib], ["zlib"])))
    assert str(caught.value) == (
        f"{project.file}:6:3: modules.namespace: zlib is a package too: its modules would lie among the"
        " frameworks'; give it another name"
    )
    assert "environment/lab.yaml" in generate(project, having(project))


def test_two_builds_of_one_mpi_are_refused_at_their_place(project: Project) -> None:
    names = ("toolchain", "toolchain.openmpi-4.1.4")
    solved = (
        locked([Made(name="openmpi", version="4.1.4", build=name)], ["openmpi"], name) for name in names
    )
    with pytest.raises(InputError) as caught:
        generate(project, having(project, *solved))
    assert str(caught.value) == (
        f"{project.file}:8:1: packages: two builds of openmpi@4.1.4 are both the module openmpi/4.1.4;"
        " leave one of them out"
    )
