"""Images in an environment: what they come to in a plan, and what is refused."""

from pathlib import Path

import pytest

from stackgen.config import load
from stackgen.errors import InputError
from stackgen.lock import (
    Images,
    Lock,
    LockedContext,
    LockedDeb,
    LockedFile,
    LockedImage,
    LockedLayer,
    blob_name,
    images_text,
    inputs,
    lock_tree,
    parse_images,
    parse_lock,
)
from stackgen.plan import Distribution, Packed, Plan, Pulled, plan

HEAD = "name: small\nrelease: 1\nsystem: here\nprefix: /opt/ai\n"
SYSTEM = "name: Here\nos: debian12\nglibc: 2.36\ntarget: x86_64\npythons: [{version: 3.11, prefix: /usr}]\n"
SIX = "  six: {from: wheels, version: 1.17.0, package: six, import: six, image: true}\n"
DIGEST = f"sha256:{'1' * 64}"


def planned(directory: Path, text: str, system: str = SYSTEM) -> Plan:
    (directory / "systems").mkdir()
    (directory / "systems/here.yaml").write_text(system)
    file = directory / "small.yaml"
    file.write_text(HEAD + text)
    loaded = load(file)
    try:
        return plan(loaded.environment, loaded.system)
    except InputError as error:
        raise loaded.located(error) from None


def refused(directory: Path, text: str, system: str = SYSTEM) -> list[str]:
    with pytest.raises(InputError) as caught:
        planned(directory, text, system)
    return [str(fault).replace(f"{directory}/", "") for fault in caught.value.faults]


def test_a_packed_framework_is_there_twice(tmp_path: Path):
    found = planned(tmp_path, f"frameworks:\n{SIX}")
    assert [framework.name for framework in found.frameworks] == ["six", "six-container"]
    packed = found.containers[0]
    assert packed.about.module == "six-container"
    assert packed.origin == Packed(framework=found.wheels[0])
    assert found.base == Distribution(name="debian", version="12", packages=())


def test_what_has_no_image_has_no_base(tmp_path: Path):
    found = planned(tmp_path, f"frameworks:\n{SIX.replace('true', 'false')}")
    assert (found.containers, found.base) == ((), None)
    assert "base" not in inputs(found)


