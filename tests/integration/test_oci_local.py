"""Images that lie beside the environment's file: archives, layouts, root file systems."""

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from registry import CONFIG, MANIFEST, SMALL, Image, described, digest, image, index_of, layer
from stages import planned

from stackgen.errors import StackgenError, WorkError
from stackgen.lock import Lock, LockedImage, inputs
from stackgen.mirror import Mirror, mirror, verify
from stackgen.oci import Origins, added_files, layers_of, lock_images
from stackgen.plan import Plan
from stackgen.progress import Silent
from stackgen.rootfs import Directory, root_file_system
from stackgen.run import Command, Outcome
from stackgen.site import Site

pytestmark = pytest.mark.usefixtures("own_home")


def no_process(command: Command) -> Outcome:
    """A runner that fakes nothing and allows nothing."""
    raise AssertionError(f"{command} was started")


def lock_of(beside: Path, **keys: object) -> tuple[Plan, Lock]:
    plan = planned(tool={"from": "container", "version": "1", **keys})
    found = lock_images(plan, beside, Site(), no_process, Silent())
    return plan, Lock(environment="site", inputs=inputs(plan), images=found)


def image_of(both: tuple[Plan, Lock]) -> LockedImage:
    (found,) = both[1].images.images
    return found


def collected(both: tuple[Plan, Lock], directory: Path, **more) -> Mirror:
    plan, lock = both
    origins = Origins(locked=((plan, lock, directory),), site=Site(), run=no_process, progress=Silent())
    into = directory / "mirror"
    return mirror({"site": lock}, into, Site(), no_process, Silent(), images=origins, **more)


def texts(both: tuple[Plan, Lock], directory: Path, *paths: str) -> dict[str, bytes]:
    """What the image has there, from a mirror that holds it whole."""
    made = collected(both, directory)
    assert verify(made.root, Silent()) == ()
    return dict(root_file_system((layers_of(image_of(both), made),)).read(paths))


def refusal(beside: Path, **keys: object) -> str:
    with pytest.raises(StackgenError) as caught:
        lock_of(beside, **keys)
    return str(caught.value).replace(f"{beside}/", "")


def archive(layout: Path, file: Path) -> Path:
    with tarfile.open(file, "w") as made:
        for path in sorted(layout.rglob("*")):
            made.add(path, path.relative_to(layout).as_posix(), recursive=False)
    return file


def test_a_layout_and_its_archive_are_the_same_image(tmp_path):
    archive(SMALL.lay(tmp_path / "layout"), tmp_path / "image.tar")
    directory, file = lock_of(tmp_path, directory="layout"), lock_of(tmp_path, archive="image.tar")
    assert directory[1].images == file[1].images
    assert image_of(file).digest == SMALL.digest
    assert image_of(file).reference == ""
    assert texts(file, tmp_path, "/opt/more/text") == {"/opt/more/text": b"more\n"}


def test_skopeo_reads_what_lies_in_a_mirror(tmp_path):
    SMALL.lay(tmp_path / "layout")
    made = collected(lock_of(tmp_path, directory="layout"), tmp_path)
    (tmp_path / "read").mkdir()
    for name in ("oci-layout", "index.json"):
        (tmp_path / "read" / name).write_bytes((tmp_path / "layout" / name).read_bytes())
    words = ("skopeo", "inspect", "--raw", "--shared-blob-dir", made.root / "images")
    told = subprocess.run([*words, f"oci:{tmp_path}/read"], capture_output=True, check=True)
    assert told.stdout == SMALL.manifest


def test_of_a_layout_with_several_architectures_the_right_one_is_locked(tmp_path):
    other = image(layer({"a": "b"}), architecture="ppc64le")
    place = SMALL.lay(tmp_path / "layout")
    for content in (*other.blobs.values(), other.manifest):
        (place / "blobs/sha256" / digest(content)[7:]).write_bytes(content)
    (place / "index.json").write_bytes(index_of({"ppc64le": other, "amd64": SMALL}))
    assert image_of(lock_of(tmp_path, directory="layout")).digest == SMALL.digest
    (place / "index.json").write_bytes(index_of({"ppc64le": other, "s390x": other}))
    assert refusal(tmp_path, directory="layout") == (
        f"frameworks.tool.directory: {tmp_path}/layout is not to be had for x86_64 (amd64); "
        "it has ppc64le, s390x"
    ).replace(f"{tmp_path}/", "")


