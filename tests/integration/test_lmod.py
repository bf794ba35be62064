"""The modules in real Lmod, in every shell: what loading does, and that unloading leaves nothing."""

import dataclasses
import shutil
from pathlib import Path

import lmod
import pytest

from stackgen.effects import FOREIGN_PYTHON
from stackgen.files import write_tree
from stackgen.model import Environment, System
from stackgen.modules import module_tree
from stackgen.plan import Plan, plan
from stackgen.release import InstalledFramework
from stackgen.run import Command
from stackgen.shell import shell_environment

HOSTILE_TEXT = """]] os.execute("touch pwned") --[[ ]=] $HOME `id` $(id) \\ \\n 'one' "two" * ~ # ; | & < >"""
SETTINGS = {"HOSTILE": HOSTILE_TEXT, "KMP_BLOCKTIME": "0", "SPACES": "  a  b  "}
FRAMEWORKS = {
    "tensorflow": {"from": "wheels", "version": "2.21", "settings": SETTINGS},
    "old-tensorflow": {"from": "wheels", "version": "2.20", "module": "tensorflow"},
    "pytorch": {"from": "wheels", "version": "newest", "settings": {"KMP_BLOCKTIME": "1"}},
}
VERSIONS = {"tensorflow": "2.21.0", "old-tensorflow": "2.20.1", "pytorch": "2.13.0+cpu"}
TENSORFLOW, PYTORCH = "hpai/tensorflow/2.21.0", "hpai/pytorch/2.13.0+cpu"
BOOKKEEPING = ("__HPAI_", "__LMOD_", "LMOD_FAMILY_", "LOADEDMODULES", "_LMFILES_")

SHELLS = pytest.mark.parametrize("name", lmod.SHELLS)


def planned() -> Plan:
    environment = {
        "name": "quickstart",
        "release": "2026.11",
        "system": "node",
        "prefix": "/dss/hpai",
        "frameworks": FRAMEWORKS,
    }
    facts = {"name": "node", "os": "debian12", "glibc": "2.36", "target": "x86_64_v3"}
    pythons = [{"version": "3.11", "prefix": "/usr"}]
    return plan(Environment.model_validate(environment), System.model_validate({**facts, "pythons": pythons}))


def installed(name: str, **changes) -> InstalledFramework:
    framework = next(framework for framework in planned().frameworks if framework.name == name)
    fields = {
        "name": name,
        "module": framework.about.module,
        "version": VERSIONS[name],
        "prefix": f"/dss/hpai/pythons/{name}-{VERSIONS[name]}-0123456789ab",
        "python": "3.11",
        "packages": {"numpy": "2.4.0", "pip": "26.0"},
        "settings": dict(framework.about.settings),
    }
    return InstalledFramework.model_validate(fields | changes)


@pytest.fixture(scope="module")
def core(tmp_path_factory) -> Path:
    """A release's modules."""
    top = tmp_path_factory.mktemp("release")
    write_tree(module_tree(planned(), tuple(installed(name) for name in FRAMEWORKS)), top)
    return top / "modules/Core"


@pytest.fixture
def bash(core, tmp_path):
    """Run lines in bash; the result is a Session."""
    shell = lmod.shell("bash")
    return lambda *lines, **given: lmod.session(shell, core, lines, given, tmp_path)


@SHELLS
def test_unloading_brings_back_what_the_user_had(name, core, tmp_path):
    shell = lmod.shell(name)
    lines = ["note before"]
    for number, way in enumerate(("unload hpai/tensorflow", "purge", "swap hpai/tensorflow hpai/pytorch")):
        values = {variable: f"/{number}/{variable}" for variable in FOREIGN_PYTHON}
        lines += [shell.set(variable, value) for variable, value in values.items()]
        lines += [f"note before{number}", "module load hpai/tensorflow", f"note loaded{number}"]
        lines += [f"module {way}", "module purge", f"note after{number}"]
    lines += [shell.forget(variable) for variable in values]
    lines += [
        "module load hpai/tensorflow",
        "module load hpai/pytorch",
        "module update",
        "module purge",
        "note after",
    ]
    noted = lmod.session(shell, core, lines, {}, tmp_path).noted
    for number in range(3):
        assert noted[f"loaded{number}"].keys().isdisjoint(FOREIGN_PYTHON)
        assert noted[f"after{number}"] == noted[f"before{number}"]
    assert noted["after"] == noted["before"]


