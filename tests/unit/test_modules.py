"""The modules of a release as text, and the same effects without Lmod."""

import dataclasses
import re

import pytest

from stackgen.effects import FOREIGN_PYTHON
from stackgen.errors import InputError
from stackgen.lua import call, literal
from stackgen.manual import WIDTH, columns, manual
from stackgen.model import Environment, System
from stackgen.modules import in_order, module_tree, short_versions
from stackgen.plan import Plan, plan
from stackgen.release import InstalledFramework
from stackgen.shell import shell_environment

FRAMEWORKS = {
    "tensorflow": {"from": "wheels", "version": "2.21", "settings": {"KMP_BLOCKTIME": "0"}},
    "pytorch": {"from": "wheels", "version": "newest"},
}


def planned(frameworks=FRAMEWORKS, *, namespace="hpai", defaults=None, **system) -> Plan:
    environment = Environment.model_validate(
        {
            "name": "quickstart",
            "release": "2026.11",
            "system": "node",
            "prefix": "/dss/hpai",
            "modules": {"namespace": namespace, "defaults": defaults or {}},
            "frameworks": frameworks,
        }
    )
    facts = {"name": "node", "os": "debian12", "glibc": "2.36", "target": "x86_64_v3"}
    pythons = [{"version": "3.11", "prefix": "/usr"}]
    return plan(environment, System.model_validate({**facts, "pythons": pythons, **system}))


def installed(name="tensorflow", version="2.21.0", **changes) -> InstalledFramework:
    prefix = f"/dss/hpai/pythons/{name}-{version}-0123456789ab"
    fields = {
        "name": name,
        "module": name,
        "version": version,
        "prefix": prefix,
        "python": "3.11",
        "packages": {"numpy": "2.4.0", "pip": "26.0"},
        "settings": {"KMP_BLOCKTIME": "0"},
    }
    return InstalledFramework.model_validate(fields | changes)


def default_of(text: str) -> str:
    return re.search(r'"hpai/[^/]*/([^"]*)", "default"', text)[1]


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ("plain", '"plain"'),
        ('a "b" \\ c', r'"a \"b\" \\ c"'),
        ("${x} `id` ]]", '"${x} `id` ]]"'),
        ("\0\r\x7f1", r'"\000\013\1271"'),
        ("größer", '"größer"'),
        ("two\nlines", "[[\ntwo\nlines]]"),
        ("a ]] b\n", "[=[\na ]] b\n]=]"),
        ("a ]=] ]] b\n]==", "[===[\na ]=] ]] b\n]==]===]"),
        ("\nends in ]", "[=[\n\nends in ]]=]"),
        ("two\r\nlines", r'"two\013\nlines"'),
        (False, "false"),
        (True, "true"),
    ],
)
def test_texts_stay_texts_in_lua(value, source):
    assert literal(value) == source


@pytest.mark.parametrize("value", [None, 1, 1.5, ["a"], b"a"])
def test_what_nobody_thought_of_is_not_printed(value):
    with pytest.raises(TypeError, match=r"has no Lua literal here"):
        literal(value)


def test_calls_quote_their_arguments():
    assert call("setenv", "A", 'b"') == 'setenv("A", "b\\"")'


def test_one_file_a_version_and_one_that_knows_the_default():
    tree = module_tree(planned(), (installed(), installed("pytorch", "2.13.0+cpu")))
    assert list(tree) == [
        "modules/Core/hpai/pytorch/.modulerc.lua",
        "modules/Core/hpai/pytorch/2.13.0+cpu.lua",
        "modules/Core/hpai/tensorflow/.modulerc.lua",
        "modules/Core/hpai/tensorflow/2.21.0.lua",
    ]
    assert tree["modules/Core/hpai/pytorch/.modulerc.lua"].text == (
        'module_version("hpai/pytorch/2.13.0+cpu", "default", "2.13", "2.13.0")\n'
    )


def test_modules_are_the_same_every_time():
    frameworks = (installed(), installed("pytorch", "2.13.0"))
    assert module_tree(planned(), frameworks) == module_tree(planned(), frameworks[::-1])


def test_nothing_starts_a_process_when_a_module_is_loaded():
    text = module_tree(planned(), (installed(),))["modules/Core/hpai/tensorflow/2.21.0.lua"].text
    assert not re.search(r"execute|popen|capture|subprocess|source_sh", text)


