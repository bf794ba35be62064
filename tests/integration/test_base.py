"""The root file system that packed images stand on: from small packages, and from a real distribution's."""

import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

import debian_archive
import images
import pytest

from stackgen.distribution import base_sources, lock_base
from stackgen.distribution.scripts import alternatives
from stackgen.errors import StackgenError, WorkError
from stackgen.lock import Images, Lock, LockedDeb, LockedFile
from stackgen.mirror import Mirror, mirror
from stackgen.plan import Distribution
from stackgen.progress import Silent
from stackgen.rootfs import RootFs, root_file_system, squash, squasher
from stackgen.run import LoggedRunner, Outcome
from stackgen.site import load_site


@pytest.fixture
def packages(tmp_path: Path):
    """Make packages, and merge them: the root file system of these."""
    if reason := debian_archive.why_not():
        pytest.skip(f"no packages: {reason}")

    def made(**wanted: Mapping[str, object]) -> RootFs:
        for name, parts in wanted.items():
            debian_archive.deb(tmp_path, name, **parts)
        return merged(tmp_path, tuple(wanted))

    return made


def merged(directory: Path, names: tuple[str, ...], architecture: str = "x86_64") -> RootFs:
    def place(package: LockedDeb) -> Path:
        return directory / f"{package.package}_1.0_amd64.deb"

    found = tuple(
        LockedDeb(package=name, version="1.0", file=LockedFile(name=name, size=0, sha256=""), path=name)
        for name in names
    )
    return root_file_system(base_sources(found, architecture, place))


def text(tree: RootFs, path: str) -> str:
    return tree.read((path,))[path].decode()


def target(tree: RootFs, path: str) -> str:
    return next((one.target for one in tree if one.path == path), "")


def test_old_and_new_places_of_programs_are_one(packages):
    tree = packages(old={"files": {"bin/sh": "#!"}}, new={"files": {"usr/bin/env": "#!"}})
    assert [target(tree, path) for path in ("/bin", "/lib", "/lib64", "/sbin")] == [
        "usr/bin",
        "usr/lib",
        "usr/lib64",
        "usr/sbin",
    ]
    assert tree.names("/bin") == tree.names("/usr/bin") == ("env", "sh")


def test_arm_has_its_loader_in_lib(packages, tmp_path):
    packages(one={})
    assert merged(tmp_path, ("one",), "aarch64").look("/lib64") is None


def test_the_alternative_of_the_highest_priority_is_taken(packages):
    install = "update-alternatives --install /usr/bin/awk awk"
    tree = packages(
        mawk={"files": {"usr/bin/mawk": "#!"}, "postinst": f"#!/bin/sh\n{install} /usr/bin/mawk 5\n"},
        gawk={
            "files": {"usr/bin/gawk": "#!", "usr/share/gawk": "g"},
            "postinst": f"#!/bin/sh\nset -e\n{install} \\\n  /usr/bin/gawk 10 \\\n"
            "  --slave /usr/share/awk awk.1 /usr/share/gawk\n",
        },
    )
    assert target(tree, "/usr/bin/awk") == "/usr/bin/gawk"
    assert text(tree, "/usr/share/awk") == "g"


def test_an_alternative_that_is_not_there_is_none(packages):
    tree = packages(one={"postinst": "#!/bin/sh\nupdate-alternatives --install /usr/bin/a a /usr/bin/b 5\n"})
    assert tree.look("/usr/bin/a") is None


@pytest.mark.parametrize(
    "script",
    [
        "",
        "update-alternatives --install",
        "update-alternatives --install /usr/bin/a a",
        "update-alternatives --install /usr/bin/a a /usr/bin/b high",
        'update-alternatives --install "$DIR/a" a /usr/bin/b 5',
        "update-alternatives --install usr/bin/a a /usr/bin/b 5",
        "update-alternatives --install '/usr/bin/a a /usr/bin/b 5",
        "update-alternatives --remove a /usr/bin/b",
        "# not-update-alternatives --install /usr/bin/a a /usr/bin/b 5",
    ],
)
def test_scripts_that_say_nothing_that_could_be_done(script):
    assert list(alternatives(script)) == []


def test_certificates_are_one_file_wherever_interpreters_look(packages):
    place = "usr/share/ca-certificates/mozilla"
    tree = packages(certificates={"files": {f"{place}/b.crt": "B\n", f"{place}/a.crt": "A"}})
    for path in ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/cert.pem", "/usr/lib/ssl/cert.pem"):
        assert text(tree, path) == "A\nB\n"


