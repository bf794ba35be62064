"""Dockerfiles built by the real ch-image from what a mirror holds, and packages added to a Python."""

import base64
import gzip
import hashlib
import io
import os
import shutil
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from package_index import Index, wheel
from registry import Registry, image
from roots import root_of_programs
from stages import planned

from stackgen import files
from stackgen.errors import InputError, WorkError
from stackgen.lock import Lock, inputs
from stackgen.mirror import mirror, verify
from stackgen.oci import Built, Origins, added_packages, built_image, changed_contexts, lock_images
from stackgen.oci.adapting import site_packages
from stackgen.oci.packing import pack
from stackgen.plan import Platform
from stackgen.programs import uv_program
from stackgen.progress import Silent
from stackgen.resolve import resolve
from stackgen.rootfs import RootFs, Texts, root_file_system
from stackgen.run import LoggedRunner
from stackgen.sandbox import Sandbox, choose
from stackgen.site import Site
from stackgen.tree import File, Tree
from stackgen.workshop import Workshop

pytestmark = [
    pytest.mark.usefixtures("own_home"),
    pytest.mark.skipif(not shutil.which("ch-image"), reason="no ch-image"),
]


@pytest.fixture(scope="module")
def base(hub: Registry, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image with a few programs of this machine, in the registry; its reference."""
    stream = io.BytesIO()
    pack(root_of_programs(tmp_path_factory.mktemp("base") / "root"), stream)
    return hub.push(
        "site/base", image(gzip.compress(stream.getvalue(), 1), environment={"PATH": "/bin", "OWN": "1"})
    )


@pytest.fixture
def workshop(tmp_path: Path, run: LoggedRunner) -> Iterator[Workshop]:
    made = Workshop.beside(tmp_path / "images/tool.sqfs", run, choose(None, run), (uv_program().parent,))
    made.open()
    yield made
    files.remove(made.root)


def build(
    text: str, hub: Registry, beside: Path, workshop: Workshop, *, index: Index | None = None, **keys
) -> Built:
    """What a Dockerfile makes, everything done on the way: lock, mirror, build."""
    (beside / "docker").mkdir(exist_ok=True)
    (beside / "docker/Dockerfile").write_text(text)
    plan = planned(tool={"from": "container", "version": "1", "dockerfile": "docker/Dockerfile", **keys})
    site = Site(index=index.address if index else None, insecure_registries=(hub.host,))
    found = lock_images(plan, beside, site, workshop.run, Silent())
    wheels = resolve(plan, site, workshop.run, Silent()).wheels if index else ()
    lock = Lock(environment="site", inputs=inputs(plan), wheels=wheels, images=found)
    origins = Origins(locked=((plan, lock, beside),), site=site, run=workshop.run, progress=Silent())
    made = mirror({"site": lock}, beside / "mirror", site, workshop.run, Silent(), images=origins)
    assert verify(made.root, Silent()) == ()
    assert changed_contexts(plan, found, beside) == ()
    return built_image(plan.containers[0], found, wheels[0] if wheels else None, made, workshop)


def inside(built: Built) -> RootFs:
    return root_file_system((built.source,))


def test_a_dockerfile_is_built_from_the_mirror(base, hub, tmp_path, workshop):
    (tmp_path / "docker/sub").mkdir(parents=True)
    (tmp_path / "docker/sub/tool.sh").write_text("#!/bin/sh\necho ran > /ran\n")
    (tmp_path / "docker/sub/tool.sh").chmod(0o755)
    built = build(
        f"FROM {base}\nCOPY sub /opt/\nENV SITE=lrz\nWORKDIR /opt\nRUN ./tool.sh; \\\n env > /env\n",
        *(hub, tmp_path, workshop),
    )
    read = inside(built).read(["/ran", "/env"])
    assert read["/ran"] == b"ran\n"
    assert {b"OWN=1", b"SITE=lrz", b"PWD=/opt"} <= set(read["/env"].splitlines())
    assert built.config.environment == {"PATH": "/bin", "OWN": "1", "SITE": "lrz"}
    assert built.config.directory == "/opt"


def test_what_builds_an_image_is_not_in_it(base, hub, tmp_path, workshop):
    found = inside(build(f"FROM {base}\nRUN mkdir /made\n", hub, tmp_path, workshop))
    assert found.look("/made")
    assert not [path for path in ("/ch", "/WEIRD_AL_YANKOVIC", "/.stackgen") if found.look(path)]


def test_stages_are_built_one_from_the_other(base, hub, tmp_path, workshop):
    text = f"FROM {base} AS first\nRUN echo 1 > /one\nFROM \\\n  {base}\nCOPY --from=first /one /two\n"
    found = inside(build(text, hub, tmp_path, workshop))
    assert found.look("/one") is None
    assert found.read(["/two"]) == {"/two": b"1\n"}


def test_a_build_has_no_network_and_no_other_place_to_write(base, hub, tmp_path, workshop):
    text = f"FROM {base}\nRUN cat /proc/net/dev > /net\n"
    lines = inside(build(text, hub, tmp_path, workshop)).read(["/net"])["/net"].decode().splitlines()
    assert [line.split(":")[0].strip() for line in lines[2:]] == ["lo"] or workshop.sandbox == Sandbox.NONE


def test_wheels_of_the_lock_are_offered(base, hub, tmp_path, workshop, small_index):
    small_index.add("alpha-1.0-py3-none-any.whl", wheel("alpha", "1.0"))
    text = f"FROM {base}\nRUN ls $PIP_FIND_LINKS > /offered; env > /env\n"
    keys = {"python": "3.11", "requires": ["alpha"]}
    built = build(text, hub, tmp_path, workshop, index=small_index, **keys)
    read = inside(built).read(["/offered", "/env"])
    assert "alpha-1.0-py3-none-any.whl" in read["/offered"].decode().split()
    assert b"PIP_NO_INDEX=1" in read["/env"].splitlines()
    assert built.config.environment == {"PATH": "/bin", "OWN": "1"}


def test_an_instruction_that_fails_is_named_with_its_line(base, hub, tmp_path, workshop):
    with pytest.raises(WorkError) as caught:
        build(f"# site's own\nFROM {base}\n\nRUN cat \\\n  /absent\n", hub, tmp_path, workshop)
    assert str(caught.value).partition(" (build failed")[0] == (
        "docker/Dockerfile cannot be built: line 4: RUN cat   /absent: "
        "cat: /absent: No such file or directory"
    )


def test_a_file_that_is_not_in_the_context_is_named(base, hub, tmp_path, workshop):
    with pytest.raises(WorkError) as caught:
        build(f"FROM {base}\nCOPY absent /\n", hub, tmp_path, workshop)
    assert "docker/Dockerfile cannot be built: line " in str(caught.value)
    assert "absent" in str(caught.value)


def test_a_dockerfile_that_leaves_its_directory_gets_nothing(base, hub, tmp_path, workshop):
    (tmp_path / "secret").write_text("secret\n")
    with pytest.raises(WorkError, match="cannot be built"):
        build(f"FROM {base}\nCOPY ../secret /\n", hub, tmp_path, workshop)


def test_a_base_that_no_digest_pins_is_refused_when_it_is_locked(hub, tmp_path, workshop):
    with pytest.raises(InputError) as caught:
        build("FROM debian:12\n", hub, tmp_path, workshop)
    assert str(caught.value).startswith(
        f"{tmp_path}/docker/Dockerfile:1:1: FROM debian:12: the image debian:12 has no digest"
    )


def test_a_change_of_what_it_is_built_with_is_seen(base, hub, tmp_path, workshop):
    plan = planned(tool={"from": "container", "version": "1", "dockerfile": "docker/Dockerfile"})
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker/Dockerfile").write_text(f"FROM {base}\n")
    site = Site(insecure_registries=(hub.host,))
    found = lock_images(plan, tmp_path, site, workshop.run, Silent())
    (tmp_path / "docker/more").write_text("more")
    told = ("frameworks.tool: the directory of the Dockerfile changed",)
    assert changed_contexts(plan, found, tmp_path) == told
    assert changed_contexts(plan, found, tmp_path / "elsewhere") == ()


def test_neither_umask_nor_time_of_a_context_counts(base, hub, tmp_path, workshop):
    plan = planned(tool={"from": "container", "version": "1", "dockerfile": "docker/Dockerfile"})
    site, found = Site(insecure_registries=(hub.host,)), []
    for mode in (0o600, 0o644):
        (tmp_path / "docker").mkdir(exist_ok=True)
        (tmp_path / "docker/Dockerfile").write_text(f"FROM {base}\n")
        (tmp_path / "docker/tool.py").write_text("pass\n")
        (tmp_path / "docker/tool.py").chmod(mode)
        os.utime(tmp_path / "docker/tool.py", (mode, mode))
        found.append(lock_images(plan, tmp_path, site, workshop.run, Silent()))
    assert found[0] == found[1]


def test_a_dockerfile_beside_the_environment_is_refused(base, hub, tmp_path, run):
    (tmp_path / "Dockerfile").write_text(f"FROM {base}\n")
    plan = planned(tool={"from": "container", "version": "1", "dockerfile": "Dockerfile"})
    with pytest.raises(InputError) as caught:
        lock_images(plan, tmp_path, Site(insecure_registries=(hub.host,)), run, Silent())
    assert str(caught.value) == (
        "frameworks.tool.dockerfile: the Dockerfile lies beside the environment's file, and is built with "
        "all that lies there; give it a directory of its own, with what it copies"
    )


def tree(paths: dict[str, str], links: dict[str, str] | None = None) -> RootFs:
    made = Tree({path: File(text) for path, text in paths.items()})
    return root_file_system((Texts(tree=made, links=links or {}),))


@pytest.mark.parametrize(
    ("files_in", "links", "python", "place"),
    [
        (
            {"usr/local/lib/python3.11/site-packages/a.py": "", "usr/lib/python3/dist-packages/b.py": ""},
            {},
            "/usr/local/bin/python3.11",
            "/usr/local/lib/python3.11/site-packages",
        ),
        (
            {"usr/lib/python3/dist-packages/b.py": "", "usr/lib/python3.11/site-packages/c.py": ""},
            {},
            "/usr/bin/python3.11",
            "/usr/lib/python3/dist-packages",
        ),
        (
            {"opt/conda/lib/python3.11/site-packages/a.py": "", "opt/conda/bin/python3.11": ""},
            {"usr/local/bin/python3.11": "../../../opt/conda/bin/python3.11"},
            "/usr/local/bin/python3.11",
            "/opt/conda/lib/python3.11/site-packages",
        ),
    ],
)
def test_packages_are_added_where_python_looks_last(files_in, links, python, place):
    assert site_packages(tree(files_in, links), python, "3.11") == place


def test_a_python_without_packages_is_refused():
    with pytest.raises(WorkError) as caught:
        site_packages(tree({"usr/bin/python3.11": ""}), "/usr/bin/python3.11", "3.11")
    assert str(caught.value) == (
        "/usr/bin/python3.11 of the image has no directory of packages, so none can be added to it; "
        "take out `requires`, or take an image with a whole Python"
    )


def added(index: Index, beside: Path, workshop: Workshop) -> RootFs:
    """What adds the package `alpha` to an image with a Python 3.11, everything done on the way."""
    place = "registry.example/a@sha256:" + "0" * 64
    plan = planned(
        tool={"from": "container", "version": "1", "image": place, "python": "3.11", "requires": ["alpha"]}
    )
    site = Site(index=index.address)
    lock = resolve(plan, site, workshop.run, Silent())
    made = mirror({"site": lock}, beside / "mirror", site, workshop.run, Silent())
    below = tree({"usr/lib/python3.11/site-packages/own.py": "", "usr/bin/python3.11": ""})
    sources = added_packages(
        lock.wheel_lock("tool"),
        Platform(architecture="x86_64", glibc="2.28"),
        *(below, "/usr/bin/python3.11"),
        mirror=made,
        workshop=workshop,
    )
    return root_file_system(sources)


def test_added_packages_come_from_the_mirror_behind_the_images_own(tmp_path, workshop, small_index):
    small_index.add("alpha-1.0-py3-none-any.whl", wheel("alpha", "1.0", ("beta",)))
    small_index.add("beta-1.0-py3-none-any.whl", wheel("beta", "1.0"))
    found = added(small_index, tmp_path, workshop)
    assert found.read(["/usr/lib/python3.11/site-packages/zz-stackgen.pth"]) == {
        "/usr/lib/python3.11/site-packages/zz-stackgen.pth": b"/.stackgen/site-packages\n"
    }
    (compiled,) = found.names("/.stackgen/site-packages/alpha/__pycache__")
    code = found.read([f"/.stackgen/site-packages/alpha/__pycache__/{compiled}"])
    assert all(str(workshop.root).encode() not in content for content in code.values())
    assert {"alpha", "beta"} <= set(found.names("/.stackgen/site-packages"))


def test_added_packages_are_the_same_bytes_wherever_stackgen_lies(
    tmp_path, workshop, small_index, run, monkeypatch
):
    small_index.add("alpha-1.0-py3-none-any.whl", wheel("alpha", "1.0", program="alpha"))
    here, there = io.BytesIO(), io.BytesIO()
    found = added(small_index, tmp_path, workshop)
    found.write(here)
    deep = tmp_path / ("far-away-" * 20)
    venv.create(deep)
    monkeypatch.setattr(sys, "executable", str(deep / "bin/python"))
    other = Workshop.beside(
        tmp_path / "images/other.sqfs", run, choose(None, run), (deep, uv_program().parent)
    )
    other.open()
    added(small_index, tmp_path, other).write(there)
    files.remove(other.root)
    assert here.getvalue() == there.getvalue()

    place = "/.stackgen/site-packages"
    record, program = f"{place}/alpha-1.0.dist-info/RECORD", f"{place}/bin/alpha"
    read = found.read([record, program])
    assert read[program].startswith(b"#!/usr/bin/python3.11\n")
    digest = base64.urlsafe_b64encode(hashlib.sha256(read[program]).digest()).rstrip(b"=").decode()
    assert f"bin/alpha,sha256={digest},{len(read[program])}" in read[record].decode().splitlines()
    assert "uv_cache.json" not in found.names(f"{place}/alpha-1.0.dist-info")
