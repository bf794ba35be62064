"""Whether a machine lets ordinary users start images, and which ch-run an environment starts them with."""

import json
import os
import stat
from pathlib import Path

import pytest

from stackgen.charliecloud import (
    ch_run,
    lacking_charliecloud,
    lacking_fuse,
    lacking_namespaces,
    prefix_of,
    refuse_unready,
    version,
)
from stackgen.errors import StackgenError
from stackgen.lock import Lock, SpackLock
from stackgen.model import Environment, System
from stackgen.plan import plan
from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner, Outcome

RUN = LoggedRunner(Silent())


@pytest.fixture
def machine(tmp_path: Path):
    """A machine whose kernel has these files."""

    def made(**files: str) -> Path:
        for path, text in files.items():
            place = tmp_path / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        return tmp_path

    return made


def told(faults) -> list[str]:
    return [str(fault) for fault in faults]


def refused(command: Command) -> Outcome:
    """A Runner that stands for a kernel that refuses."""
    return Outcome(status=1, stdout="", stderr="unshare: unshare failed: Operation not permitted\n")


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("user/max_user_namespaces", "0", "user.max_user_namespaces = 15000"),
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone = 1"),
    ],
)
def test_a_kernel_that_is_told_to_refuse(machine, name, value, line):
    root = machine(**{f"proc/sys/{name}": f"{value}\n"})
    assert told(lacking_namespaces(RUN, root=root)) == [
        f"no user namespaces: sysctl {name.replace('/', '.')} is 0; ask the admin for this, on every node:"
        f" echo '{line}' > /etc/sysctl.d/90-user-namespaces.conf && sysctl --system"
    ]


def test_apparmor_that_does_not_know_this_ch_run(machine):
    root = machine(
        **{
            "proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n",
            "etc/apparmor.d/ch-run": "profile ch-run /usr/bin/ch-run flags=(unconfined) {\n  userns,\n}\n",
        }
    )
    assert told(lacking_namespaces(RUN, Path("/usr/bin/ch-run"), root)) == []
    (fault,) = lacking_namespaces(RUN, Path("/dss/store/bin/ch-run"), root)
    assert (
        fault.what == "no user namespaces: AppArmor has no profile that allows them to /dss/store/bin/ch-run"
    )
    assert fault.remedy == (
        "ask the admin for this, on every node: printf 'abi <abi/4.0>,\\nprofile stackgen-ch-run"
        " /dss/store/bin/ch-run flags=(unconfined) {\\n  userns,\\n}\\n' > /etc/apparmor.d/stackgen-ch-run"
        " && apparmor_parser -r /etc/apparmor.d/stackgen-ch-run"
    )


def test_a_kernel_that_refuses_by_a_fake_kernel(machine):
    assert told(lacking_namespaces(refused, root=machine())) == [
        "no user namespaces: unshare: unshare failed: Operation not permitted; ask the admin to allow them to"
        " ordinary users, on every node; RHEL 7 needs `grubby --update-kernel=ALL"
        " --args=namespace.unpriv_enable=1` and a reboot, too"
    ]


def test_no_device_to_mount_by(machine):
    expected = [
        "no /dev/fuse, by which images are mounted; ask the admin for this, on every node:"
        " modprobe fuse && echo fuse > /etc/modules-load.d/fuse.conf"
    ]
    assert told(lacking_fuse(machine())) == expected
    assert told(lacking_fuse(machine(**{"dev/fuse": "no device"}))) == expected


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_device_for_root_alone(machine):
    root = machine(**{"dev/null": ""})
    os.mknod(root / "dev/fuse", stat.S_IFCHR | 0o600, os.makedev(10, 229))
    assert told(lacking_fuse(root)) == [
        "ordinary users may not use /dev/fuse (mode 0600); ask the admin for this, on every node: chmod 666"
        """ /dev/fuse && echo 'KERNEL=="fuse", MODE="0666"' > /etc/udev/rules.d/60-fuse.rules"""
    ]
    (root / "dev/fuse").chmod(0o666)
    assert told(lacking_fuse(root)) == []


def program(place: Path, text: str) -> Path:
    place.write_text(f"#!/bin/sh\n{text}\n")
    place.chmod(0o755)
    return place


