"""What goes wrong with virtual environments: one sentence each, and nothing of the user's is lost."""

import hashlib
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
import venvs
from package_index import Index, serving
from venvs import Site, lines_of, run

from stackgen.inside.launcher.venv_packages import own_packages
from stackgen.programs import uv_program

NUMBERS = "import numbers1; print(numbers1.__version__)"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    return venvs.made(tmp_path_factory.mktemp("venvs"))


@pytest.fixture
def my(site: Site, tmp_path: Path) -> Path:
    """An environment over the first release."""
    lines_of(site.call("venv", tmp_path / "my", "-m", "framework"))
    return tmp_path / "my"


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ((), "no directory is named for the environment; name one, such as ~/my"),
        (("a:b", "-m", "framework"), "'a:b' cannot be the name of an environment; {}"),
        (("a\nb", "-m", "framework"), "'a\\nb' cannot be the name of an environment; {}"),
        (("a$b", "-m", "framework"), "'a$b' cannot be the name of an environment; {}"),
        (("", "-m", "framework"), "'' cannot be the name of an environment; {}"),
        (("/etc/passwd", "-m", "framework"), "/etc/passwd is a file; choose another name"),
        (("/etc", "-m", "framework"), "/etc is there, and no environment of ours; choose another name"),
        (("a", "b"), "venv takes one name, and b is another word"),
        (("a",), "no framework is loaded; `module load hpai/framework/1.5` first, or name one by -m"),
        (("a", "-m", "framwork"), "there is no module framwork; did you mean framework or framework/1.5?"),
        (("a", "--kernal"), "there is no option --kernal; did you mean --kernel?"),
    ],
)
def test_what_cannot_be_made_is_refused(words, fault, site: Site, tmp_path: Path):
    done = run(site.place("1") / "bin/hpai", "venv", *words, cwd=tmp_path)
    remedy = 'choose one without control characters and : " $ ` \\'
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"hpai: {fault.format(remedy)}\n")
    assert list(tmp_path.iterdir()) == []


def gone(my: Path) -> str:
    return (
        f"{my} stands on hpai/framework/1.5 of the release 1, which has been removed, or its disk is not"
        f" there; load another one and run `hpai venv {my} --recreate`, which keeps your packages\n"
    )


def test_a_release_that_is_gone_is_told_and_the_packages_are_kept(site: Site, my: Path, tmp_path: Path):
    lines_of(run(my / "bin/pip", "install", "-q", "extra", "needy", "numbers1==1.4"))
    (my / "notes.txt").write_text("mine")
    framework = site.framework()
    framework.rename(tmp_path / "elsewhere")
    try:
        told_and_made_anew(site, my)
    finally:
        (tmp_path / "elsewhere").rename(framework)
    assert sorted(path.name for path in my.iterdir()) == [
        *(".stackgen-venv.json", "bin", "include", "lib", "lib64", "notes.txt", "pip.conf", "pyvenv.cfg"),
    ]


def told_and_made_anew(site: Site, my: Path) -> None:
    for words in (["bin/python", "train.py"], ["bin/python", "-m", "pip", "list"], ["bin/pip", "list"]):
        done = run(my / words[0], *words[1:])
        assert (done.returncode, done.stdout, done.stderr) == (1, "", gone(my))
    done = run("bash", "-c", f"source {my}/bin/activate; echo $? $VIRTUAL_ENV")
    assert (done.stdout, done.stderr) == ("1\n", gone(my))
    done = run("tcsh", "-f", "-c", f"source {my}/bin/activate.csh; echo $?VIRTUAL_ENV")
    assert done.stdout == gone(my) + "0\n"
    done = site.call("venv", my, "-m", "framework", release="2")
    told = f"{my} stands on hpai/framework/1.5 of the release 1;"
    remedy = f"`hpai venv {my} --recreate` moves it to hpai/framework/1.6 of 2, with your packages"
    assert (done.returncode, done.stderr) == (1, f"hpai: {told} {remedy}\n")
    lines_of(site.call("venv", my, "-m", "framework", "--recreate", release="2"))
    assert lines_of(run(my / "bin/python", "-c", NUMBERS)) == ["1.4"]
    assert lines_of(run(my / "bin/extra")) == ["hi"]


