"""Settings with placeholders where they are loaded, by Lmod in every shell or without it: the same values."""

import shutil
from pathlib import Path

import lmod
import pytest
from jobs_told import JOBS, NONSENSE

from stackgen.files import write_tree
from stackgen.inside.threads import Processors, expanded
from stackgen.model import Environment, System
from stackgen.modules import module_tree
from stackgen.plan import plan
from stackgen.release import InstalledFramework
from stackgen.run import Command
from stackgen.shell import shell_environment
from stackgen.tree import Tree

SETTINGS = {
    "JOINED": "a b{threads}-{threads}' \"$x",
    "KMP_BLOCKTIME": "0",
    "LITERAL": "{{threads}}",
    "OMP_NUM_THREADS": "{threads}",
    "TF_NUM_INTRAOP_THREADS": "{threads}",
}
HERE = {"SLURM_CPUS_PER_TASK": "1"}

SHELLS = pytest.mark.parametrize("name", lmod.SHELLS)


def framework(settings: dict[str, str]) -> InstalledFramework:
    fields = {"name": "tensorflow", "module": "tensorflow", "version": "2.21.0", "prefix": "/dss/tensorflow"}
    return InstalledFramework.model_validate(
        {**fields, "python": "3.11", "packages": {}, "settings": settings}
    )


def modules(settings: dict[str, str]) -> Tree:
    system = {"name": "node", "os": "debian12", "glibc": "2.36", "target": "x86_64_v3"}
    environment = {
        "name": "quickstart",
        "release": "2026.11",
        "system": "node",
        "prefix": "/dss/hpai",
        "frameworks": {"tensorflow": {"from": "wheels", "version": "2.21", "settings": settings}},
    }
    pythons = [{"version": "3.11", "prefix": "/usr"}]
    planned = plan(
        Environment.model_validate(environment), System.model_validate({**system, "pythons": pythons})
    )
    return module_tree(planned, (framework(settings),))


@pytest.fixture(scope="module")
def core(tmp_path_factory) -> Path:
    top = tmp_path_factory.mktemp("release")
    write_tree(modules(SETTINGS), top)
    return top / "modules/Core"


def of_settings(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name in SETTINGS}


@SHELLS
def test_they_are_filled_in_a_job_and_gone_afterwards(name, core, tmp_path):
    load, unload = "module load hpai/tensorflow", "module unload hpai/tensorflow"
    lines = ["note before", load, "note loaded", unload, "note after"]
    noted = lmod.session(lmod.shell(name), core, lines, HERE, tmp_path).noted
    literal = {} if name == "tcsh" else {"LITERAL": "{threads}"}  # Lmod cannot give csh a brace
    assert of_settings(noted["loaded"]) == {
        "JOINED": "a b1-1' \"$x",
        "KMP_BLOCKTIME": "0",
        "OMP_NUM_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
        **literal,
    }
    without_lmod = shell_environment("hpai", framework(SETTINGS), "/release", noted["before"])
    assert of_settings(without_lmod) == {**of_settings(noted["loaded"]), "LITERAL": "{threads}"}
    assert noted["after"] == noted["before"]