NAMED = "or list charliecloud under `packages:`, for Spack to build"
OLD = """case $1 in
--help) echo '--join-pid=PID'; echo '-m, --mount=DIR   SquashFS mount point';;
--version) echo 0.31;;
*) echo 'ch-run: error: unknown feature: squash' >&2; exit 1;;
esac"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (OLD, []),
        ("[ $1 = --help ] && echo --join-pid=PID; exit 0", []),
        (
            "[ $1 = --help ] && echo --join-pid=PID",
            [
                "{} was built without SquashFS; install one that was built with libsquashfuse and libfuse3,"
                f" {NAMED}"
            ],
        ),
        ("true", [f"{{}} cannot join what runs; install Charliecloud 0.31 or newer, {NAMED}"]),
        ("exit 127", [f"{{}} does not start; install Charliecloud anew, {NAMED}"]),
    ],
)
def test_programs_that_call_themselves_ch_run(tmp_path, text, expected):
    path = program(tmp_path / "ch-run", text)
    assert told(lacking_charliecloud(RUN, path)) == [one.format(path) for one in expected]


def test_no_ch_run(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert told(lacking_charliecloud(RUN)) == [
        f"no ch-run, which starts images; install Charliecloud, {NAMED}"
    ]
    assert version(RUN) == ""


def test_its_version(tmp_path):
    assert version(RUN, program(tmp_path / "ch-run", OLD)) == "0.31"


def solution(*roots: str) -> SpackLock:
    """A lock of Spack's with these packages alone."""
    node = {"version": "1.0", "arch": {"platform_os": "debian12", "target": "x86_64"}}
    return SpackLock(
        name="toolchain",
        text=json.dumps(
            {
                "_meta": {"file-type": "spack-lockfile"},
                "roots": [{"hash": f"hash-{name}", "spec": name} for name in roots],
                "concrete_specs": {f"hash-{name}": {"name": name, **node} for name in roots},
            }
        ),
    )


def planned(*externals: dict[str, str], image: bool = False):
    numpy = {"from": "wheels", "version": "2.3.5", "python": "3.11", "image": image}
    frameworks = {"numpy": numpy}
    environment = Environment.model_validate(
        {"name": "e", "release": "1", "system": "s", "prefix": "/p", "frameworks": frameworks}
    )
    system = System.model_validate(
        {"name": "s", "os": "sles15", "glibc": "2.31", "target": "x86_64", "externals": list(externals)}
    )
    return plan(environment, system)


def test_where_an_environment_has_its_ch_run():
    store = {"hash-charliecloud": Path("/store/charliecloud"), "hash-zlib": Path("/store/zlib")}
    built = Lock(environment="e", inputs={}, spack=(solution("zlib", "charliecloud"),))
    none = Lock(environment="e", inputs={}, spack=(solution("zlib"),))
    site = planned({"spec": "charliecloud@0.37", "prefix": "/opt/charliecloud"})
    assert ch_run(site, built, store) == Path("/store/charliecloud/bin/ch-run")
    assert ch_run(site, none, store) == Path("/opt/charliecloud/bin/ch-run")
    assert ch_run(planned(), none, store) is None
    assert prefix_of("squashfs", site, built, store) is None


EMPTY = Lock(environment="e", inputs={})


def unready(lock: Lock = EMPTY, **asked: bool) -> str:
    try:
        refuse_unready(planned(image=True), lock, RUN, **asked)
    except StackgenError as error:
        return str(error)
    return ""


def test_what_a_build_would_miss_at_its_end_is_told_at_its_beginning(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert unready().startswith("there is no mksquashfs on this machine; ")
    program(tmp_path / "mksquashfs", "echo 'mksquashfs version 4.4 (2019/08/29)'")
    assert unready().startswith(f"{tmp_path}/mksquashfs is 4.4, too old; ")
    program(tmp_path / "mksquashfs", "echo 'mksquashfs version 4.6.1 (2023/03/25)'")
    assert unready(to_start=False) == ""
    assert unready().startswith("this machine cannot start images: ")


def test_what_spack_is_to_build_is_not_missed(tmp_path, monkeypatch):
    program(tmp_path / "unshare", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    both = Lock(environment="e", inputs={}, spack=(solution("charliecloud", "squashfs"),))
    assert "mksquashfs" not in unready(lock=both)
    assert "ch-run" not in unready(lock=both)


def test_an_environment_without_images_needs_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    refuse_unready(planned(), EMPTY, RUN)