def docker_archive(file: Path, *layers: bytes, links: tuple[str, ...] = ()) -> Path:
    """As `docker save` writes it, where `links` are layers that equal the first."""
    every = (*layers, *(layers[0] for _ in links))
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Env": ["PATH=/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(one) for one in every]},
        }
    ).encode()
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    manifest = [{"Config": "config.json", "RepoTags": ["a:1"], "Layers": [*names, *links]}]
    with tarfile.open(file, "w") as made:
        for name, content in (
            *zip(names, layers, strict=True),
            ("config.json", config),
            ("manifest.json", json.dumps(manifest).encode()),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
        for link in links:
            member = tarfile.TarInfo(link)
            member.type, member.linkname = tarfile.SYMTYPE, "../0/layer.tar"
            made.addfile(member)
    return file


def test_an_archive_of_dockers_is_read_with_its_linked_layers(tmp_path):
    one, two = layer({"a": "1\n"}, ""), layer({"a": "2\n", "b": "2\n"}, "")
    docker_archive(tmp_path / "saved.tar", one, two, links=("2/layer.tar",))
    both = lock_of(tmp_path, archive="saved.tar")
    assert [f"sha256:{one.file.sha256}" for one in image_of(both).layers] == [*map(digest, (one, two, one))]
    assert texts(both, tmp_path, "/a", "/b") == {"/a": b"1\n", "/b": b"2\n"}


def test_a_root_file_system_is_the_same_image_wherever_it_lies(tmp_path):
    for name in ("first", "second"):
        root = tmp_path / name
        (root / "usr/bin").mkdir(parents=True)
        (root / "usr/bin/tool").write_text("tool\n")
        (root / "usr/bin/tool").chmod(0o755)
        os.link(root / "usr/bin/tool", root / "usr/bin/again")
        (root / "bin").symlink_to("usr/bin")
        os.mkfifo(root / "usr/pipe")
        os.utime(root / "usr/bin/tool", (1, len(name)))
    first, second = lock_of(tmp_path, directory="first"), lock_of(tmp_path, directory="second")
    assert first[1].images == second[1].images
    assert texts(first, tmp_path, "/bin/tool", "/usr/bin/again") == {
        "/bin/tool": b"tool\n",
        "/usr/bin/again": b"tool\n",
    }


def test_what_was_changed_after_it_was_locked_does_not_come(tmp_path):
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "root/etc/motd").write_text("one\n")
    both = lock_of(tmp_path, directory="root")
    (tmp_path / "root/etc/motd").write_text("two\n")
    with pytest.raises(WorkError) as caught:
        collected(both, tmp_path)
    assert (
        str(caught.value)
        .splitlines()[1]
        .endswith(f"{tmp_path}/root is no longer what was locked; lock it again, or bring back what it was")
    )


def test_files_that_are_added_come_with_their_modes_at_their_places(tmp_path):
    SMALL.lay(tmp_path / "layout")
    (tmp_path / "files").mkdir()
    (tmp_path / "files/site.conf").write_bytes(b"\xff\n")
    (tmp_path / "files/tool").write_text("#!/bin/sh\n")
    (tmp_path / "files/tool").chmod(0o700)
    placed = {"/etc/site.conf": "files/site.conf", "/opt/bin/tool": "files/tool"}
    both = lock_of(tmp_path, directory="layout", files=placed)
    made = collected(both, tmp_path)
    inside = root_file_system(added_files("tool", both[1].images.contexts, made))
    assert inside.read(["/etc/site.conf"]) == {"/etc/site.conf": b"\xff\n"}
    assert [(one.path, oct(one.mode)) for one in inside if one.path.count("/") > 1 and one.size] == [
        ("/etc/site.conf", "0o644"),
        ("/opt/bin/tool", "0o755"),
    ]


def spoilt(layout: Path, **changes: object) -> bytes:
    """The manifest of the small image with something changed, laid out in a directory."""
    manifest = json.dumps({**json.loads(SMALL.manifest), **changes}).encode()
    Image(manifest=manifest, blobs=SMALL.blobs).lay(layout)
    return manifest


def test_an_image_of_schema_1_is_refused(tmp_path):
    old = {"schemaVersion": 1, "name": "a", "fsLayers": []}
    Image(manifest=json.dumps(old).encode(), blobs={}).lay(tmp_path / "old")
    message = refusal(tmp_path, directory="old")
    assert message == (
        "frameworks.tool.directory: old has a manifest of the schema 1 of 2013, which names no hashes of "
        "its layers; push it again with a newer tool, and take that digest"
    )