@pytest.mark.parametrize(
    ("versions", "short"),
    [
        (["2.21.0"], {"2.21": "2.21.0"}),
        (["2.21.0", "2.21.3", "2.9.1"], {"2.21": "2.21.3", "2.9": "2.9.1"}),
        (["2.13.0+cpu"], {"2.13": "2.13.0+cpu", "2.13.0": "2.13.0+cpu"}),
        (["2.13.0+cpu", "2.13.0"], {"2.13": "2.13.0+cpu"}),
        (["2.21", "2.21.1"], {}),
        (["2.22.0rc1", "2.22.0"], {"2.22": "2.22.0"}),
        (["3"], {"3.0": "3"}),
        (["develop", "1.0.2", "git.main"], {"1.0": "1.0.2"}),
    ],
)
def test_short_versions_mean_the_highest(versions, short):
    assert short_versions(versions) == short
    assert short_versions(versions[::-1]) == short


@pytest.mark.parametrize(
    ("asked", "default"),
    [
        ({}, "2.21.3"),
        ({"tensorflow": "newest"}, "2.21.3"),
        ({"tensorflow": "2.20"}, "2.20.1"),
        ({"tensorflow": "2.20.0"}, "2.20.0"),
        ({"tensorflow": "<2.20.1"}, "2.20.0"),
        ({"tensorflow": "2.22.0rc1"}, "2.22.0rc1"),
    ],
)
def test_the_default_is_what_the_site_asks_for_or_the_highest(asked, default):
    versions = ("2.20.0", "2.20.1", "2.21.3", "2.22.0rc1")
    names = {f"tf{number}": version for number, version in enumerate(versions)}
    frameworks = {
        name: {"from": "wheels", "module": "tensorflow", "version": version}
        for name, version in names.items()
    }
    tree = module_tree(
        planned(frameworks, defaults=asked),
        tuple(installed(name, version, module="tensorflow") for name, version in names.items()),
    )
    assert default_of(tree["modules/Core/hpai/tensorflow/.modulerc.lua"].text) == default


@pytest.mark.parametrize(("asked", "default"), [({}, "1.0"), ({"caffe": "develop"}, "develop")])
def test_what_has_no_number_is_the_default_where_it_is_named(asked, default):
    caffes = {
        "caffe": {"from": "spack", "version": "1.0"},
        "caffe-next": {"from": "spack", "version": "develop", "module": "caffe", "spec": "caffe"},
    }
    frameworks = (installed("caffe", "1.0"), installed("caffe-next", "develop", module="caffe"))
    tree = module_tree(planned(caffes, defaults=asked), frameworks)
    assert default_of(tree["modules/Core/hpai/caffe/.modulerc.lua"].text) == default


def test_the_manual_says_who_has_built_its_python():
    jax = {"from": "wheels", "version": "1.0", "python": {"from": "spack", "version": "3.12"}}
    text = text_of(planned({"jax": jax}), installed("jax", "1.0", python="3.12"))
    assert "Spack has built its Python for x86_64_v3." in text
    assert "Spack" not in text_of(planned(), installed())


def test_what_has_no_python_hides_nobodys():
    caffe = installed("caffe", "1.0", python="", source="spack", packages={"caffe": "1.0", "boost": "1.88.0"})
    tree = module_tree(planned({"caffe": {"from": "spack", "version": "1.0"}}), (caffe,))
    text = tree["modules/Core/hpai/caffe/1.0.lua"].text
    assert "PYTHON" not in text
    assert "python" not in text.lower().replace("/pythons/", "")
    assert "Its programs lie in $HPAI_CAFFE_ROOT/bin." in text
    assert "Packages (2, built by Spack)" in text


def test_a_default_that_is_not_there_is_refused():
    with pytest.raises(InputError) as caught:
        module_tree(planned(defaults={"tensorflow": "2.19"}), (installed(), installed("pytorch", "2.13.0")))
    assert str(caught.value) == (
        "modules.defaults.tensorflow: 2.19 is no version of the module tensorflow; use one of 2.21.0"
    )


def test_two_frameworks_in_one_module_are_refused():
    frameworks = {**FRAMEWORKS, "tf": {"from": "wheels", "module": "tensorflow", "version": "newest"}}
    with pytest.raises(InputError) as caught:
        module_tree(planned(frameworks), (installed(), installed("tf", module="tensorflow")))
    assert str(caught.value) == (
        "frameworks.tf: tensorflow and tf are both the module tensorflow/2.21.0; give one another `module:`"
    )


def test_names_that_shells_do_not_take_become_plain_variables():
    tree = module_tree(
        planned({"pytorch-2-13_x": FRAMEWORKS["pytorch"]}, namespace="2026.ai"),
        (installed("pytorch-2-13_x"),),
    )
    text = tree["modules/Core/2026.ai/pytorch-2-13_x/2.21.0.lua"].text
    assert 'replace("_2026_AI_PYTORCH_2_13_X_ROOT",' in text
    assert 'family("_2026_ai_framework")' in text


