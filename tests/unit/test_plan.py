"""Plans: every default filled, and the same whatever the order that things were written in."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stackgen.errors import InputError
from stackgen.model import Environment, Modules, System, Toolchain
from stackgen.plan import Platform, SpackPlan, plan, specifier

SYSTEM = System.model_validate(
    {
        "name": "Grid",
        "os": "rhel8",
        "glibc": "2.28",
        "target": "zen3",
        "pythons": [{"version": "3.11", "prefix": "/usr"}, {"version": "3.12", "prefix": "/usr"}],
        "settings": {"GRID": "1", "SHARED": "system"},
    }
)


def environment(**frameworks):
    return Environment.model_validate(
        {"name": "e", "release": "1", "system": "grid", "prefix": "/opt/e", "frameworks": frameworks}
    )


def planned(system=SYSTEM, **framework):
    given = {"from": "wheels", "version": "newest", **framework}
    return plan(environment(tensorflow=given), system).wheels[0]


def refusal(wanted, system=SYSTEM):
    with pytest.raises(InputError) as refused:
        plan(wanted, system)
    return str(refused.value)


def test_what_nobody_said_is_known():
    framework = planned()
    assert framework.python == "3.11"
    assert framework.package == "tensorflow-cpu"
    assert framework.imports == "tensorflow"
    assert framework.requirements == ("tensorflow-cpu", "pip", "setuptools<81")
    assert framework.about.module == "tensorflow"
    assert framework.about.settings == (("GRID", "1"), ("SHARED", "system"))


def test_what_is_said_wins():
    framework = planned(python="3.12", package="tf-nightly", settings={"SHARED": "own"}, module="tf")
    assert (framework.python, framework.package, framework.about.module) == ("3.12", "tf-nightly", "tf")
    assert framework.about.settings == (("GRID", "1"), ("SHARED", "own"))


@pytest.mark.parametrize(
    ("version", "requirement"),
    [
        ("newest", "tensorflow-cpu"),
        ("2", "tensorflow-cpu==2.*"),
        ("2.21", "tensorflow-cpu==2.21.*"),
        ("2.21.0", "tensorflow-cpu==2.21.0"),
        ("2.21rc1", "tensorflow-cpu==2.21rc1"),
        ("2.21.post1", "tensorflow-cpu==2.21.post1"),
        ("2.21.0+cpu", "tensorflow-cpu==2.21.0+cpu"),
        (">=2.20,<3", "tensorflow-cpu<3,>=2.20"),
    ],
)
def test_short_versions_are_the_newest_of_their_kind(version, requirement):
    assert planned(version=version).requirements[0] == requirement


def test_jupyter_brings_its_kernel():
    assert planned(features=["jupyter"], requires=["keras"]).requirements == (
        "tensorflow-cpu",
        "ipykernel",
        "keras",
        "pip",
        "setuptools<81",
    )


@pytest.mark.parametrize(
    ("changes", "package"),
    [
        ({"target": "aarch64"}, "tensorflow"),
        ({"accelerators": ({"model": "H200", "count": 4},)}, "tensorflow[and-cuda]"),
    ],
)
def test_the_distribution_fits_the_system(changes, package):
    system = System.model_validate({**SYSTEM.model_dump(), **changes})
    assert planned(system).requirements[0] == package


def test_the_platform_is_the_systems():
    assert plan(environment(jax={"from": "wheels", "version": "1"}), SYSTEM).platform == Platform(
        architecture="x86_64", glibc="2.28"
    )


def test_other_sources_are_planned_too():
    wanted = environment(
        caffe={"from": "spack", "version": "1.0", "spec": "caffe ~cuda"},
        opencv={"from": "spack", "version": "4", "import": "cv2"},
        jax={"from": "container", "version": "1", "image": f"jax@sha256:{'0' * 64}"},
    )
    frameworks = plan(wanted, SYSTEM).frameworks
    assert [framework.name for framework in frameworks] == ["caffe", "jax", "opencv"]
    specs = [(one.spec, one.imports) for one in frameworks if isinstance(one, SpackPlan)]
    assert specs == [("caffe@1.0 ~cuda", ""), ("opencv@4", "cv2")]


@pytest.mark.parametrize(
    ("framework", "spec"),
    [
        ({"version": "newest"}, "caffe"),
        ({"version": "develop"}, "caffe@develop"),
        ({"version": "1.0", "spec": "caffe@1.0+cuda"}, "caffe@1.0+cuda"),
        ({"version": "1.0", "spec": "caffe ~cuda @=1.0 %gcc@13.2.0"}, "caffe ~cuda @=1.0 %gcc@13.2.0"),
        ({"version": "1.0", "spec": "builtin.caffe@git.abc=1.0"}, "builtin.caffe@git.abc=1.0"),
        ({"version": "1.0", "spec": "caffe~cuda %gcc@13 ^hdf5@1.14"}, "caffe@1.0~cuda %gcc@13 ^hdf5@1.14"),
        ({"version": "1.0", "python": "3.11"}, "caffe@1.0 ^python@3.11"),
        ({"version": "1.0", "python": "3.11", "spec": "caffe ^python+ssl"}, "caffe@1.0 ^python@3.11+ssl"),
        ({"version": "1.0", "python": "3.11", "spec": "caffe ^python@3.11"}, "caffe@1.0 ^python@3.11"),
        (
            {"version": "1.0", "python": "3.11", "spec": "caffe ^python-venv"},
            "caffe@1.0 ^python-venv ^python@3.11",
        ),
    ],
)
def test_version_and_python_are_in_the_spec(framework, spec):
    (caffe,) = plan(environment(caffe={"from": "spack", **framework}), SYSTEM).frameworks
    assert isinstance(caffe, SpackPlan)
    assert caffe.spec == spec


def test_a_spec_that_says_otherwise_is_refused():
    caffe = {"from": "spack", "version": "1.0", "python": "3.12", "spec": "caffe@1.1 ^python@3.11"}
    assert refusal(environment(caffe=caffe)) == (
        "frameworks.caffe.spec: the spec asks for 1.1, and `version:` for 1.0; leave 1.1 out of the spec\n"
        "frameworks.caffe.spec: the spec asks for 3.11, and `python:` for 3.12; leave 3.11 out of the spec"
    )


def test_the_toolchain_is_what_is_named_of_it():
    wanted = environment(jax={"from": "wheels", "version": "1"})
    toolchain = Toolchain(mpi="openmpi@5.0", compiler="gcc@13.2.0")
    assert plan(wanted, SYSTEM).toolchain == ()
    assert plan(wanted.model_copy(update={"toolchain": toolchain}), SYSTEM).toolchain == (
        ("compiler", "gcc@13.2.0"),
        ("mpi", "openmpi@5.0"),
    )


def test_a_python_has_to_come_from_somewhere():
    system = SYSTEM.model_copy(update={"pythons": ()})
    assert refusal(environment(jax={"from": "wheels", "version": "1"}), system) == (
        "frameworks.jax.python: no Python is named, and the system Grid lists none; "
        "add `python: 3.11` here or `pythons:` to systems/grid.yaml"
    )


@pytest.mark.parametrize(
    ("python", "version"), [({"from": "spack"}, "3.12"), ({"from": "spack", "version": "3.10"}, "3.10")]
)
def test_a_python_that_spack_builds_need_not_be_there(python, version):
    system = SYSTEM.model_copy(update={"pythons": ()})
    framework = planned(system, python=python)
    assert (framework.python, framework.builds_python) == (version, True)
    assert plan(environment(jax={"from": "wheels", "version": "1", "python": python}), system).pythons == (
        version,
    )


def test_a_python_of_the_system_may_be_named_in_two_ways():
    assert planned(python={"from": "system", "version": "3.12"}) == planned(python="3.12")
    assert planned(python={"from": "system"}) == planned()
    assert not planned().builds_python


def test_a_system_without_a_list_may_have_any_python():
    system = SYSTEM.model_copy(update={"pythons": ()})
    assert planned(system, python="3.15").python == "3.15"


@pytest.mark.parametrize(
    ("name", "remedy"), [("this", "install it"), ("grid", "add it to `pythons:` of systems/grid.yaml")]
)
def test_a_python_that_the_system_has_not_is_refused(name, remedy):
    wanted = environment(jax={"from": "wheels", "version": "1", "python": "3.15"})
    wanted = wanted.model_copy(update={"system": name})
    assert refusal(wanted, SYSTEM.model_copy(update={"name": name})) == (
        f"frameworks.jax.python: the system {name} has no Python 3.15; it has 3.11, 3.12; {remedy}"
    )


def test_this_machine_lists_all_that_it_has():
    wanted = environment(
        first={"from": "wheels", "version": "1"},
        second={"from": "wheels", "version": "1", "python": "3.15"},
    ).model_copy(update={"system": "this"})
    assert refusal(wanted, SYSTEM.model_copy(update={"name": "this", "pythons": ()})) == (
        "frameworks.first.python: no Python is named, and the system this lists none; install Python 3.11\n"
        "frameworks.second.python: the system this has no Python 3.15; it has none; install it"
    )


def test_a_name_that_cannot_be_imported_needs_another():
    assert refusal(environment(**{"3d": {"from": "wheels", "version": "1"}})) == (
        "frameworks.3d.import: what a program imports of 3d is not known; "
        "add `import:` and what stands after it in Python"
    )


def test_two_frameworks_are_not_one_module():
    wanted = environment(
        jax={"from": "wheels", "version": "1"},
        other={"from": "wheels", "version": "1", "module": "jax"},
    )
    assert refusal(wanted) == (
        "frameworks.other: jax and other would both be the module jax/1; give one another `module:`"
    )


def with_default(wanted, module, version):
    modules = Modules(defaults={module: version})
    return wanted.model_copy(update={"modules": modules})


def test_defaults_name_modules():
    wanted = environment(jax={"from": "wheels", "version": "1"})
    assert refusal(with_default(wanted, "jaxx", "1")) == (
        "modules.defaults.jaxx: no framework has the module jaxx; use one of jax"
    )


@pytest.mark.parametrize(
    ("version", "default"),
    [
        ("1.17.0", "9.9"),
        ("1.17.0", "1.17.1"),
        ("1.17.0", ">=2"),
        ("1.17", "1.16.0"),
        (">=1,<2", "2.0.0"),
        ("newest", "latest"),
    ],
)
def test_a_default_that_cannot_come_is_refused(version, default):
    wanted = environment(six={"from": "wheels", "version": version})
    assert refusal(with_default(wanted, "six", default)) == (
        f"modules.defaults.six: the module six cannot come in the version {default}; use one of {version}"
    )


@pytest.mark.parametrize(
    ("version", "default"),
    [
        ("1.17.0", "1.17"),
        ("1.17.0", "newest"),
        ("1.17.0rc1", "1.17"),
        ("2.13.0+cpu", "2.13.0"),
        ("2.13", "2.13.0+cpu"),
        ("newest", "9.9.9"),
        (">=1,<2", "3"),
    ],
)
def test_a_default_that_can_come_is_not(version, default):
    wanted = environment(six={"from": "wheels", "version": version})
    assert plan(with_default(wanted, "six", default), SYSTEM).defaults == (("six", default),)


def test_one_framework_that_fits_the_default_is_enough():
    image = f"jax@sha256:{'0' * 64}"
    wanted = environment(
        jax={"from": "wheels", "version": "0.8.1"},
        image={"from": "container", "version": "24.05-py3", "image": image, "module": "jax"},
    )
    assert plan(with_default(wanted, "jax", "24.05-py3"), SYSTEM).defaults == (("jax", "24.05-py3"),)
    assert refusal(with_default(wanted, "jax", "24.06-py3")) == (
        "modules.defaults.jax: the module jax cannot come in the version 24.06-py3; "
        "use one of 0.8.1, 24.05-py3"
    )
    assert list(specifier("24.05-py3").filter(["0.8.1"])) == []


NAMES = st.from_regex(r"[a-z]([a-z0-9_-]{0,8}[a-z0-9])?", fullmatch=True)
VERSIONS = st.sampled_from(
    ["newest", "2", "2.21", "2.21.0", "v3", ">=1,<2", "1.0rc1", "1!2.0.post3", "2.0+cpu"]
)
WHEELS = st.fixed_dictionaries(
    {"from": st.just("wheels"), "version": VERSIONS},
    optional={
        "python": st.sampled_from(["3.11", "3.12", {"from": "spack", "version": "3.13"}]),
        "package": NAMES,
        "features": st.lists(st.sampled_from(["ddp", "jupyter", "mkl", "onednn"]), max_size=3),
        "requires": st.lists(st.sampled_from(["keras>=3", "numpy", "h5py<4"]), max_size=3),
        "settings": st.dictionaries(st.from_regex(r"TF_[A-Z]{1,3}", fullmatch=True), st.just("1")),
        "sdists": st.lists(st.fixed_dictionaries({"name": NAMES}), max_size=2),
    },
)
SPACK = st.fixed_dictionaries(
    {"from": st.just("spack"), "version": st.sampled_from(["newest", "1.0", "develop"])},
    optional={"spec": NAMES, "python": st.sampled_from(["3.11", "3.14"])},
)
FRAMEWORKS = st.dictionaries(NAMES, WHEELS | SPACK, min_size=1, max_size=4)


def backwards(value):
    """The same mapping, all keys in the opposite order."""
    if not isinstance(value, dict):
        return value
    return {key: backwards(value[key]) for key in reversed(value)}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FRAMEWORKS)
def test_the_order_of_keys_makes_no_difference(frameworks):
    system = SYSTEM.model_dump(mode="json")
    first = plan(environment(**frameworks), System.model_validate(system))
    second = plan(environment(**backwards(frameworks)), System.model_validate(backwards(system)))
    assert first == second
    assert repr(first.frameworks) == repr(second.frameworks)