def make(directory: Path) -> Path:
    directory.mkdir()
    return directory


def test_packages_that_cannot_be_had_again_stay_on_the_list(site: Site, my: Path, tmp_path: Path):
    house = tmp_path / "extra-9.0-py3-none-any.whl"
    house.write_bytes(venvs.module("extra", "9.0"))
    lines_of(run(my / "bin/pip", "install", "-q", "fine", house))
    house.unlink()
    done = site.call("venv", my, "-m", "framework", "--recreate")
    listed = f"{my}/packages-wanted.txt"
    again = f"{my}/bin/pip install -r {listed}"
    text = f"{my} is made anew, but not all of your packages can be installed; change {listed}, and `{again}`"
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, f"hpai: {text}")
    assert Path(listed).read_text() == f"extra @ file://{house}\nfine==1.0\n"
    Path(listed).write_text("fine==1.0\n")
    lines_of(site.call("venv", my, "-m", "framework"))
    assert lines_of(run(my / "bin/python", "-c", NUMBERS)) == ["1.5"]


def test_what_was_half_made_is_made_again(site: Site, my: Path):
    """Killed at any moment, the same command goes on."""
    record = json.loads((my / ".stackgen-venv.json").read_text())
    (my / ".stackgen-venv.json").write_text(json.dumps(record | {"state": "making"}))
    (my / "bin/python").unlink()
    (my / "packages-wanted.txt").write_text("extra==1.0\n")
    done = site.call("venv", my, "-m", "framework")
    assert (done.returncode, done.stderr) == (0, f"installing what {my}/packages-wanted.txt lists\n")
    assert lines_of(run(my / "bin/extra")) == ["hi"]
    assert not (my / "packages-wanted.txt").exists()


def test_packages_that_are_not_there_again_are_installed_with_those_that_came_since(site: Site, my: Path):
    """Killed after it was made anew, and before it had its packages."""
    (my / "packages-wanted.txt").write_text("extra==1.0\nnumbers1==1.5\n")
    lines_of(run(my / "bin/pip", "install", "-q", "fine", "numbers1==1.4"))
    lines_of(site.call("venv", my, "-m", "framework", "--recreate"))
    (my / "packages-wanted.txt").write_text("needy\n")
    told = f"{my} is there already, over hpai/framework/1.5 of the release 1\n"
    done = site.call("venv", my, "-m", "framework")
    assert (done.returncode, done.stderr) == (0, f"{told}installing what {my}/packages-wanted.txt lists\n")
    assert {"extra", "fine", "needy", "numbers1"} <= {one.name for one in own_packages(str(my))}
    assert lines_of(run(my / "bin/python", "-c", NUMBERS)) == ["1.4"]
    assert not (my / "packages-wanted.txt").exists()


def test_packages_stay_where_the_record_of_an_environment_is_damaged(site: Site, my: Path):
    lines_of(run(my / "bin/pip", "install", "-q", "extra"))
    (my / ".stackgen-venv.json").write_text("")
    assert site.call("venv", my, "-m", "framework").returncode == 0
    assert lines_of(run(my / "bin/extra")) == ["hi"]


def test_making_it_anew_where_nothing_may_be_written_says_so(site: Site, tmp_path: Path):
    disk = make(tmp_path / "disk")
    if run("mount", "-t", "tmpfs", "tmpfs", disk).returncode:
        pytest.skip("mounting needs root")
    try:
        lines_of(site.call("venv", disk / "my", "-m", "framework"))
        lines_of(run(disk / "my/bin/pip", "install", "-q", "extra"))
        subprocess.run(("mount", "-o", "remount,ro", disk), check=True)
        done = site.call("venv", disk / "my", "-m", "framework", "--recreate")
        remedy = "choose a directory of yours with room, or make room there"
        told = f"hpai: cannot write {disk}/my: Read-only file system; {remedy}\n"
        assert (done.returncode, done.stderr) == (1, told)
    finally:
        subprocess.run(("umount", disk), check=True)