def text_of(plan: Plan, framework: InstalledFramework) -> str:
    about = next(planned.about for planned in plan.frameworks if planned.name == framework.name)
    return manual(plan, framework, about)


def test_the_manual_fits_a_terminal():
    framework = installed(packages={f"package-{'n' * (i % 20)}{i}": f"{i}.0" for i in range(60)})
    slurm = planned(scheduler={"kind": "slurm"})
    text = text_of(slurm, framework)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert 'sbatch --wrap "module load hpai/tensorflow/2.21.0 && srun python script.py"' in text


def test_the_manual_leads_to_the_launcher_and_to_the_job_scripts():
    slurm = planned(scheduler={"kind": "slurm", "partitions": {"batch": {"nodes": "1..4"}}})
    lines = text_of(slurm, installed()).splitlines()
    began = lines.index("as a job of one process, and on two nodes")
    assert lines[began + 1 : began + 5] == [
        "  hpai run script.py",
        "  hpai run -N 2 script.py",
        "hpai run --help tells more. Job scripts, which run script.py or a check of their own:",
        f"  {slurm.place}/jobs/tensorflow",
    ]


def test_the_manual_of_a_framework_that_stackgen_does_not_know():
    text = text_of(planned({"sympy": {"from": "wheels", "version": "1.14"}}), installed("sympy", settings={}))
    assert text.startswith("sympy 2.21.0\n\nUse\n  module load hpai/sympy/2.21.0\n")
    assert "Set where" not in text
    assert "as a job" not in text


def test_columns_are_read_down_first():
    assert columns(["a 1", "bb 2", "c 3", "d 4", "e 5"], 16) == ["  a 1   d 4", "  bb 2  e 5", "  c 3"]
    assert columns(["a" * 90, "b"], 78) == ["  " + "a" * 90, "  b"]
    assert columns([], 78) == []


def in_shell(caller: dict[str, str]) -> dict[str, str]:
    return shell_environment(planned().namespace, installed(), planned().place, caller)


def test_a_shell_gets_what_the_module_gives():
    root = installed().prefix
    caller = {"PATH": f"/bin:{root}/bin:/usr/bin", "KMP_BLOCKTIME": "200", "PYTHONHOME": "/x", "A": "b"}
    assert in_shell(caller) == {
        "A": "b",
        "HPAI_RELEASE": planned().place,
        "HPAI_TENSORFLOW_ROOT": root,
        "KMP_BLOCKTIME": "200",
        "PATH": f"{root}/bin:{planned().place}/bin:/bin:/usr/bin",
        "PYTHONNOUSERSITE": "1",
    }
    assert caller["PYTHONHOME"] == "/x"


@pytest.mark.parametrize("given", [{}, {"PATH": ""}])
def test_a_shell_without_a_path_gets_one(given):
    assert in_shell(given)["PATH"] == f"{installed().prefix}/bin:{planned().place}/bin"


def test_a_shell_forgets_other_pythons():
    caller = dict.fromkeys(FOREIGN_PYTHON, "/other")
    assert not in_shell(caller).keys() & caller.keys()


@pytest.mark.parametrize(
    ("given", "left"), [({}, "0"), ({"KMP_BLOCKTIME": ""}, ""), ({"KMP_BLOCKTIME": "1"}, "1")]
)
def test_a_setting_is_a_default(given, left):
    assert in_shell(given)["KMP_BLOCKTIME"] == left


def test_titles_cannot_end_the_text_they_stand_in():
    hostile = 'x ]] os.execute("touch x") --[[ ]=] " \\ ${x}'
    first = planned()
    framework = dataclasses.replace(
        first.frameworks[1],
        about=dataclasses.replace(first.frameworks[1].about, title=hostile, summary=hostile),
    )
    text = module_tree(dataclasses.replace(first, frameworks=(framework,)), (installed(),))[
        "modules/Core/hpai/tensorflow/2.21.0.lua"
    ].text
    assert text.startswith("help([==[\nx ]] os.execute")
    assert r'whatis("Name: x ]] os.execute(\"touch x\") --[[ ]=] \" \\ ${x}")' in text


def test_a_second_version_of_a_framework_is_known_by_its_module():
    old = {"from": "wheels", "module": "tensorflow", "version": "2.20"}
    second = planned({**FRAMEWORKS, "old-tensorflow": old}).wheels[0]
    assert (second.about.title, second.package, second.imports) == (
        "TensorFlow",
        "tensorflow-cpu",
        "tensorflow",
    )


def test_versions_of_spack_come_in_its_order():
    known = ["develop", "main", "1.9", "1.10-rc1", "1.10", "1.10.1", "1.10.1w", "1.10.2-1", "2"]
    assert in_order(sorted(known)) == in_order(reversed(known)) == known