@SHELLS
def test_loading_does_what_a_shell_without_lmod_does(name, core, tmp_path):
    shell = lmod.shell(name)
    caller = {
        **dict.fromkeys(FOREIGN_PYTHON, "/elsewhere"),
        "LD_LIBRARY_PATH": "/elsewhere/lib",
        "PYTHONNOUSERSITE": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HPAI_TENSORFLOW_ROOT": "/elsewhere",
        "KMP_BLOCKTIME": "200",
        "PATH": f"/elsewhere/bin:{installed('tensorflow').prefix}/bin:/usr/bin:/bin",
    }
    noted = lmod.session(
        shell,
        core,
        ["note before", "module load hpai/tensorflow", "note loaded", "module purge", "note after"],
        caller,
        tmp_path,
    ).noted
    assert without_bookkeeping(noted["loaded"]) == without_bookkeeping(
        shell_environment(planned().namespace, installed("tensorflow"), planned().place, noted["before"])
    )
    assert noted["loaded"]["HOSTILE"] == HOSTILE_TEXT
    assert noted["loaded"]["SPACES"] == SETTINGS["SPACES"]
    del noted["before"]["PATH"], noted["after"]["PATH"]
    assert noted["after"] == noted["before"]
    assert not (tmp_path / "pwned").exists()


def without_bookkeeping(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(BOOKKEEPING)}


@SHELLS
def test_settings_are_the_users_before_and_after(name, core, tmp_path):
    shell = lmod.shell(name)
    load, unload, module = "module load hpai/tensorflow", "module unload hpai/tensorflow", "KMP_BLOCKTIME"
    lines = [load, "note unset_loaded", unload, "note unset_unloaded"]
    for value in ("", "0", "200"):
        lines += [
            shell.set(module, value),
            load,
            f"note is_{value}_loaded",
            unload,
            f"note is_{value}_unloaded",
        ]
        lines += [shell.forget(module)]
        lines += [
            load,
            shell.set(module, value or "5"),
            unload,
            f"note becomes_{value}_unloaded",
            shell.forget(module),
        ]
    lines += [load, shell.forget(module), unload, "note removed_unloaded"]
    lines += [
        load,
        shell.set(module, "7"),
        "module load hpai/pytorch",
        "note kept",
        "module purge",
        "note kept_purged",
    ]
    lines += [
        shell.forget(module),
        load,
        "module load hpai/pytorch",
        "note swapped",
        "module purge",
        "note swapped_purged",
    ]
    noted = lmod.session(shell, core, lines, {}, tmp_path).noted
    assert {name: environment.get(module) for name, environment in noted.items()} == {
        "unset_loaded": "0",
        "unset_unloaded": None,
        "is__loaded": "",
        "is__unloaded": "",
        "is_0_loaded": "0",
        "is_0_unloaded": "0",
        "is_200_loaded": "200",
        "is_200_unloaded": "200",
        "becomes__unloaded": "5",
        "becomes_0_unloaded": None,  # whoever sets what is there already cannot be told apart
        "becomes_200_unloaded": "200",
        "removed_unloaded": None,
        "kept": "7",
        "kept_purged": "7",
        "swapped": "1",
        "swapped_purged": None,
    }


def test_what_the_user_sets_after_loading_holds(bash):
    noted = bash(
        "module load hpai/tensorflow",
        "export PYTHONPATH=/mine PYTHONSTARTUP=/mine/rc.py",
        "note loaded",
        "module unload hpai/tensorflow",
        "note after",
        PYTHONSTARTUP="/before/rc.py",
    ).noted
    assert noted["loaded"]["PYTHONPATH"] == "/mine"
    assert noted["loaded"]["PYTHONSTARTUP"] == "/mine/rc.py"
    assert noted["after"]["PYTHONPATH"] == "/mine"
    assert noted["after"]["PYTHONSTARTUP"] == "/before/rc.py"


def test_empty_variables_stay_empty(bash):
    empty = dict.fromkeys(FOREIGN_PYTHON, "")
    noted = bash(
        "note before", "module load hpai/tensorflow", "note loaded", "module purge", "note after", **empty
    ).noted
    assert noted["loaded"].items() >= empty.items()
    assert noted["after"] == noted["before"]


def test_a_shell_within_a_shell_can_unload(bash):
    inner = f"source {lmod.ROOT}/init/bash; module load hpai/tensorflow; module purge; env -0 > notes/inner"
    noted = bash(
        "note before",
        "module load hpai/tensorflow",
        f"bash --norc -c '{inner}'",
        "module purge",
        "note after",
        PYTHONPATH="/mine",
        VIRTUAL_ENV="/venv",
    ).noted
    inner_shell = {"SHLVL": noted["before"]["SHLVL"]}
    assert noted["inner"] | inner_shell == noted["before"]
    assert noted["after"] == noted["before"]