@SHELLS
def test_outside_of_a_job_they_are_not_set(name, core, tmp_path):
    lines = ["module load hpai/tensorflow", "note loaded"]
    loaded = lmod.session(lmod.shell(name), core, lines, {}, tmp_path).noted["loaded"]
    assert not loaded.keys() & {"JOINED", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"}


@SHELLS
def test_what_the_user_has_set_stays(name, core, tmp_path):
    lines = ["module load hpai/tensorflow", "note loaded", "module purge", "note after"]
    given = {**HERE, "OMP_NUM_THREADS": "7"}
    noted = lmod.session(lmod.shell(name), core, lines, given, tmp_path).noted
    assert noted["loaded"]["OMP_NUM_THREADS"] == noted["after"]["OMP_NUM_THREADS"] == "7"
    assert noted["loaded"]["TF_NUM_INTRAOP_THREADS"] == "1"


def test_unloaded_outside_of_the_job_they_are_gone_as_well(core, tmp_path):
    lines = ["module load hpai/tensorflow", "unset SLURM_CPUS_PER_TASK", "module purge", "note after"]
    assert not of_settings(lmod.session(lmod.shell("bash"), core, lines, HERE, tmp_path).noted["after"])


def test_nonsense_fails_no_load(core, tmp_path):
    texts = [text for text in NONSENSE if "\n" not in text]
    lines = []
    for number, text in enumerate(texts):
        lines += [f"export SLURM_CPUS_PER_TASK='{text}' SLURM_CPUS_ON_NODE='{text}' SLURM_NTASKS='{text}'"]
        lines += ["module load hpai/tensorflow || touch failed", f"note loaded{number}", "module purge"]
    done = lmod.session(lmod.shell("bash"), core, lines, {}, tmp_path)
    assert [of_settings(noted) for noted in done.noted.values()] == [
        {"KMP_BLOCKTIME": "0", "LITERAL": "{threads}"}
    ] * len(texts)
    assert "rror" not in done.output
    assert not (tmp_path / "failed").exists()


def test_show_and_help_tell_what_it_would_be(core, tmp_path):
    lines = ["module show hpai/tensorflow"]
    output = lmod.session(lmod.shell("bash"), core, lines, {}, tmp_path).output
    assert 'setenv("OMP_NUM_THREADS","{threads}")' in output.splitlines()


def test_hostile_values_stay_values(tmp_path):
    hostile = "$(touch pwned) `id` 'one' \"two\" \\\\ ; | & ~ ]] --[[ {threads} " + "x" * 16000
    settings = {"JOINED": hostile, "LITERAL": hostile.replace("{threads}", "{{")}
    write_tree(modules(settings), tmp_path)
    for name in ("bash", "zsh", "fish"):
        work = tmp_path / name
        work.mkdir()
        lines = ["module load hpai/tensorflow", "note loaded"]
        shell = lmod.shell(name)
        noted = lmod.session(shell, tmp_path / "modules/Core", lines, HERE, work).noted
        assert of_settings(noted["loaded"]) == {
            "JOINED": hostile.replace("{threads}", "1"),
            "LITERAL": hostile.replace("{threads}", "{"),
        }
        assert not (work / "pwned").exists()


LMOD = """
local given, files, left
os = {getenv = function(name) return given[name] or left[name] end}
local function opened(path)
   local text = files[path]
   return text and {read = function() return text end, close = function() end}
end
local write = io.write
io = {open = opened}
setenv = function(name, value) left[name] = value end
myShellType = function() return "bash" end
mode = function() return "load" end
pathJoin = function(...) return table.concat({...}, "/") end
local function nothing() end
help, whatis, family, prepend_path, pushenv = nothing, nothing, nothing, nothing, nothing
local function case(environ, texts)
   given, files, left = environ, texts, {}
   dofile("module.lua")
   write(left.N or "none", "\\n")
end
"""
"""What a module file asks Lmod for, as far as it matters here."""


def cpus(count: int) -> str:
    return "0\n" if count == 1 else f"0-{count - 1}\n"


def table(values: dict[str, str]) -> str:
    entries = ((key, "".join(f"\\{byte:03}" for byte in value.encode())) for key, value in values.items())
    return "{" + ", ".join(f'["{key}"] = "{value}"' for key, value in entries) + "}"


def case(environ: dict[str, str], processors: Processors | None) -> str:
    topology = "/sys/devices/system/cpu"
    files = (
        {
            "/proc/self/status": f"Cpus_allowed:\tff\nCpus_allowed_list:\t{cpus(processors.allowed)}",
            f"{topology}/online": cpus(processors.online),
            f"{topology}/cpu0/topology/thread_siblings_list": cpus(processors.siblings),
        }
        if processors
        else {}
    )
    return f"case({table(environ)}, {table(files)})\n"


def test_lua_and_python_have_the_same_rules(run, tmp_path):
    if not shutil.which("lua"):
        pytest.skip("lua is not installed")
    cases = [(environ, processors) for environ, processors, _ in JOBS.values()]
    for name in ("SLURM_CPUS_PER_TASK", "SLURM_TASKS_PER_NODE", "MPI_LOCALNRANKS", "LSB_MCPU_HOSTS"):
        whole = {"SLURM_NTASKS": "4", "SLURM_CPUS_ON_NODE": "8"}
        texts = [*NONSENSE, "a 4 b 6x", "2(x2),3"]
        cases += [({**whole, name: text}, Processors(8, 16, 2)) for text in texts]
    tree = modules({"N": "{threads}"})
    (tmp_path / "module.lua").write_text(tree["modules/Core/hpai/tensorflow/2.21.0.lua"].text)
    (tmp_path / "all.lua").write_text(LMOD + "".join(case(*one) for one in cases))
    argv = ("lua", "all.lua")
    done = run(Command(argv=argv, environment={"PATH": "/usr/bin:/bin"}, directory=tmp_path))
    told = [expanded({"N": "{threads}"}, *one).get("N", "none") for one in cases]
    assert done.stdout.split() == told, done.stderr
