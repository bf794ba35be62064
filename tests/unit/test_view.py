"""The view of a framework, of packages as Spack installs them, on a real disk."""

import os
import stat
import subprocess
from pathlib import Path, PurePath

import pytest
from spack_graphs import lock_text, package, python_lock

from stackgen import files
from stackgen.closure import closure
from stackgen.errors import WorkError
from stackgen.tree import File, Tree
from stackgen.view import view, write

PYTHON = ("python", "python-venv")
SITE = "lib/python3.11/site-packages"


def script(text: str) -> File:
    return File(text, 0o755)


def installed(root: Path, **packages: dict[str, File | str]) -> dict[str, Path]:
    """Prefixes of packages with these files, by hash, which is the name."""
    for name, content in packages.items():
        tree = {path: file if isinstance(file, File) else File(file) for path, file in content.items()}
        files.write_tree(Tree({".spack/spec.json": File("{}"), **tree}), root / name.replace("_", "-"))
    return {path.name: path for path in root.iterdir()}


def places(made) -> list[str]:
    return sorted(map(str, made.pieces))


def test_packages_of_python_are_one_tree(tmp_path: Path):
    text = python_lock(
        package("py-big", "1.0", *PYTHON, "py-small", "link:zlib"),
        package("py-small", "2.0", *PYTHON),
        package("zlib", "1.3"),
        roots=("py-big",),
    )
    python = "#!/ai/store/python-venv-1.0-abc/bin/python3\n"
    prefixes = installed(
        tmp_path,
        python_venv={"bin/python": script("#!/bin/sh\n"), "pyvenv.cfg": "home = /usr/bin\n"},
        py_big={
            "bin/big": script(f"{python}import big\n"),
            f"{SITE}/space/big.py": "",
            f"{SITE}/space/__pycache__/big.cpython-311.pyc": "",
            f"{SITE}/big-1.0.dist-info/METADATA": "Name: big\n",
            f"{SITE}/big-1.0.dist-info/direct_url.json": '{"url": "file:///build"}',
            "share/jupyter/kernels/big/kernel.json": "{}",
            "include/big.h": "",
        },
        py_small={"bin/small": script(f"{python}import small\n"), f"{SITE}/space/small.py": ""},
        zlib={"bin/zlib-flate": script("#!/bin/sh\n"), "lib/libz.so": "", "share/man/man3/zlib.3": ""},
    )
    made = view(closure(text, "py-big"), prefixes, "big")
    assert made.warning == ""
    assert places(made) == [
        "bin/big",
        "bin/small",
        f"{SITE}/big-1.0.dist-info/METADATA",
        f"{SITE}/space/big.py",
        f"{SITE}/space/small.py",
        "share/jupyter/kernels/big/kernel.json",
    ]


def test_modules_and_scripts_are_copies_and_other_programs_are_links(tmp_path: Path):
    text = python_lock(
        package("caffe", "1.0", "run+link:python", "python-venv", "py-small"),
        package("py-small", "2.0", *PYTHON),
        roots=("caffe",),
    )
    prefixes = installed(
        tmp_path / "store",
        caffe={
            "bin/caffe": script('#!/bin/sh\necho "$(dirname "$(realpath "$0")")"\n'),
            "bin/caffe.txt": "no program",
            "python/caffe/__init__.py": "",
        },
        py_small={
            "bin/small": script("#!/bin/sh /ai/bin/sbang\n#!/ai/bin/python3\nimport small\n"),
            f"{SITE}/small.py": "",
            f"{SITE}/tool.py": script("#!/ai/bin/python3\n"),
        },
    )
    prefix = tmp_path / "prefix"
    write(view(closure(text, "caffe"), prefixes, "caffe"), prefix)
    assert sorted(str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()) == [
        "bin/caffe",
        "bin/small",
        f"{SITE}/caffe/__init__.py",
        f"{SITE}/small.py",
        f"{SITE}/tool.py",
    ]
    assert (prefix / "bin/small").read_text().endswith("' '''\nimport small\n")
    assert stat.S_IMODE((prefix / "bin/small").stat().st_mode) == 0o755
    assert (prefix / SITE / "tool.py").read_text() == "#!/ai/bin/python3\n"
    assert not (prefix / SITE / "caffe/__init__.py").is_symlink()
    ran = subprocess.run(
        (prefix / "bin/caffe",), env={"PATH": os.defpath}, capture_output=True, text=True, check=True
    )
    assert ran.stdout == f"{prefixes['caffe'] / 'bin'}\n"


