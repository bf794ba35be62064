"""What the launcher says of a release: what there is, where a name comes from, what is inside."""

import json
import os
import venv
from pathlib import Path

import pytest
from small_site import PYTHON, WITH_GPUS, asked, installed, lay, loading, publish, site

from stackgen import files
from stackgen.inside.launcher.command import launch
from stackgen.inside.launcher.description import Site
from stackgen.inside.launcher.surroundings import frameworks_told, loaded_here
from stackgen.inside.launcher.words import LauncherError, tell
from stackgen.jobs import job_tree
from stackgen.notebooks import kernel_tree
from stackgen.plan import Plan
from stackgen.release import InstalledFramework


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with one release, which is current."""
    place = tmp_path_factory.mktemp("site") / "ai"
    for framework in installed(asked(place)):
        lay(framework)
    publish(asked(place, system=WITH_GPUS), installed(asked(place)))
    return place


@pytest.fixture
def planned(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Its plan, in a shell that has loaded nothing."""
    for name in os.environ:
        if name.startswith(("SLURM_", "PYTHON", "HPAI_", "LD_", "LOADEDMODULES", "MODULEPATH", "CUDA_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return asked(prefix, system=WITH_GPUS)


@pytest.fixture
def here(planned: Plan) -> Site:
    return site(planned, installed(planned))


def framework(planned: Plan, name: str) -> InstalledFramework:
    return next(one for one in installed(planned) if one.name == name)


def load(planned: Plan, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what the module would."""
    for variable, value in loading(planned, framework(planned, name)).items():
        monkeypatch.setenv(variable, value)


def said(here: Site, capfd: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command prints, the site's prefix as AI."""
    launch(here, words)
    return capfd.readouterr().out.replace(here.prefix, "AI")


NOTHING = """\
AI frameworks on Lab, release 1

  hpai/pytorch/2.13.0     tensors and dynamic neural networks
  hpai/tensorflow/2.15.1  machine learning with Keras and XLA
  hpai/tensorflow/2.21.0  (default, GPU) machine learning with Keras and XLA

Nothing is loaded.

Next:
  module use AI/current/modules/Core
  module load hpai/pytorch  to use it: `python` is its own then
  hpai packages pytorch     what is inside, a package a line
  hpai which NAME           where a command or a package is

  hpai run       run a program, or a shell, as a job and wait for it
  hpai batch     submit a job script
  hpai queue     your jobs, and what is free
  hpai rank      what a job starts on each rank
"""
LOADED = """\
Loaded: hpai/tensorflow/2.21.0 of the release 1.

Next:
  hpai info      how to use what is loaded, and what it sets
  hpai packages  what is inside, a package a line
  hpai doctor    why something does not work
"""


def test_it_says_what_there_is_and_what_to_type(here, capfd):
    assert said(here, capfd) == NOTHING


def test_where_modules_are_seen_it_does_not_say_how(here, capfd, monkeypatch):
    monkeypatch.setenv("MODULEPATH", f"/other:{here.prefix}/current/modules/Core")
    assert said(here, capfd) == NOTHING.replace("  module use AI/current/modules/Core\n", "")


def test_what_is_loaded_is_marked(here, planned, capfd, monkeypatch):
    load(planned, "tensorflow", monkeypatch)
    told = said(here, capfd)
    assert "> hpai/tensorflow/2.21.0  (default, GPU)" in told
    assert LOADED in told


def test_all_fits_a_terminal(planned, capfd, monkeypatch):
    long = asked(
        Path(planned.prefix),
        unsupported={"rapids": "there are no wheels of it for the processors of this machine; use cupy"},
    )
    one = installed(planned)[0]
    many = [one.model_copy(update={"module": f"a-long-name-of-a-module-{n}"}) for n in range(9)]
    here = site(long, [*installed(planned), *many])
    told = said(here, capfd)
    assert max(len(line) for line in told.splitlines() if "module use" not in line) <= 79
    assert "Not here: rapids. `hpai which NAME` says why, and what to use instead.\n" in told


def test_of_an_old_release_it_says_what_is_current(planned, capfd, monkeypatch):
    old = asked(Path(planned.prefix), release="0", system=WITH_GPUS)
    load(old, "tensorflow", monkeypatch)
    told = said(site(old, installed(old)), capfd)
    assert told.startswith("AI frameworks on Lab, release 1\n\n  hpai/pytorch")
    assert (
        """\
Loaded: hpai/tensorflow/2.21.0 of the release 0.
The current release is 1. What runs goes on; this shell changes to it by
  module unload hpai/tensorflow; module load hpai/tensorflow
"""
        in told
    )


def test_of_an_old_release_it_says_what_the_current_one_has_withdrawn(planned, capfd, monkeypatch, tmp_path):
    to_go = {"state": "deprecated", "on": "2999-01-01", "reason": "It is old.", "instead": "pytorch"}
    before = asked(tmp_path / "ai", release="0", deprecations={"tensorflow/2.15": to_go})
    gone = to_go | {"state": "withdrawn", "on": "2026-01-01"}
    now = asked(tmp_path / "ai", release="1", deprecations={"tensorflow/2.15": gone})
    publish(now, installed(now))
    load(before, "tensorflow-old", monkeypatch)
    told = said(site(before, installed(before)), capfd)
    assert "  hpai/tensorflow/2.15.1  (withdrawn) " in told
    assert "hpai/tensorflow/2.15.1 was withdrawn on 2026-01-01: It is old. Load" in told
    told = said(site(now, installed(now)), capfd, "which", "tensorflow/2.15")
    assert "\n  hpai/tensorflow/2.15.1 was withdrawn on 2026-01-01: It is old. Load" in told
    assert "module load" not in told


def test_a_framework_of_another_release_is_described_by_that(planned, here, tmp_path, monkeypatch):
    other = asked(tmp_path / "other", release="9")
    changed = [one.model_copy(update={"version": "1.2"}) for one in installed(other)]
    publish(other, changed)
    for variable, value in loading(other, changed[0]).items():
        monkeypatch.setenv(variable, value)
    (loaded,) = loaded_here(here, os.environ)
    assert (loaded.framework.module, loaded.release) == ("hpai/pytorch/1.2", "9")


def test_a_release_of_an_older_stackgen_says_less(tmp_path):
    (tmp_path / "share").mkdir()
    told = {
        "module": "hpai/six/1.0",
        "root": "HPAI_SIX_ROOT",
        "prefix": "/x",
        "distributed": False,
        "settings": {},
    }
    (tmp_path / "share/launcher.json").write_text(json.dumps({"frameworks": [told]}))
    (only,) = frameworks_told(str(tmp_path))
    assert (only.name, only.version, only.title, only.cuda, only.features) == ("six", "1.0", "six", None, ())


@pytest.mark.parametrize("text", ["", "[]", "3", '{"frameworks": [{}]}', '{"frameworks": 3}'])
def test_a_release_whose_description_is_damaged_says_nothing(tmp_path, text):
    (tmp_path / "share").mkdir()
    (tmp_path / "share/launcher.json").write_text(text)
    assert frameworks_told(str(tmp_path)) == []


def test_packages_are_a_line_each(here, capfd):
    assert said(here, capfd, "packages", "tensorflow") == (
        "keras                     3.9.0    [MIT] what keras does\n"
        "numpy                     2.1.0    [MIT] what numpy does\n"
        "nvidia-cuda-runtime-cu12  12.8.57  [MIT] what nvidia-cuda-runtime-cu12 does\n"
    )


@pytest.mark.parametrize(
    ("name", "numpy"),
    [
        ("tensorflow", "2.1.0"),
        ("TensorFlow", "2.1.0"),
        ("hpai/tensorflow", "2.1.0"),
        ("tensorflow/2.15", "1.26.4"),
        ("hpai/tensorflow/2", "2.1.0"),
        ("tensorflow/2.15.1", "1.26.4"),
        ("hpai/tensorflow/2.15", "1.26.4"),
        ("tensorflow-old", "1.26.4"),
    ],
)
def test_a_framework_goes_by_what_users_call_it(here, capfd, name, numpy):
    found = {line.split()[0]: line.split()[1] for line in said(here, capfd, "packages", name).splitlines()}
    assert found["numpy"] == numpy


def test_without_a_name_it_is_the_loaded_one(here, planned, capfd, monkeypatch):
    load(planned, "tensorflow-old", monkeypatch)
    listed = json.loads(said(here, capfd, "packages", "--json"))
    assert listed[0] == {
        "name": "keras",
        "version": "2.15.0",
        "license": "MIT",
        "summary": "what keras does",
    }
    assert said(here, capfd, "packages", "tensorflow", "--json") == said(here, capfd, "packages", "--json")


def test_where_a_release_tells_nothing_of_packages_they_are_looked_for(planned, capfd):
    old = site(asked(Path(planned.prefix), release="0"), installed(planned))
    launch(old, ("packages", "pytorch"))
    out, err = capfd.readouterr()
    assert err == "the release 0 tells nothing of packages; these lie in the Python of hpai/pytorch/2.13.0\n"
    assert out == "numpy   2.1.0\npyyaml  6.0.2\n"


def test_which_says_of_a_name_all_that_it_is(here, capfd):
    assert said(here, capfd, "which", "tensorboard") == (
        "tensorboard is a command\n"
        "  not loaded: hpai/pytorch/2.13.0\n"
        "  not loaded: hpai/tensorflow/2.21.0\n"
        "  not loaded: hpai/tensorflow/2.15.1\n"
    )
    assert said(here, capfd, "which", "PyTorch") == (
        "hpai/pytorch/2.13.0 is a framework of the release 1\n"
        "  load    module load hpai/pytorch/2.13.0\n"
        "  prefix  AI/pythons/pytorch-2.13.0\n"
        "  python  AI/pythons/pytorch-2.13.0/bin/python (3.11)\n"
    )


def test_which_says_what_an_import_takes(here, planned, capfd, monkeypatch):
    assert said(here, capfd, "which", "keras") == (
        "keras is a Python package\n"
        "  3.9.0   in hpai/tensorflow/2.21.0\n"
        "  2.15.0  in hpai/tensorflow/2.15.1\n"
    )
    load(planned, "tensorflow", monkeypatch)
    assert said(here, capfd, "which", "keras") == (
        "keras is a Python package\n"
        "  3.9.0   in hpai/tensorflow/2.21.0  (loaded)\n"
        "  2.15.0  in hpai/tensorflow/2.15.1\n"
        "  import keras, in the loaded Python:"
        f" AI/pythons/tensorflow-2.21.0/lib/python{PYTHON}/site-packages/keras/__init__.py\n"
    )


def test_which_says_what_an_import_takes_in_a_virtual_environment(
    here, planned, capfd, monkeypatch, tmp_path
):
    load(planned, "tensorflow", monkeypatch)
    venv.create(tmp_path / "my", symlinks=True)
    mine = tmp_path / f"my/lib/python{PYTHON}/site-packages"
    for name in ("keras", "idea", "yaml"):
        files.write(mine / name / "__init__.py", "")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "my"))
    shadowed = said(here, capfd, "which", "keras")
    assert "the virtual environment" not in shadowed
    monkeypatch.setenv("PATH", f"{tmp_path}/my/bin:{os.environ['PATH']}")
    line = f"  import keras, in the virtual environment {tmp_path}/my: {mine}/keras/__init__.py\n"
    assert said(here, capfd, "which", "keras") == shadowed.replace("  import", f"{line}  import")
    assert said(here, capfd, "which", "idea") == (
        "idea is a Python package\n"
        f"  import idea, in the virtual environment {tmp_path}/my: {mine}/idea/__init__.py\n"
    )
    line = f"  import yaml, in the virtual environment {tmp_path}/my: {mine}/yaml/__init__.py\n"
    for name in ("yaml", "PyYAML", "pyyaml"):
        assert line in said(here, capfd, "which", name)


@pytest.mark.parametrize("name", ["yaml", "PyYAML", "pyyaml"])
def test_which_knows_packages_by_what_is_imported(here, planned, capfd, monkeypatch, name):
    load(planned, "pytorch", monkeypatch)
    told = ", imported as yaml" if name == "yaml" else ""
    assert said(here, capfd, "which", name) == (
        f"pyyaml is a Python package{told}\n"
        "  6.0.2  in hpai/pytorch/2.13.0  (loaded)\n"
        "  import yaml, in the loaded Python:"
        f" AI/pythons/pytorch-2.13.0/lib/python{PYTHON}/site-packages/yaml/__init__.py\n"
    )


def test_which_says_whose_command_is_taken(here, planned, capfd, monkeypatch, tmp_path):
    load(planned, "tensorflow", monkeypatch)
    mine = tmp_path / "tensorboard"
    mine.write_text("")
    mine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert said(here, capfd, "which", "tensorboard") == (
        "tensorboard is a command\n"
        f"  taken  {tmp_path}/tensorboard\n"
        "  then   AI/pythons/tensorflow-2.21.0/bin/tensorboard  (hpai/tensorflow/2.21.0)\n"
        "  not loaded: hpai/pytorch/2.13.0\n"
        "  not loaded: hpai/tensorflow/2.15.1\n"
        "So it is not that of the loaded hpai/tensorflow/2.21.0.\n"
    )


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ("which kersa", "nothing here is called kersa; did you mean keras?"),
        (
            "which xyzzy",
            "nothing here is called xyzzy; `hpai` lists the frameworks, `hpai packages` what is in one",
        ),
        ("which", "which takes one name, such as `hpai which keras`"),
        ("which a b", "which takes one name, such as `hpai which keras`"),
        ("packages", "no framework is loaded; load its module, or name one, such as pytorch/2.13.0"),
        (
            "packages tensroflow",
            "there is no module tensroflow; did you mean tensorflow or tensorflow/2.21.0?",
        ),
        ("packages pytorch tensorflow", "packages takes one framework, and tensorflow is another word"),
        ("packages --jsn", "there is no option --jsn; did you mean --json?"),
        ("info", "no framework is loaded; load its module, or name one, such as pytorch/2.13.0"),
        ("info a b", "info takes one framework, and b is another word"),
        ("doctor a b", "doctor takes one name, and b is another word"),
        (
            "doctor ../x",
            "../x is no name of a module or a package; write it as after `import`, such as keras",
        ),
        ("whihc keras", "there is no command whihc; did you mean which?"),
    ],
)
def test_words_that_say_nothing_here(here, words, refusal):
    with pytest.raises(LauncherError) as caught:
        launch(here, words.split())
    assert str(caught.value) == refusal


