"""What decides an image, and what is told where it is another one."""

from dataclasses import replace
from pathlib import Path

import pytest

from stackgen.files import write_tree
from stackgen.lock import (
    Images,
    Lock,
    LockedContext,
    LockedDeb,
    LockedFile,
    LockedImage,
    LockedPackage,
    WheelLock,
    blob_name,
    inputs,
    lock_tree,
)
from stackgen.lock_changes import Change, difference, packages_at
from stackgen.model import Environment, System
from stackgen.plan import Plan, plan
from stackgen.release import InstalledFramework, installed, release_of, request
from stackgen.release_changes import changes_between, package_changes

DIGEST = "sha256:" + "1" * 64
SYSTEM = {
    "name": "there",
    "os": "debian12",
    "glibc": "2.36",
    "target": "x86_64_v3",
    "pythons": [{"version": "3.11", "prefix": "/usr"}],
    "externals": [{"spec": "openmpi@4.1.4", "prefix": "/usr"}],
}
VENDOR = {"from": "container", "version": "1", "image": f"site/vendor@{DIGEST}"}


def planned(
    containers: dict[str, object] | None = None, vendor: dict[str, object] | None = None, **system: object
) -> Plan:
    tool = {"from": "wheels", "version": "1.0", "package": "six", "import": "six", "image": True}
    frameworks = {"tool": tool, "vendor": {**VENDOR, **(vendor or {})}}
    values = {"name": "site", "release": "1", "system": "there", "prefix": "/site/ai"}
    return plan(
        Environment.model_validate({**values, "frameworks": frameworks}),
        System.model_validate({**SYSTEM, **system, "containers": containers or {}}),
    )


def blob(digit: str) -> LockedFile:
    return LockedFile(name=blob_name(digit * 64), size=1, sha256=digit * 64)


def deb(name: str, version: str, digit: str) -> LockedDeb:
    file = LockedFile(name=f"{name}_{version}_amd64.deb", size=1, sha256=digit * 64)
    return LockedDeb(package=name, version=version, file=file, path=f"pool/{file.name}")


IMAGE = LockedImage(
    framework="vendor",
    reference="site/vendor",
    digest=DIGEST,
    architecture="x86_64",
    manifest=blob("1"),
    config=blob("2"),
    layers=(),
)
SIX = LockedPackage(
    name="six", version="1.0", file=LockedFile(name="six-1.0-py3-none-any.whl", size=1, sha256="3" * 64)
)
LOCK = Lock(
    environment="site",
    inputs={},
    wheels=(WheelLock(framework="tool", python="3.11", packages=(SIX,)),),
    images=Images(images=(IMAGE,), base=(deb("libc6", "2.36", "4"),)),
)


def images(asked: Plan, lock: Lock = LOCK) -> dict[str, InstalledFramework]:
    return {one.name: one for one in installed(asked, lock) if one.image}


def changed(asked: Plan, lock: Lock = LOCK) -> set[str]:
    """The images that are other ones than usual."""
    before, after = images(planned()), images(asked, lock)
    return {name for name in before if before[name].image != after[name].image}


def test_an_image_lies_by_what_decides_it():
    found = images(planned())
    assert (
        found["tool-container"].prefix == {one.name: one for one in installed(planned(), LOCK)}["tool"].prefix
    )
    assert found["vendor"].prefix == found["vendor"].image.removesuffix(".sqfs")
    for name, one in found.items():
        path = Path(one.image)
        assert path.parent == Path("/site/ai/images")
        assert path.name.startswith(f"{name}-1")
        assert one.source == "container"


@pytest.mark.parametrize(
    ("asked", "others"),
    [
        (planned({"binds": ["/dss"]}), {"tool-container", "vendor"}),
        (planned({"libraries": ["/usr/lib64/libcuda.so.*"]}), {"tool-container", "vendor"}),
        (planned({"mpi": "image"}), {"tool-container", "vendor"}),
        (planned(externals=[{"spec": "openmpi@4.1.4", "prefix": "/opt/mpi"}]), {"tool-container", "vendor"}),
        (planned(vendor={"commands": ["python"]}), {"vendor"}),
        (planned(vendor={"python": "3.10"}), {"vendor"}),
        (planned(glibc="2.35"), set()),
        (planned(vendor={"settings": {"A": "b"}}), set()),
    ],
)
def test_what_is_asked_for_decides_images(asked: Plan, others: set[str]):
    assert changed(asked) == others


def test_what_is_locked_decides_images():
    base = replace(LOCK, images=replace(LOCK.images, base=(deb("libc6", "2.36-9", "5"),)))
    assert changed(planned(), base) == {"tool-container"}
    other = replace(LOCK, images=replace(LOCK.images, images=(replace(IMAGE, digest="sha256:" + "6" * 64),)))
    assert changed(planned(), other) == {"vendor"}
    added = LockedContext(framework="vendor", files=(replace(blob("7"), name="added.tar"),))
    assert changed(planned(), replace(LOCK, images=replace(LOCK.images, contexts=(added,)))) == {"vendor"}


def test_what_changed_is_told():
    base = (deb("git", "2.39", "8"), deb("libc6", "2.36-9", "5"))
    moved = replace(IMAGE, digest="sha256:" + "6" * 64)
    new = replace(LOCK, images=Images(images=(moved,), base=base))
    assert package_changes(LOCK, new) == (
        "base: git none -> 2.39",
        "base: libc6 2.36 -> 2.36-9",
        "vendor: image 111111111111 -> 666666666666",
    )
    assert changes_between(release_of(planned(), LOCK), release_of(planned(), new)) == (
        "tool-container: built otherwise",
        "vendor: built otherwise",
    )
    assert package_changes(LOCK, LOCK) == ()
    assert request(planned(), LOCK) != request(planned(), new)


def test_two_locks_are_compared_by_what_images_are_made_from(tmp_path: Path):

    asked = planned()
    old = replace(LOCK, inputs=inputs(asked))
    new = replace(old, images=replace(LOCK.images, base=(deb("libc6", "2.36-9", "5"),)))
    for name, lock in (("old", old), ("new", new)):
        write_tree(lock_tree(lock), tmp_path / f"{name}.lock")
    found = difference(packages_at(tmp_path / "old.lock"), packages_at(tmp_path / "new.lock"))
    assert found == (Change(framework="base", package="libc6", old="2.36", new="2.36-9"),)
