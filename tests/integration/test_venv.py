"""Virtual environments over a real framework: made, used, left alone by its release, and made anew."""

import json
import time
from pathlib import Path

import lmod
import pytest
import venvs
from venvs import SETTINGS, Site, lines_of, run
from wheelhouse import PYTHON

from stackgen import files
from stackgen.programs import uv_program

SHELLS = pytest.mark.parametrize("name", lmod.SHELLS)
SHOWS = "import numbers1, os, sys; print(numbers1.__version__, sys.prefix, os.environ.get('KMP_BLOCKTIME'))"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    return venvs.made(tmp_path_factory.mktemp("venvs"))


@pytest.fixture
def my(site: Site, tmp_path: Path) -> Path:
    """An environment over the first release."""
    done = site.call("venv", tmp_path / "my", "-m", "framework")
    assert done.returncode == 0, done.stderr
    return tmp_path / "my"


def test_it_is_told_how_to_use_it(site: Site, tmp_path: Path):
    done = site.call("venv", tmp_path / "a b", "-m", "framework")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"{tmp_path}/a b stands on hpai/framework/1.5 of the release 1:",
        "",
        f"  source '{tmp_path}/a b/bin/activate'",
        "  pip install PACKAGE",
        "",
        f"and without that, in jobs too: '{tmp_path}/a b/bin/python' train.py",
    ]
    assert lines_of(run(tmp_path / "a b/bin/pip", "install", "-q", "extra")) == []
    assert lines_of(run(tmp_path / "a b/bin/extra")) == ["hi"]
    record = json.loads((tmp_path / "a b/.stackgen-venv.json").read_text())
    assert record == {
        "format": 1,
        "state": "made",
        "prefix": str(site.root / "ai"),
        "release": "1",
        "module": "hpai/framework/1.5",
        "framework": str(site.framework()),
        "python": PYTHON,
    }


def test_its_python_needs_no_module(my: Path, tmp_path: Path):
    home = tmp_path / "home"
    user = home / f".local/lib/python{PYTHON}/site-packages"
    files.write(user / "numbers1.py", "__version__ = 'of ~/.local'")
    led_astray = {"PYTHONHOME": "/x", "HOME": str(home), "BASH_ENV": "/dev/tty"}
    assert lines_of(run(my / "bin/python", "-c", SHOWS, **led_astray)) == [f"1.5 {my} 0"]
    assert lines_of(run(my / "bin/python3", "-c", SHOWS, KMP_BLOCKTIME="7")) == [f"1.5 {my} 7"]
    shown = "import os; print(os.environ['HOSTILE'], os.environ.get('RANKS'))"
    assert lines_of(run(my / "bin/python", "-c", shown)) == [f"{SETTINGS['HOSTILE']} None"]
    files.write(tmp_path / "mine.py", "MINE = 1")
    path = {"PYTHONPATH": str(tmp_path)}
    assert lines_of(run(my / "bin/python", "-c", "import mine; print(mine.MINE)", **path)) == ["1"]


def test_own_packages_come_first(my: Path):
    assert lines_of(run(my / "bin/pip", "install", "-q", "numbers1==1.4")) == []
    assert lines_of(run(my / "bin/python", "-c", SHOWS)) == [f"1.4 {my} 0"]


def test_a_child_of_its_python_is_the_same_python(my: Path):
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SHOWS!r}], check=True)"
    assert lines_of(run(my / "bin/python", "-c", code)) == [f"1.5 {my} 0"]
    spawned = "import multiprocessing as m\nif __name__ == '__main__':\n"
    spawned += "    print(m.get_context('spawn').Pool(1).map(len, [[1]]))"
    files.write(my.parent / "spawned.py", spawned)
    assert lines_of(run(my / "bin/python", my.parent / "spawned.py")) == ["[1]"]


