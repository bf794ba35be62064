"""Plans: every default filled, and the same whatever the order that things were written in."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stackgen.errors import InputError
from stackgen.model import Environment, Feature, System
from stackgen.plan import Platform, SpackPlan, plan

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
    assert framework.requirements == ("tensorflow-cpu", "pip")
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
        opencv={"from": "spack", "version": "4"},
        jax={"from": "container", "version": "1", "image": f"jax@sha256:{'0' * 64}"},
    )
    frameworks = plan(wanted, SYSTEM).frameworks
    assert [framework.name for framework in frameworks] == ["caffe", "jax", "opencv"]
    assert [framework.spec for framework in frameworks if isinstance(framework, SpackPlan)] == [
        "caffe ~cuda",
        "opencv",
    ]


def test_a_python_has_to_come_from_somewhere():
    system = SYSTEM.model_copy(update={"pythons": ()})
    assert refusal(environment(jax={"from": "wheels", "version": "1"}), system) == (
        "frameworks.jax.python: no Python is named, and the system Grid lists none; "
        "add `python: 3.11` here or `pythons:` to the system"
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


def test_defaults_name_modules():
    wanted = environment(jax={"from": "wheels", "version": "1"})
    modules = wanted.modules.model_copy(update={"defaults": {"jaxx": "1"}})
    assert refusal(wanted.model_copy(update={"modules": modules})) == (
        "modules.defaults.jaxx: no framework has the module jaxx; use one of jax"
    )


NAMES = st.from_regex(r"[a-z]([a-z0-9_.-]{0,8}[a-z0-9])?", fullmatch=True)
VERSIONS = st.sampled_from(
    ["newest", "2", "2.21", "2.21.0", "v3", ">=1,<2", "1.0rc1", "1!2.0.post3", "2.0+cpu"]
)
WHEELS = st.fixed_dictionaries(
    {"from": st.just("wheels"), "version": VERSIONS},
    optional={
        "python": st.sampled_from(["3.10", "3.14"]),
        "package": NAMES,
        "features": st.lists(st.sampled_from([feature.value for feature in Feature]), max_size=3),
        "requires": st.lists(st.sampled_from(["keras>=3", "numpy", "h5py<4"]), max_size=3),
        "settings": st.dictionaries(st.from_regex(r"TF_[A-Z]{1,3}", fullmatch=True), st.just("1")),
        "sdists": st.lists(st.fixed_dictionaries({"name": NAMES}), max_size=2),
    },
)
SPACK = st.fixed_dictionaries({"from": st.just("spack"), "version": VERSIONS}, optional={"spec": NAMES})
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