def test_info_says_how_a_framework_is_used(here, capfd):
    assert said(here, capfd, "info", "tensorflow") == (
        """\
TensorFlow 2.21.0: machine learning with Keras and XLA
https://www.tensorflow.org

Use
  module load hpai/tensorflow/2.21.0
  python script.py                    here
  hpai run script.py                  as a job
  hpai run -N 2 script.py             as a job on two nodes
  module help hpai/tensorflow/2.21.0  more, and how to add packages of your own

Facts
  module       hpai/tensorflow/2.21.0, the default version
  versions     2.21.0, 2.15.1
  release      1 of lab
  Python       3.11, AI/pythons/tensorflow-2.21.0/bin/python
  GPUs         NVIDIA, by CUDA 12.8, on drivers from 525.60.13 on
  features     ddp
  packages     3: hpai packages tensorflow
  from         wheels
  prefix       AI/pythons/tensorflow-2.21.0

Set where you have not set them yourself
  OMP_NUM_THREADS={threads}
  TF_NUM_INTRAOP_THREADS={threads}
  TF_SOME=1
  {threads} stands for the cores of a rank in a job; elsewhere it is not set.
"""
    )


def test_info_says_what_is_set_otherwise_here(here, planned, capfd, monkeypatch):
    load(planned, "tensorflow", monkeypatch)
    monkeypatch.setenv("TF_SOME", "2")
    assert "\n  TF_SOME=1  (here: 2)\n" in said(here, capfd, "info")