def test_an_image_of_a_registry(tmp_path: Path):
    text = f"frameworks:\n  tf: {{from: container, version: 2.15-x, image: site/tf@{DIGEST}, python: 3.10}}\n"
    found = planned(tmp_path, text).containers[0]
    assert found.origin == Pulled(reference="site/tf", digest=DIGEST)
    assert (found.python, found.imports, found.about.module) == ("3.10", "", "tf")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            f"frameworks:\n{SIX}  six-container: {{from: wheels, version: 1, package: six, import: six}}\n",
            [
                "small.yaml:6:67: frameworks.six.image: the image of six would be called six-container, as "
                "six-container is; write `image: {module: NAME}`"
            ],
        ),
        (
            f"frameworks:\n{SIX.replace('true', '{module: six-too}')}"
            "  other: {from: wheels, version: 1.17.0, package: six, import: six, module: six-too}\n",
            [
                "small.yaml:7:3: frameworks.other: the image of six and other would both be "
                "the module six-too/1.17.0; give one another `module:`",
            ],
        ),
        (
            "frameworks:\n  tf: {from: container, version: 1}\n",
            [
                "small.yaml:6:7: frameworks.tf: no image is named; "
                "name one of image, archive, directory, dockerfile"
            ],
        ),
        (
            "frameworks:\n  tf: {from: container, version: 1, archive: a, directory: b}\n",
            [
                "small.yaml:6:7: frameworks.tf: archive and directory is named; "
                "name one of image, archive, directory, dockerfile"
            ],
        ),
        (
            "frameworks:\n  tf: {from: container, version: 1, archive: a, requires: [six]}\n",
            [
                "small.yaml:6:49: frameworks.tf.requires: packages are to be added, and the image's "
                "Python is not named; add `python:`, major and minor"
            ],
        ),
        (
            "frameworks:\n  tf: {from: container, version: 1, archive: a, commands: [python, sh]}\n",
            [
                "small.yaml:6:68: frameworks.tf.commands[1]: sh in front of all others would start users' "
                "scripts inside; leave it out: the module's own name starts any program inside"
            ],
        ),
        (
            f"containers: {{base: debian:11}}\nframeworks:\n{SIX}",
            [
                "small.yaml:5:20: containers.base: 'debian:11' is no base of images; write one of debian:12, "
                "debian:13, or an image as NAME@sha256: and its 64 digits"
            ],
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(text: str, told: list[str], tmp_path: Path):
    assert refused(tmp_path, text) == told


@pytest.mark.parametrize("bind", ["/", "/usr", "/etc/x", "/.stackgen/x", "/a/../b", "a", "/a b", "/a:b"])
def test_what_would_hide_an_image_is_not_bound(bind: str, tmp_path: Path):
    system = f"{SYSTEM}containers: {{binds: ['{bind}']}}\n"
    (told,) = refused(tmp_path, f"frameworks:\n{SIX}", system)
    assert told.startswith(f"systems/here.yaml:6:22: containers.binds[0]: {bind!r} ")


@pytest.mark.parametrize("place", ["/", "/.", "/a/", "/a/../b", "a", "/.stackgen/x", "/proc/x", "/etc"])
def test_what_is_no_place_for_a_file_is_refused(place: str, tmp_path: Path):
    image = f"docker.io/library/debian@sha256:{'0' * 64}"
    framework = f'{{from: container, version: 1, image: "{image}", files: {{"{place}": here}}}}'
    (told,) = refused(tmp_path, f"frameworks:\n  tool: {framework}\n")
    reasons = "is no place for a file", "is where an image has what is stackgen's", "is where a directory is"
    assert any(reason in told for reason in reasons)


def blob(number: int) -> LockedFile:
    sha256 = f"{number:064x}"
    return LockedFile(name=blob_name(sha256), size=number, sha256=sha256)


IMAGES = Images(
    images=(
        LockedImage(
            framework="tf",
            reference="site/tf",
            digest=DIGEST,
            architecture="x86_64",
            manifest=blob(1),
            config=blob(2),
            layers=(LockedLayer(file=blob(3), media_type="application/vnd.oci.image.layer.v1.tar+gzip"),),
        ),
    ),
    contexts=(
        LockedContext(framework="tf", files=(LockedFile(name="a/Dockerfile", size=3, sha256="5" * 64),)),
    ),
    base=(
        LockedDeb(
            package="libc6",
            version="2.36-9+deb12u14",
            file=LockedFile(name="libc6_2.36-9+deb12u14_amd64.deb", size=9, sha256="6" * 64),
            path="pool/main/g/glibc/libc6_2.36-9+deb12u14_amd64.deb",
        ),
    ),
)


def test_what_images_are_made_from_is_read_as_it_was_written():
    assert parse_images(images_text(IMAGES)) == IMAGES


@pytest.mark.parametrize(
    "change",
    [("pool/main/g", "../../g"), ("a/Dockerfile", "/a/Dockerfile"), ("a/Dockerfile", "a/../Dockerfile")],
)
def test_a_path_that_leaves_is_refused(change: tuple[str, str]):
    with pytest.raises(ValueError, match=r"is no list of images: .* is no path"):
        parse_images(images_text(IMAGES).replace(*change))


def test_a_lock_with_images_is_read_as_it_was_written(tmp_path: Path):
    text = f"frameworks:\n  tf: {{from: container, version: 2.15-x, image: site/tf@{DIGEST}}}\n"
    found = planned(tmp_path, text)
    lock = Lock(environment="small", inputs=inputs(found), images=IMAGES)
    texts = {path: file.text for path, file in lock_tree(lock).items()}
    assert sorted(texts) == ["images.json", "lock.json"]
    assert parse_lock(texts, tmp_path) == lock


def test_a_system_without_user_namespaces_has_no_containers(tmp_path: Path):
    assert refused(tmp_path, f"frameworks:\n{SIX}", SYSTEM + "user-namespaces: false\n") == [
        "small.yaml:6:3: frameworks.six: Here has no user namespaces, without which no container can be"
        " started; have them allowed (`stackgen doctor` there says how) and written into the system's file,"
        " or leave the image out"
    ]


def test_a_base_that_is_older_than_the_system(tmp_path: Path):
    newer = SYSTEM.replace("2.36", '"2.39"')
    base = "containers: {base: debian:12}\n"
    assert refused(tmp_path, f"{base}frameworks:\n{SIX}", newer) == [
        "small.yaml:5:14: containers.base: Here has glibc 2.39, and debian:12 2.36: what is built on the one"
        " does not start on the other; write `base: debian:13`"
    ]


def test_no_distribution_that_is_as_new_as_the_system(tmp_path: Path):
    (fault,) = refused(tmp_path, f"frameworks:\n{SIX}", SYSTEM.replace("2.36", '"2.42"'))
    assert fault.endswith("does not start on the other; write `base: IMAGE@sha256:...`")


def test_a_base_by_its_digest_may_be_older(tmp_path: Path):
    base = f"containers: {{base: registry.example/base@{DIGEST}}}\n"
    found = planned(tmp_path, f"{base}frameworks:\n{SIX}", SYSTEM.replace("2.36", '"2.42"'))
    assert len(found.containers) == 1