def test_it_can_be_linked_to_and_cannot_be_moved(my: Path, tmp_path: Path):
    (tmp_path / "python-of-mine").symlink_to(my / "bin/python")
    assert lines_of(run(tmp_path / "python-of-mine", "-c", SHOWS)) == [f"1.5 {my} 0"]
    my.rename(tmp_path / "other")
    done = run(tmp_path / "other/bin/python", "-c", SHOWS)
    text = f"this environment was made as {my}, and cannot be moved;"
    text += " run `hpai venv NAME` to make another one\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", text)


@pytest.fixture
def without_network():
    """The words that start a program where there is no network."""
    words = ("unshare", "--net", "--map-root-user")
    if run(*words, "true").returncode:
        pytest.skip("no network namespaces here")
    return words


OFFLINE = "hpai: packages come from {} alone, which lacks one that fits; ask those who run it to add it"


@pytest.mark.parametrize("way", [("bin/pip",), ("bin/python", "-m", "pip"), ("bin/uv", "pip")])
def test_packages_come_from_the_wheelhouse_alone(way, site: Site, my: Path, without_network, tmp_path: Path):
    path = {"PATH": f"{uv_program().parent}:/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    elsewhere = {"PIP_INDEX_URL": "https://index.example", "UV_DEFAULT_INDEX": "https://index.example"}
    start = (*without_network, my / way[0], *way[1:], "install")
    began = time.monotonic()
    done = run(*start, "extra", "fine", **path, **elsewhere)
    assert done.returncode == 0, done.stderr
    assert lines_of(run(my / "bin/extra")) == ["hi"]
    done = run(*start, "nothere", **path, **elsewhere)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, OFFLINE.format(site.house))
    assert time.monotonic() - began < 30  # nobody waited for a network


STAYS = (
    "hpai: what hpai/framework/1.5 has stays as it is here, unless you name it, and its version;"
    " with --unconstrained anything may be replaced"
)


def test_what_the_framework_has_stays_unless_it_is_named(my: Path, tmp_path: Path):
    pip = my / "bin/pip"
    done = run(pip, "install", "needy")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, STAYS)
    (tmp_path / "wanted.txt").write_text("needy\nnumbers1 < 1.5  # an older one\n")
    assert lines_of(run(pip, "install", "-q", "-r", tmp_path / "wanted.txt")) == []
    assert lines_of(run(my / "bin/python", "-c", SHOWS)) == [f"1.4 {my} 0"]
    assert lines_of(run(pip, "uninstall", "-q", "-y", "needy", "numbers1")) == []
    assert lines_of(run(pip, "install", "-q", "--unconstrained", "needy")) == []
    assert lines_of(run(my / "bin/python", "-c", SHOWS)) == [f"1.4 {my} 0"]
    assert lines_of(run(pip, "install", "-q", "extra")) == []  # what is one's own already stays, too


def test_uv_knows_what_the_framework_has(my: Path, tmp_path: Path):
    path = {"PATH": f"{uv_program().parent}:/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = run(my / "bin/uv", "pip", "install", "needy", **path)
    note = "hpai: note: needy 1.0 has requirement numbers1<1.5, but you have numbers1 1.5."
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, note)
    assert run(my / "bin/uv", "pip", "install", "numbers1==1.4", **path).returncode == 0
    assert lines_of(run(my / "bin/python", "-c", SHOWS)) == [f"1.4 {my} 0"]
    done = run(my / "bin/uv", "pip", "list")
    text = "hpai: uv is not here; pip of this environment does the same, more slowly\n"
    assert (done.returncode, done.stderr) == (1, text)