def test_layers_that_may_not_be_passed_on_are_refused(tmp_path):
    foreign = described(b"x", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")
    spoilt(tmp_path / "foreign", layers=[foreign])
    assert refusal(tmp_path, directory="foreign") == (
        f"frameworks.tool.directory: foreign has a layer that may not be passed on ({digest(b'x')}); "
        "take an image whose layers are all in its registry"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": "many"}, "layers: Input should be a valid tuple"),
        ({"config": None}, "config: Input should be a valid dictionary or instance of Descriptor"),
        (
            {"layers": [{"digest": "sha256:../../etc/passwd", "size": 1}]},
            "layers.0.digest: String should match pattern '^sha256:[0-9a-f]{64}$'",
        ),
        (
            {"layers": [{**described(b"", CONFIG), "size": -1}]},
            "layers.0.size: Input should be greater than or equal to 0",
        ),
    ],
)
def test_a_manifest_that_is_none_is_refused(tmp_path, changes, message):
    spoilt(tmp_path / "image", **changes)
    assert refusal(tmp_path, directory="image") == (
        f"frameworks.tool.directory: image is no image that can be read: {message}; "
        "take another image, or have this one made again"
    )


def test_a_blob_that_is_cut_off_is_told_when_it_is_locked(tmp_path):
    place = SMALL.lay(tmp_path / "layout")
    (name,) = (one for one in json.loads(SMALL.manifest)["layers"][:1])
    blob = place / "blobs/sha256" / name["digest"][7:]
    blob.write_bytes(blob.read_bytes()[:7])
    assert refusal(tmp_path, directory="layout") == (
        f"frameworks.tool.directory: {name['digest']} of layout has 7 bytes, not {name['size']}; "
        "have it copied again"
    )
    blob.unlink()
    assert refusal(tmp_path, directory="layout") == (
        f"frameworks.tool.directory: {name['digest']} of layout is not there; have it copied again"
    )


def test_a_manifest_that_was_altered_is_told_when_it_is_locked(tmp_path):
    place = SMALL.lay(tmp_path / "layout")
    manifest = place / "blobs/sha256" / SMALL.digest[7:]
    manifest.write_bytes(manifest.read_bytes().replace(b'"schemaVersion": 2', b'"schemaVersion": 3'))
    assert refusal(tmp_path, directory="layout") == (
        f"frameworks.tool.directory: {SMALL.digest} of layout is altered; have it copied again"
    )


def test_a_layer_whose_bytes_are_others_is_told_when_it_is_collected(tmp_path):
    place = SMALL.lay(tmp_path / "layout")
    both = lock_of(tmp_path, directory="layout")
    blob = place / "blobs/sha256" / image_of(both).layers[0].file.sha256
    blob.write_bytes(blob.read_bytes()[:-1] + b"x")
    with pytest.raises(WorkError) as caught:
        collected(both, tmp_path)
    first, row = str(caught.value).splitlines()
    assert first.startswith("1 of 4 files could not be had")
    assert "  layer 1 of 2  " in row


def test_paths_in_an_archive_that_leave_it_lead_nowhere(tmp_path):
    """A link to what the machine has in place of a blob."""
    layout = SMALL.lay(tmp_path / "layout")
    (layer_of, *_) = json.loads(SMALL.manifest)["layers"]
    blob = layout / "blobs/sha256" / layer_of["digest"][7:]
    secret = tmp_path / "secret"
    secret.write_bytes(blob.read_bytes())
    blob.unlink()
    blob.symlink_to(secret)
    archive(layout, tmp_path / "image.tar")
    with tarfile.open(tmp_path / "image.tar", "a") as made:
        member = tarfile.TarInfo("../../escaped")
        made.addfile(member, io.BytesIO(b""))
    assert refusal(tmp_path, archive="image.tar") == (
        f"frameworks.tool.archive: {layer_of['digest']} of image.tar is not there; have it copied again"
    )
    assert not (tmp_path.parent / "escaped").exists()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"archive": "nothing.tar"}, "frameworks.tool.archive: nothing.tar is not there; correct its name"),
        (
            {"directory": "empty"},
            "frameworks.tool.directory: empty is neither an OCI layout nor a root file system; "
            "name a directory with index.json, or with usr and etc",
        ),
        (
            {"archive": "image.tar.gz"},
            "frameworks.tool.archive: image.tar.gz is no archive of an image: file could not be opened "
            "successfully; name an archive as `skopeo copy ... oci-archive:FILE` writes it, "
            "unpacked where it is a .gz",
        ),
        (
            {"archive": "other.tar"},
            "frameworks.tool.archive: other.tar has no manifest.json; have it made or copied again",
        ),
        (
            {"directory": "layout", "files": {"/etc/a": "absent"}},
            "frameworks.tool.files./etc/a: absent is no file; correct its name",
        ),
    ],
)
def test_what_is_no_image_is_refused(tmp_path, keys, message):
    (tmp_path / "empty").mkdir()
    SMALL.lay(tmp_path / "layout")
    (tmp_path / "image.tar.gz").write_bytes(gzip.compress(b"no archive"))
    with tarfile.open(tmp_path / "other.tar", "w") as made:
        made.addfile(tarfile.TarInfo("a"))
    assert refusal(tmp_path, **keys).startswith(message.partition(": file could")[0])
    if "successfully" not in message:
        assert refusal(tmp_path, **keys) == message