def test_saved_collections_can_be_restored(bash):
    noted = bash(
        "note before",
        "module load hpai/tensorflow/2.20",
        "module save work",
        "note loaded",
        "module purge",
        "module restore work",
        "note restored",
        "module reload",
        "note reloaded",
        "module purge",
        "note after",
        PYTHONPATH="/mine",
    ).noted
    for name in ("restored", "reloaded"):
        assert without_bookkeeping(noted[name]) == without_bookkeeping(noted["loaded"])
    assert noted["after"] == noted["before"]


def test_another_module_on_the_same_stack_gets_its_own_back(core, bash, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.lua").write_text('pushenv("PYTHONPATH", "/mine")\n')
    noted = bash(
        f"module use {other}",
        "note before",
        "module load mine",
        "note mine",
        "module load hpai/tensorflow",
        "note loaded",
        "module unload hpai/tensorflow",
        "note unloaded",
        "module unload mine",
        "note after",
        PYTHONPATH="/before",
    ).noted
    assert "PYTHONPATH" not in noted["loaded"]
    assert noted["unloaded"] == noted["mine"]
    assert noted["after"]["PYTHONPATH"] == "/before"


def test_unloading_undoes_what_was_loaded_though_a_newer_release_took_its_place(core, bash, tmp_path):
    newer = installed("tensorflow", prefix="/dss/hpai/pythons/tensorflow-2.21.0-ba9876543210")
    changed = newer.model_copy(update={"settings": {**newer.settings, "KMP_BLOCKTIME": "1"}})
    later = dataclasses.replace(planned(), release="2026.12")
    for link, asked, framework in (("a", planned(), installed("tensorflow")), ("b", later, changed)):
        write_tree(module_tree(asked, (framework, installed("pytorch"))), tmp_path / link)
    (tmp_path / "current").symlink_to("a")
    noted = bash(
        f"module unuse {core}",
        f"module use {tmp_path}/current/modules/Core",
        "note before",
        "module load hpai/tensorflow",
        "ln -sfn b current",
        "note loaded",
        "module unload hpai/tensorflow",
        "note after",
        "module load hpai/tensorflow",
        "note again",
        PYTHONPATH="/mine",
    ).noted
    assert noted["loaded"]["HPAI_TENSORFLOW_ROOT"] == installed("tensorflow").prefix
    assert "/dss/hpai/releases/2026.11/bin" in noted["loaded"]["PATH"].split(":")
    assert noted["after"] == noted["before"]
    assert noted["again"]["HPAI_TENSORFLOW_ROOT"] == newer.prefix
    assert noted["again"]["HPAI_RELEASE"] == "/dss/hpai/releases/2026.12"
    assert "/dss/hpai/releases/2026.12/bin" in noted["again"]["PATH"].split(":")


@pytest.mark.parametrize(
    ("asked", "loaded"),
    [
        ("hpai/tensorflow", TENSORFLOW),
        ("hpai/tensorflow/2.21", TENSORFLOW),
        ("hpai/tensorflow/2.21.0", TENSORFLOW),
        ("hpai/tensorflow/2.20", "hpai/tensorflow/2.20.1"),
        ("hpai/pytorch", PYTORCH),
        ("hpai/pytorch/2.13", PYTORCH),
        ("hpai/pytorch/2.13.0", PYTORCH),
        ("hpai/pytorch/2.13.0+cpu", PYTORCH),
    ],
)
@pytest.mark.parametrize("extended", ["yes", "no"])
def test_versions_may_be_short(asked, loaded, extended, bash):
    noted = bash(f"module load {asked}", "note loaded", LMOD_EXTENDED_DEFAULT=extended).noted
    assert noted["loaded"]["LOADEDMODULES"] == loaded


def test_two_frameworks_swap(bash):
    done = bash("module load hpai/pytorch", "module load hpai/tensorflow", "note loaded")
    assert done.noted["loaded"]["LOADEDMODULES"] == TENSORFLOW
    said = " ".join(done.output.split())
    assert f'Lmod is automatically replacing "{PYTORCH}" with "{TENSORFLOW}".' in said


def test_what_avail_shows(bash):
    lines = bash("module avail", "module -t avail").output.splitlines()
    assert "   hpai/pytorch/2.13.0+cpu (2.13:2.13.0)    hpai/tensorflow/2.21.0 (D:2.21)" in lines
    assert "   hpai/tensorflow/2.20.1  (2.20)" in lines
    assert [line for line in lines if line.startswith("hpai/") and "@" not in line] == [
        "hpai/pytorch/",
        PYTORCH,
        "hpai/tensorflow/",
        "hpai/tensorflow/2.20.1",
        TENSORFLOW,
    ]


def test_what_whatis_and_keyword_show(bash):
    output = bash("module whatis hpai/tensorflow", "module keyword keras").output
    told = dict(
        line.split(" : ")[1].split(": ", 1) for line in output.splitlines() if line.startswith(TENSORFLOW)
    )
    assert told == {
        "Name": "TensorFlow",
        "Version": "2.21.0",
        "Description": "machine learning with Keras and XLA",
        "URL": "https://www.tensorflow.org",
        "Category": "AI and data science",
        "Keywords": "Python, tensorflow",
    }
    assert "  hpai/tensorflow: hpai/tensorflow/2.20.1, hpai/tensorflow/2.21.0" in output.splitlines() or (
        "  hpai/tensorflow: hpai/tensorflow/2.21.0" in output.splitlines()
    )


def test_what_help_and_spider_show(bash):
    output = bash("module help hpai/tensorflow", "module spider hpai/tensorflow/2.21").output
    assert f'Module Specific Help for "{TENSORFLOW}"' in output
    assert "This module can be loaded directly: module load hpai/tensorflow/2.21.0" in output
    assert output.count("TensorFlow 2.21.0: machine learning with Keras and XLA") == 2
    assert output.count(f"HOSTILE={HOSTILE_TEXT}") == 2


def test_show_tells_what_a_user_gets_who_has_set_nothing(bash):
    lines = bash("module show hpai/tensorflow", KMP_BLOCKTIME="200").output.splitlines()
    assert 'setenv("KMP_BLOCKTIME","0")' in lines
    assert 'pushenv("PYTHONPATH",false)' in lines
    assert not [line for line in lines if "__HPAI" in line]


def test_hostile_texts_stay_texts(bash, tmp_path):
    hostile = f"{HOSTILE_TEXT}\nsecond ]==] line\n"
    first = planned()
    frameworks = tuple(
        dataclasses.replace(
            framework, about=dataclasses.replace(framework.about, title=hostile, summary=hostile)
        )
        for framework in first.frameworks
    )
    framework = installed("tensorflow", packages={HOSTILE_TEXT: "1"})
    write_tree(module_tree(dataclasses.replace(first, frameworks=frameworks), (framework,)), tmp_path)
    done = bash(
        f"module use {tmp_path}/modules/Core",
        "module help hpai/tensorflow",
        "module whatis hpai/tensorflow",
        "module load hpai/tensorflow",
        "note loaded",
    )
    assert done.noted["loaded"]["HPAI_TENSORFLOW_ROOT"] == framework.prefix
    assert done.output.count(HOSTILE_TEXT) >= 6
    assert not (tmp_path / "pwned").exists()


def test_csh_goes_without_a_setting_that_lmod_cannot_give_it(core, tmp_path):
    unquoted = {"BRACES": "${x}", "CALL": "a!", "PLAIN": "p"}
    framework = installed("tensorflow", settings=unquoted)
    write_tree(module_tree(planned(), (framework,)), tmp_path)
    lines = [f"module use {tmp_path}/modules/Core", "module load hpai/tensorflow/2.21.0", "note loaded"]
    for name, given in (("tcsh", {"PLAIN": "p"}), ("bash", unquoted)):
        work = tmp_path / name
        work.mkdir()
        done = lmod.session(lmod.shell(name), core, lines, {}, work)
        assert {key: done.noted["loaded"][key] for key in unquoted if key in done.noted["loaded"]} == given
        assert ("BRACES is not set: Lmod cannot give csh a value with !, { or }" in done.output) == (
            name == "tcsh"
        )


def test_every_module_is_lua(core, run, tmp_path):
    if not shutil.which("lua"):
        pytest.skip("lua is not installed")
    modules = [str(path) for path in core.rglob("*.lua")]
    check = "for _, name in ipairs(arg) do assert(loadfile(name)) end"
    (tmp_path / "check.lua").write_text(check)
    argv = ("lua", str(tmp_path / "check.lua"), *modules)
    assert len(modules) == 5
    assert run(Command(argv=argv, environment={"PATH": "/usr/bin:/bin"}, directory=tmp_path)).status == 0
