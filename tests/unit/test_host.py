"""The machine we are on, read from files that stand in for another machine's."""

import os

import pytest

from stackgen import host, targets
from stackgen.errors import InputError
from stackgen.model import Accelerator, Interpreter, Nodes
from stackgen.probe.machine import spack_system


def test_this_machine_has_a_description():
    system = host.detect()
    assert system.name == "this"
    assert system.target in targets.NAMES
    assert f"glibc {system.glibc}" in os.confstr("CS_GNU_LIBC_VERSION")


# ID and VERSION_ID of /etc/os-release as distributions ship it, and what `spack arch -o` prints there.
@pytest.mark.parametrize(
    ("identity", "version", "name"),
    [
        ("debian", "12", "debian12"),
        ("debian", "", "debian"),
        ("ubuntu", "22.04", "ubuntu22.04"),
        ("rhel", "8.10", "rhel8"),
        ("rocky", "9.4", "rocky9"),
        ("almalinux", "8.9", "almalinux8"),
        ("centos", "7", "centos7"),
        ("sles", "15.5", "sles15"),
        ("fedora", "41", "fedora41"),
        ("amzn", "2023", "amzn2023"),
        ("amzn", "2", "amzn2"),
        ("ol", "8.9", "oracle8"),
        ("opensuse-leap", "15.6", "opensuse15"),
        ("opensuse-tumbleweed", "20260101", "opensusetumbleweed"),
        ("arch", "", "arch"),
    ],
)
def test_operating_systems_are_named_as_spack_names_them(identity, version, name):
    release = {"ID": identity} | ({"VERSION_ID": version} if version else {})
    assert spack_system(release) == name


@pytest.mark.parametrize(("library", "version"), [("glibc 2.28", "2.28"), ("glibc 2.36.9000", "2.36")])
def test_the_minor_version_of_glibc_is_what_wheels_ask_for(library, version):
    assert host.glibc(library) == version


@pytest.mark.parametrize("library", ["", "musl 1.2.5"])
def test_a_machine_without_glibc_is_refused(library):
    with pytest.raises(InputError) as refused:
        host.glibc(library)
    assert str(refused.value) == (
        "this machine's C library is not glibc, which the frameworks' wheels need; "
        "use a distribution with glibc, or name another system"
    )


def put(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def python(prefix, version, library="lib"):
    put(prefix / f"bin/python{version}")
    put(prefix / library / f"python{version}/os.py")


def found(root, **environment):
    return [(python.version, python.prefix) for python in host.interpreters(environment, root)]


def test_the_systems_own_pythons_come_first_the_newest_before_the_others(tmp_path):
    python(tmp_path / "usr", "3.9", "lib64")
    python(tmp_path / "usr", "3.11")
    python(tmp_path / "usr/local", "3.11")
    python(tmp_path / "usr/local", "3.13")
    python(tmp_path / "opt/tools", "3.12")
    python(tmp_path / "home/.pyenv/versions/3.10.2", "3.10")
    python(tmp_path / "home/.pyenv/versions/3.10.13", "3.10")
    python(tmp_path / "home/.pyenv/versions/3.14.0", "3.14")
    assert found(tmp_path, PATH=f"{tmp_path}/opt/tools/bin:bin:", HOME=f"{tmp_path}/home") == [
        ("3.11", f"{tmp_path}/usr"),
        ("3.9", f"{tmp_path}/usr"),
        ("3.13", f"{tmp_path}/usr/local"),
        ("3.12", f"{tmp_path}/opt/tools"),
        ("3.14", f"{tmp_path}/home/.pyenv/versions/3.14.0"),
        ("3.10", f"{tmp_path}/home/.pyenv/versions/3.10.13"),
    ]


def test_pyenv_may_lie_elsewhere(tmp_path):
    python(tmp_path / "pyenv/versions/3.12.1", "3.12")
    assert found(tmp_path, PYENV_ROOT=f"{tmp_path}/pyenv") == [("3.12", f"{tmp_path}/pyenv/versions/3.12.1")]


def test_a_link_leads_to_the_interpreter_that_it_names(tmp_path):
    python(tmp_path / "opt/python312", "3.12")
    (tmp_path / "home/bin").mkdir(parents=True)
    (tmp_path / "home/bin/python3.12").symlink_to(tmp_path / "opt/python312/bin/python3.12")
    (tmp_path / "home/bin/python3.13").symlink_to(tmp_path / "gone/bin/python3.13")
    assert found(tmp_path, PATH=f"{tmp_path}/home/bin") == [("3.12", f"{tmp_path}/opt/python312")]


def test_what_is_no_complete_cpython_is_left_out(tmp_path):
    python(tmp_path / "old", "3.8")
    put(tmp_path / "shims/bin/python3.12")
    put(tmp_path / "pypy/bin/python3.10")
    put(tmp_path / "pypy/lib/pypy3.10/os.py")
    python(tmp_path / "threads", "3.13t")
    put(tmp_path / "config/bin/python3.12-config")
    python(tmp_path / "venv", "3.12")
    put(tmp_path / "venv/pyvenv.cfg")
    python(tmp_path / "conda", "3.12")
    put(tmp_path / "conda/conda-meta/history")
    python(tmp_path / "a space", "3.12")
    names = ("old", "shims", "pypy", "threads", "config", "venv", "conda", "a space", "missing")
    assert found(tmp_path, PATH=":".join(f"{tmp_path}/{name}/bin" for name in names)) == []


CPU = "processor\t: {0}\nphysical id\t: {1}\ncore id\t\t: {2}\n\n"


def test_cores_are_counted_once_however_many_threads_they_run(tmp_path):
    threads = [(socket, core) for socket in range(2) for core in range(3) for _ in range(2)]
    put(tmp_path / "cpuinfo", "".join(CPU.format(index, *thread) for index, thread in enumerate(threads)))
    put(tmp_path / "meminfo", "MemTotal:       98304000 kB\nMemFree:        1 kB\n")
    assert host.nodes(tmp_path) == Nodes(sockets=2, cores=6, memory="94 GiB")


def test_a_machine_that_tells_little_still_has_cores(tmp_path):
    put(tmp_path / "cpuinfo", "processor\t: 0\nFeatures\t: fp asimd\n")
    assert host.nodes(tmp_path) == Nodes(cores=os.cpu_count())


def test_gpus_are_counted_by_model(tmp_path):
    for address, model in (("0000:19:00.0", "NVIDIA H200"), ("0000:3b:00.0", "NVIDIA H200")):
        text = f"Model: \t\t {model}\nIRQ:   \t\t 100\n"
        put(tmp_path / "driver/nvidia/gpus" / address / "information", text)
    assert host.accelerators(tmp_path) == (Accelerator(model="NVIDIA H200", count=2, capability="9.0"),)


def test_a_machine_without_gpus_has_none(tmp_path):
    assert host.accelerators(tmp_path) == ()


def test_an_interpreter_is_named_by_its_prefix(tmp_path):
    python(tmp_path / "usr", "3.11")
    assert host.interpreters({}, tmp_path) == (Interpreter(version="3.11", prefix=f"{tmp_path}/usr"),)