@pytest.mark.parametrize("key", ["archive", "directory", "dockerfile"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path, key):
    name = "x" * 300
    assert refusal(tmp_path, **{key: name}).startswith(f"cannot read {name}: File name too long")


def test_a_file_to_be_added_whose_name_no_file_can_have_is_refused(tmp_path):
    SMALL.lay(tmp_path / "layout")
    name = "x" * 300
    told = refusal(tmp_path, directory="layout", files={"/etc/a": name})
    assert told.startswith(f"cannot read {name}: File name too long")


def test_an_archive_that_is_cut_off_is_refused(tmp_path):
    file = archive(SMALL.lay(tmp_path / "layout"), tmp_path / "image.tar")
    file.write_bytes(file.read_bytes()[:2500])
    told = "frameworks.tool.archive: image.tar is no archive of an image: "
    assert refusal(tmp_path, archive="image.tar").startswith(told)


def test_nothing_comes_through_a_link_out_of_the_kit(tmp_path):
    SMALL.lay(tmp_path / "layout")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror/images").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StackgenError) as caught:
        collected(lock_of(tmp_path, directory="layout"), tmp_path)
    what = f"{tmp_path}/mirror/images is a symbolic link; remove it; a kit has none"
    assert (str(caught.value), list((tmp_path / "elsewhere").iterdir())) == (what, [])


def test_an_archive_whose_header_names_a_size_that_no_file_has_is_refused(tmp_path):
    member = tarfile.TarInfo("oci-layout")
    member.size = 2**70
    content = member.tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "image.tar").write_bytes(content + bytes(20 * 512))
    assert refusal(tmp_path, archive="image.tar") == (
        "frameworks.tool.archive: image.tar is no archive of an image: cannot fit 'int' into an offset-sized "
        "integer; name an archive as `skopeo copy ... oci-archive:FILE` writes it, unpacked where it is a .gz"
    )


def test_a_root_file_system_may_be_deeper_than_python_calls(tmp_path):
    deepest = tmp_path / "root/usr"
    deepest.mkdir(parents=True)
    for _ in range(sys.getrecursionlimit() + 100):
        deepest /= "d"
        deepest.mkdir()
    try:
        (deepest / "x").write_text("1")
        inside = f"/{(deepest / 'x').relative_to(tmp_path / 'root')}"
        assert texts(lock_of(tmp_path, directory="root"), tmp_path, inside) == {inside: b"1"}
        assert root_file_system([Directory(path=tmp_path / "root", at="/")]).read([inside]) == {inside: b"1"}
    finally:
        subprocess.run(("rm", "-rf", tmp_path / "root"), check=True)  # pytest cannot


def test_a_device_in_a_root_file_system_is_refused(tmp_path):
    (tmp_path / "root/usr").mkdir(parents=True)
    try:
        os.mknod(tmp_path / "root/usr/null", 0o020666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("nobody but root makes devices")
    assert refusal(tmp_path, directory="root") == (
        "frameworks.tool.directory: root/usr/null is a device; "
        "remove it: an image gets its devices from the machine"
    )


def test_several_images_in_one_layout_are_refused(tmp_path):
    place = SMALL.lay(tmp_path / "layout")
    both = {"schemaVersion": 2, "manifests": [described(SMALL.manifest, MANIFEST)] * 2}
    (place / "index.json").write_text(json.dumps(both))
    assert refusal(tmp_path, directory="layout") == (
        "frameworks.tool.directory: layout holds several images; copy the one alone"
    )