@SHELLS
def test_it_is_activated_in_every_shell_without_the_module(name, my: Path, site: Site, tmp_path: Path):
    shell = lmod.shell(name)
    source = {"tcsh": "activate.csh", "fish": "activate.fish"}.get(name, "activate")
    lines = ["note before", f"source {my}/bin/{source}", "note active"]
    lines += [
        "python -c 'import numbers1; print(7)'",
        f"source {my}/bin/{source}",
        "note twice",
        "deactivate",
        "note after",
    ]
    session = lmod.session(shell, site.place("1") / "modules/Core", lines, {}, tmp_path)
    assert session.output == "7\n"
    before, active = session.noted["before"], session.noted["active"]
    bins = [my / "bin", site.framework() / "bin", site.place("1") / "bin"]
    assert active["PATH"] == ":".join([*map(str, bins), before["PATH"]])
    assert {key: text for key, text in active.items() if key != "PATH" and text != before.get(key)} == {
        "VIRTUAL_ENV": str(my),
        "VIRTUAL_ENV_PROMPT": "my",
        "HPAI_FRAMEWORK_ROOT": str(site.framework()),
        "HPAI_RELEASE": str(site.place("1")),
        "KMP_BLOCKTIME": "0",
        "HOSTILE": SETTINGS["HOSTILE"],
        "PYTHONNOUSERSITE": "1",
    }
    assert session.noted["twice"] == active
    assert session.noted["after"] == before


@SHELLS
def test_it_goes_with_its_module_and_with_another_one(name, my: Path, site: Site, tmp_path: Path):
    shell = lmod.shell(name)
    source = {"tcsh": "activate.csh", "fish": "activate.fish"}.get(name, "activate")
    lines = ["module load hpai/framework", "note loaded", f"source {my}/bin/{source}"]
    lines += ["deactivate", "note after"]
    session = lmod.session(shell, site.place("1") / "modules/Core", lines, {}, tmp_path)
    assert session.output == ""
    assert session.noted["after"] == session.noted["loaded"]
    (tmp_path / "notes").rename(tmp_path / "earlier")
    lines[3:3] = ["python -c 'import numbers1; print(numbers1.__version__)'"]
    session = lmod.session(shell, site.place("2") / "modules/Core", lines, {}, tmp_path)
    note = f"note: hpai/framework{'' if name == 'tcsh' else '/1.6'} is loaded, and not used:"
    assert note in session.output
    assert f"{my} stands on hpai/framework/1.5 of the release 1\n" in session.output
    assert "1.5\n" in session.output
    assert session.noted["after"] == session.noted["loaded"]


@SHELLS
def test_a_name_may_be_whatever_a_directory_may_be(name, site: Site, tmp_path: Path):
    my = tmp_path / "it's (touch pwned) é !a {x} ~ * ; # & | <script>"
    assert site.call("venv", my, "-m", "framework").returncode == 0
    assert lines_of(run(my / "bin/pip", "install", "-q", "extra")) == []
    assert lines_of(run(my / "bin/extra")) == ["hi"]
    source = {"tcsh": "activate.csh", "fish": "activate.fish"}.get(name, "activate")
    # The name itself is for no script of a test to quote: a link is sourced.
    (tmp_path / source).symlink_to(my / "bin" / source)
    lines = ["note before", f"source {tmp_path}/{source}", "note active"]
    lines += ["python -c 'import numbers1; print(7)'", "extra", "deactivate", "note after"]
    core = site.place("1") / "modules/Core"
    session = lmod.session(lmod.shell(name), core, lines, {"LANG": "C.UTF-8"}, tmp_path)
    assert session.output == "7\nhi\n"
    assert session.noted["active"]["VIRTUAL_ENV"] == str(my)
    assert session.noted["after"] == session.noted["before"]
    assert not (tmp_path / "pwned").exists()


def test_a_rank_of_a_job_gets_what_only_a_rank_can_know(my: Path):
    shown = "import os; print(os.environ['RANKS'])"
    job = {"SLURM_CPUS_PER_TASK": "3", "SLURM_JOB_ID": "7", "SLURM_PROCID": "0", "SLURM_NTASKS": "1"}
    words = f'source {my}/bin/activate; hpai rank -- python -c "{shown}"'
    assert lines_of(run("bash", "-c", words, **job)) == ["3"]