def test_info_and_which_say_what_is_not_here_and_what_is_to_go(planned, capfd):
    more = {
        "unsupported": {"rapids": "there are no wheels for this processor; use CuPy"},
        "deprecations": {
            "tensorflow/2.15": {
                "state": "deprecated",
                "on": "2999-01-01",
                "reason": "it is old.",
                "instead": "tensorflow",
            }
        },
    }
    here = site(asked(Path(planned.prefix), **more), installed(planned))
    told = said(here, capfd, "info", "tensorflow/2.15")
    sentence = (
        "hpai/tensorflow/2.15.1 is deprecated and will be withdrawn on 2999-01-01: it is\n"
        "old. Load hpai/tensorflow instead."
    )
    assert told.split("\n\n")[1] == sentence
    assert told.endswith("\n\nNot on Lab\n  rapids: there are no wheels for this processor; use CuPy\n")
    assert "\n  hpai/tensorflow/2.15.1  (deprecated) machine" in said(here, capfd)
    reason = "rapids is not here: there are no wheels for this processor; use CuPy\n"
    assert said(here, capfd, "which", "RAPIDS") == reason


def test_what_users_and_sites_write_moves_no_cursor(planned, here, capfd):
    evil = here._replace(system="\x1b[7mLab", unsupported={"caffe\x9b1m": "\x1b[5mold\u202e"})
    assert all(one.isprintable() for line in said(evil, capfd).splitlines() for one in line)
    tell("there is no \x1b[31mred\n\tand é")
    assert capfd.readouterr().err == "there is no ?[31mred\n\tand é\n"