def test_what_packages_bring_is_not_replaced(packages):
    tree = packages(one={"files": {"etc/nsswitch.conf": "passwd: ldap\n", "usr/bin/sh": "#!"}})
    assert text(tree, "/etc/nsswitch.conf") == "passwd: ldap\n"
    assert target(tree, "/usr/bin/sh") == ""


def test_the_same_packages_give_the_same_bytes(packages):
    tree = packages(one={"files": {"usr/bin/one": "#!"}}, two={})
    first, again = io.BytesIO(), io.BytesIO()
    tree.write(first)
    packages(one={"files": {"usr/bin/one": "#!"}}, two={}).write(again)
    assert first.getvalue() == again.getvalue()
    first.seek(0)
    with tarfile.open(fileobj=first) as archive:
        assert {(one.uid, one.gid, one.mtime, one.mode & 0o6000) for one in archive} == {(0, 0, 0, 0)}


def test_a_package_that_is_broken(packages, tmp_path):
    packages(one={})
    (tmp_path / "one_1.0_amd64.deb").write_bytes(b"!<arch>\nno")
    with pytest.raises(WorkError) as caught:
        merged(tmp_path, ("one",))
    assert str(caught.value) == (
        "package one 1.0 is not a whole archive: a header in it is broken; get it anew"
    )


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image of nothing but the base of Debian 12; skips with the reason where it cannot be had or run."""
    if reason := images.why_not():
        pytest.skip(f"no containers: {reason}")
    run, site, directory = LoggedRunner(Silent()), load_site(), tmp_path_factory.mktemp("debian")
    base = Distribution(name="debian", version="12", packages=())
    try:
        packages = lock_base(base, (), os.uname().machine, site, run)
    except StackgenError as error:
        pytest.skip(f"Debian's archives cannot be used: {error}")
    inputs = {"base": {"distribution": "debian:12", "packages": []}}
    lock = Lock(environment="base", inputs=inputs, images=Images(base=packages))
    kit: Mirror = mirror({"base": lock}, directory / "kit", site, run, Silent())
    tree = root_file_system(base_sources(packages, os.uname().machine, lambda one: kit.path(one.file)))
    squash(tree, directory / "base.sqfs", squasher(run))
    return directory / "base.sqfs"


def inside(image: Path, *words: str, **environment: str) -> Outcome:
    (image.parent / "mount").mkdir(exist_ok=True)
    mount = str(image.parent / "mount")
    return images.run("ch-run", "-m", mount, str(image), "--", *words, USER="somebody", **environment)


def test_a_shell_and_what_scripts_expect(debian):
    script = """
        set -e
        awk 'BEGIN { print "awk" }'; which ls; echo sed | sed s/sed/done/ | grep done
        echo packed | gzip -c | gzip -dc; find /etc -maxdepth 1 -name passwd | xargs ls
        ps -o comm= -p $$; getent hosts localhost | tr -s ' '; TZ=Asia/Tokyo date -d @0 +%H;
        nproc --ignore=999
        tput -T xterm cols; taskset -c -p $$ | cut -d ' ' -f 1; head -c 11 /etc/ssl/certs/ca-certificates.crt
    """
    ended = inside(debian, "sh", "-c", script, LC_ALL="en_US.UTF-8")
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [
        *("awk", "/usr/bin/ls", "done", "packed", "/etc/passwd", "sh"),
        *("127.0.0.1 localhost", "09", "1", "80", "pid", "-----BEGIN "),
    ]


def test_bash_does_not_complain_of_the_callers_language(debian):
    assert inside(debian, "bash", "-lc", "echo ready", LC_ALL="en_US.UTF-8") == Outcome(
        status=0, stdout="ready\n", stderr=""
    )


def test_no_link_leads_nowhere_and_nothing_changes_its_user(debian):
    ended = inside(debian, "find", "/", "-xdev", "(", "-xtype", "l", "-o", "-perm", "/6000", ")")
    assert ended.stdout.splitlines() == []


def test_every_program_finds_its_libraries(debian):
    assert inside(debian, "sh", "-c", "ldd /usr/bin/* /usr/sbin/* 2>&1 | grep 'not found'").stdout == ""


def test_it_is_small(debian):
    assert debian.stat().st_size < 35e6