def test_kills_leave_nothing_that_stands_in_the_way(site: Site, tmp_path: Path):
    my = tmp_path / "my"
    command = [str(site.place("1") / "bin/hpai"), "venv", str(my), "-m", "framework"]
    for milliseconds in (40, 60, 80, 100, 120, 140):
        started = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            started.wait(milliseconds / 1000)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()
    assert site.call("venv", my, "-m", "framework").returncode == 0
    assert lines_of(run(my / "bin/python", "-c", NUMBERS)) == ["1.5"]


def test_one_that_is_there_is_left_as_it_is(site: Site, my: Path):
    lines_of(run(my / "bin/pip", "install", "-q", "extra"))
    done = site.call("venv", my, "-m", "framework")
    told = f"{my} is there already, over hpai/framework/1.5 of the release 1\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, "", told)
    assert lines_of(run(my / "bin/extra")) == ["hi"]
    assert lines_of(site.call("venv", my, HPAI_FRAMEWORK_ROOT=str(site.framework()))) == []


@pytest.mark.parametrize("options", ["size=8k", "size=64k,nr_inodes=9", "ro"])
def test_a_disk_without_room_is_told_and_left_clean(options, site: Site, tmp_path: Path):
    disk = make(tmp_path / "disk")
    if run("mount", "-t", "tmpfs", "-o", options, "tmpfs", disk).returncode:
        pytest.skip("mounting needs root")
    try:
        done = site.call("venv", disk / "my", "-m", "framework")
        why = "Read-only file system" if options == "ro" else "No space left on device"
        remedy = "choose a directory of yours with room, or make room there"
        assert (done.returncode, done.stderr) == (1, f"hpai: cannot write {disk}/my: {why}; {remedy}\n")
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(("umount", disk), check=True)


def test_making_it_anew_without_room_leaves_what_was_there(site: Site, tmp_path: Path):
    disk = make(tmp_path / "disk")
    if run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk).returncode:
        pytest.skip("mounting needs root")
    my = disk / "my"
    try:
        lines_of(site.call("venv", my, "-m", "framework"))
        lines_of(run(my / "bin/pip", "install", "-q", "numbers1==1.4"))
        with (disk / "fill").open("wb", buffering=0) as stream:
            try:
                while stream.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        done = site.call("venv", my, "-m", "framework", "--recreate")
        assert done.returncode == 1
        assert "No space left on device; choose a directory of yours with room" in done.stderr
        assert lines_of(run(my / "bin/python", "-c", NUMBERS)) == ["1.4"]
        (disk / "fill").unlink()
        lines_of(site.call("venv", my, "-m", "framework", "--recreate"))
        assert lines_of(run(my / "bin/python", "-c", NUMBERS)) == ["1.4"]
    finally:
        subprocess.run(("umount", disk), check=True)


def test_those_who_remove_releases_know_of_it(site: Site, tmp_path: Path):
    registered = make(site.root / "ai/registered")
    my = tmp_path / "my"
    try:
        lines_of(site.call("venv", my, "-m", "framework"))
        name = f"{os.getuid()}-{hashlib.sha256(str(my).encode()).hexdigest()[:32]}.json"
        assert [path.name for path in registered.iterdir()] == [name]
        assert json.loads((registered / name).read_text()) == {
            "format": 1,
            "kind": "venv",
            "place": str(my),
            "record": ".stackgen-venv.json",
            "release": "1",
        }
    finally:
        for path in registered.iterdir():
            path.unlink()
        registered.rmdir()


def test_without_ipykernel_there_is_no_kernel(site: Site, my: Path):
    done = site.call("venv", my, "-m", "framework", "--kernel", HOME=str(my.parent))
    text = f"hpai: hpai/framework/1.5 has no ipykernel, and it cannot be had from {site.house}; without it,"
    assert (done.returncode, done.stderr.splitlines()[1:]) == (1, [f"{text} {my} is no kernel"])