def test_what_packages_say_of_themselves_moves_no_cursor(planned, capfd, tmp_path):
    other = asked(tmp_path / "ai")
    publish(other, installed(other))
    told = {"name": "\x1b[2Jevil", "version": "1\r0", "license": "<b>", "summary": "\x9b31m\u202ered é"}
    place = Path(other.place, "share/packages/pytorch.json")
    place.chmod(0o644)
    place.write_text(json.dumps({"format": 1, "packages": [told]}))
    launch(site(other, installed(other)), ("packages", "pytorch"))
    assert capfd.readouterr().out == "?[2Jevil  1?0  [<b>] ?31m?red é\n"


@pytest.mark.parametrize(
    "text", ["", "[]", '{"packages": 3}', '{"packages": [{}]}', '{"packages": [{"name": 3}]}']
)
def test_lists_of_packages_that_are_damaged(tmp_path, text):
    other = asked(tmp_path / "ai")
    publish(other, installed(other))
    place = Path(other.place, "share/packages/pytorch.json")
    place.chmod(0o644)
    place.write_text(text)
    with pytest.raises(LauncherError) as caught:
        launch(site(other, installed(other)), ("packages", "pytorch"))
    assert str(caught.value) == f"{place} does not list packages; this release is not whole"


def test_a_stack_of_ones_own_says_what_it_stands_on(here, capfd):
    own = here._replace(extends="/dss/hpai/releases/2026.11")
    told = """
This stands on another stack, whose modules come by
  module use /dss/hpai/current/modules/Core

Nothing is loaded.
"""
    assert told in said(own, capfd)


def test_without_a_scheduler_it_says_nothing_of_jobs(planned, capfd):
    alone = asked(Path(planned.prefix))
    told = said(site(alone, installed(alone)), capfd)
    assert told.endswith("is\n\n  hpai rank      what a job starts on each rank\n")


def test_info_names_the_kernel_and_the_job_scripts(tmp_path, capfd):
    mine = asked(tmp_path / "ai", system=WITH_GPUS)
    frameworks = [
        one.model_copy(update={"packages": {**one.packages, "ipykernel": "7.0"}}) for one in installed(mine)
    ]
    publish(mine, frameworks)
    files.write_tree(
        kernel_tree(mine, tuple(frameworks)) | job_tree(mine, tuple(frameworks)), Path(mine.place)
    )
    told = said(site(mine, frameworks), capfd, "info", "pytorch")
    kernel = "the kernel PyTorch 2.13.0 (hpai 1) (hpai-pytorch-2.13.0)"
    assert f"\n  notebooks    {kernel}\n  job scripts  AI/releases/1/jobs/pytorch\n" in told