def test_links_are_what_they_lead_to(tmp_path: Path):
    text = python_lock(package("py-own", "1.0", *PYTHON), roots=("py-own",))
    prefixes = installed(
        tmp_path / "store",
        py_own={
            f"{SITE}/own/__init__.py": "",
            "share/own/extra/more.py": "",
            f"{SITE}/direct_url.json": "{}",
        },
    )
    packages = prefixes["py-own"] / SITE
    (packages / "own/extra").symlink_to("../../../../share/own/extra")
    (packages / "own/round").symlink_to("..")
    (packages / "own/nowhere.py").symlink_to("nothing")
    (packages / "alias.py").symlink_to("own/__init__.py")
    (prefixes["py-own"] / "lib64").symlink_to("lib")
    made = view(closure(text, "py-own"), prefixes, "own")
    assert [place for place in places(made) if not place.startswith("share")] == [
        f"{SITE}/{path}" for path in ("alias.py", "direct_url.json", "own/__init__.py", "own/extra/more.py")
    ]
    assert made.warning == ""
    write(made, tmp_path / "prefix")
    assert [path for path in (tmp_path / "prefix").rglob("*") if path.is_symlink()] == []


def test_a_framework_without_python_is_its_programs(tmp_path: Path):
    text = lock_text(
        ("caffe", "graphviz"),
        dict((package("caffe", "1.0", "link:boost"), package("boost", "1.88"), package("graphviz"))),
    )
    prefixes = installed(
        tmp_path,
        caffe={"bin/caffe": script("#!/bin/sh\n"), "python/caffe/__init__.py": ""},
        graphviz={"bin/dot": script("#!/bin/sh\n")},
        boost={"bin/b2": script("#!/bin/sh\n")},
    )
    assert places(view(closure(text, "caffe"), prefixes, "caffe")) == ["bin/caffe", "bin/dot"]


def test_what_a_package_only_starts_is_found(tmp_path: Path):
    text = python_lock(
        package("py-pyspark", "3.5", *PYTHON, "openjdk", "run+link:zlib", "build:maven"),
        package("openjdk", "17", "bash"),
        package("bash", "5.2"),
        package("zlib", "1.3"),
        package("maven", "3.9"),
        roots=("py-pyspark",),
    )
    program = {"bin/any": script("#!/bin/sh\n")}
    prefixes = installed(
        tmp_path,
        py_pyspark={f"{SITE}/pyspark.py": ""},
        openjdk={"bin/java": script("#!/bin/sh\n")},
        bash=program,
        zlib=program,
        maven=program,
    )
    assert places(view(closure(text, "py-pyspark"), prefixes, "pyspark")) == [
        "bin/java",
        f"{SITE}/pyspark.py",
    ]


def test_of_two_files_of_one_name_the_first_is_taken_and_it_is_told(tmp_path: Path):
    text = python_lock(
        package("py-b", "1.0", *PYTHON, "py-a", "py-c"),
        package("py-a", "1.0", *PYTHON),
        package("py-c", "1.0", *PYTHON),
        roots=("py-b",),
    )
    same = {f"{SITE}/space/__init__.py": "# one namespace\n", f"{SITE}/space/__pycache__/x.pyc": "1"}
    prefixes = installed(
        tmp_path,
        py_a={**same, f"{SITE}/common.py": "a", f"{SITE}/shape/x.py": ""},
        py_b={**same, f"{SITE}/common.py": "b"},
        py_c={**same, f"{SITE}/common.py": "c", f"{SITE}/shape": "", f"{SITE}/common.py2/x": ""},
    )
    made = view(closure(text, "py-b"), prefixes, "b")
    assert made.warning == (
        "packages have different files of one name; taken: "
        f"{SITE}/common.py of py-b@1.0, not of py-a@1.0, "
        f"{SITE}/common.py of py-b@1.0, not of py-c@1.0, "
        f"{SITE}/shape of py-a@1.0, not of py-c@1.0"
    )
    assert made.pieces[PurePath(SITE, "common.py")].source.read_text() == "b"


def test_many_conflicts_are_told_in_one_line(tmp_path: Path):
    text = python_lock(
        package("py-b", "1.0", *PYTHON, "py-a"), package("py-a", "1.0", *PYTHON), roots=("py-b",)
    )
    prefixes = installed(
        tmp_path, **{f"py_{one}": {f"{SITE}/{number}.py": one for number in range(9)} for one in "ab"}
    )
    assert view(closure(text, "py-b"), prefixes, "b").warning.endswith("not of py-a@1.0, and 6 more")


def test_the_interpreter_that_is_there_already_stays(tmp_path: Path):
    text = python_lock(package("py-own", "1.0", *PYTHON), roots=("py-own",))
    prefixes = installed(
        tmp_path / "store", py_own={f"{SITE}/own.py": "", "bin/python": script("#!/bin/sh\n")}
    )
    files.write(tmp_path / "prefix/bin/python", "the interpreter")
    write(view(closure(text, "py-own"), prefixes, "own"), tmp_path / "prefix")
    assert (tmp_path / "prefix/bin/python").read_text() == "the interpreter"


def test_a_package_that_has_vanished_is_named(tmp_path: Path):
    text = python_lock(package("py-gone", "1.0", *PYTHON), roots=("py-gone",))
    with pytest.raises(WorkError) as caught:
        view(closure(text, "py-gone"), {"py-gone": tmp_path / "gone"}, "gone")
    assert str(caught.value) == (
        f"py-gone@1.0 of Spack is not in {tmp_path}/gone; run `stackgen build` again, which installs it"
    )