def test_ipykernel_of_the_wheelhouse_makes_a_kernel(site: Site, my: Path):
    wheel = site.house / "ipykernel-7.0-py3-none-any.whl"
    wheel.write_bytes(venvs.module("ipykernel", "7.0"))
    try:
        done = site.call("venv", my, "-m", "framework", "--kernel", HOME=str(my.parent))
    finally:
        wheel.unlink()
    (kernel,) = (my.parent / ".local/share/jupyter/kernels").iterdir()
    assert lines_of(done) == [f"notebooks show it as my (framework 1.5); the kernel is {kernel}"]
    told = json.loads((kernel / "kernel.json").read_text())
    assert told["argv"] == [f"{my}/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    assert kernel.name == f"hpai-my-{hashlib.sha256(str(my).encode()).hexdigest()[:6]}"
    assert lines_of(site.call("kernels", HOME=str(my.parent)))[-1].split()[0] == kernel.name


def test_over_a_container_it_says_what_does(site: Site, tmp_path: Path):
    told = json.loads((site.place("1") / "share/launcher.json").read_text())["frameworks"]
    told[0] |= {"image": "/images/framework.sqfs", "module": "hpai/framework-container/1.5"}
    launcher = site.changed("1", tmp_path / "release", frameworks=told)
    done = run(launcher, "venv", tmp_path / "my", "-m", "framework-container")
    assert (done.returncode, done.stderr) == (
        2,
        "hpai: hpai/framework-container/1.5 runs in a container, where this does not reach; with its module"
        " loaded, `python -m venv --system-site-packages NAME` makes an environment, and"
        " `framework-container NAME/bin/python` starts it\n",
    )


def test_what_is_loaded_of_another_release_has_its_own_launcher(site: Site, tmp_path: Path):
    loaded = {"HPAI_FRAMEWORK_ROOT": str(site.framework()), "HPAI_RELEASE": str(site.place("1"))}
    done = site.call("venv", tmp_path / "my", release="2", **loaded)
    text = "hpai: hpai/framework/1.5 of the release 1 is loaded, and this is the hpai of 2: call"
    assert (done.returncode, done.stderr) == (2, f"{text} {site.place('1')}/bin/hpai, or name one by -m\n")


def test_who_stands_on_what_is_to_go_is_told(site: Site, tmp_path: Path):
    said = {"module": "hpai/framework", "version": "1.5", "state": "deprecated", "on": "2999-01-01"}
    said |= {"reason": "It is old.", "instead": "hpai/framework/1.6"}
    launcher = site.changed("1", tmp_path / "release", deprecations=[said])
    done = run(launcher, "venv", tmp_path / "my", "-m", "framework")
    told = "hpai/framework/1.5 is deprecated and will be withdrawn on 2999-01-01: It is old."
    assert (done.returncode, done.stderr) == (0, f"{told} Load hpai/framework/1.6 instead.\n")


def test_a_site_without_a_wheelhouse_leaves_pip_and_uv_to_the_user(site: Site, tmp_path: Path):
    launcher = site.changed("1", tmp_path / "release", wheelhouse="")
    my = tmp_path / "my"
    lines_of(run(launcher, "venv", my, "-m", "framework"))
    assert not (my / "pip.conf").exists()
    uv = {"PATH": f"{uv_program().parent}:/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    own = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(site.house), "UV_FIND_LINKS": str(site.house)}
    lines_of(run(my / "bin/pip", "install", "-q", "extra", **own))
    lines_of(run(my / "bin/uv", "pip", "install", "-q", "--no-index", "fine", **own, **uv))
    done = run(my / "bin/pip", "install", "-q", "nothere", **own)
    assert "wheelhouse" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("ERROR: No matching distribution found for nothere")


def test_a_wheelhouse_may_be_an_index(site: Site, tmp_path: Path):
    index = Index(tmp_path / "index")
    index.add_wheel("served", "1.0", requires=("numbers1>=1",))
    index.add_wheel("served2", "1.0")
    my = tmp_path / "my"
    uv = {"PATH": f"{uv_program().parent}:/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    with serving(index) as server:
        launcher = site.changed("1", tmp_path / "release", wheelhouse=server.index)
        lines_of(run(launcher, "venv", my, "-m", "framework"))
        lines_of(run(my / "bin/pip", "install", "-q", "served"))
        done = run(my / "bin/uv", "pip", "install", "served2", **uv)
        assert done.returncode == 0, done.stderr
        for words in (("bin/pip", "install"), ("bin/uv", "pip", "install")):
            done = run(my / words[0], *words[1:], "nothere", **uv)
            text = f"hpai: packages come from {server.index} alone, which lacks one that fits;"
            assert done.stderr.splitlines()[-1] == f"{text} ask those who run it to add it"
