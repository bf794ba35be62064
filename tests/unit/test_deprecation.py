"""What a site says of versions that are to go: what is refused, what modules do, what the launcher knows."""

import dataclasses
import json
from pathlib import Path

import pytest

from stackgen.cli.loading import print_how_to_load
from stackgen.deprecation import guarded
from stackgen.errors import InputError
from stackgen.inside.launcher.deprecation import (
    Deprecation,
    deprecation_of,
    deprecation_sentence,
    is_withdrawn,
)
from stackgen.inside.launcher.description import framework_named, site_from
from stackgen.inside.launcher.words import LauncherError
from stackgen.jobs import launcher_tree
from stackgen.lock import Lock
from stackgen.model import Environment, System
from stackgen.modules import default_version, module_tree
from stackgen.plan import Plan, notes, plan
from stackgen.publish.publication import publication
from stackgen.release import InstalledFramework, Release, request
from stackgen.release_changes import changes_between
from stackgen.tree import File, Tree

SYSTEM = System.model_validate(
    {
        "name": "node",
        "os": "debian12",
        "glibc": "2.36",
        "target": "x86_64_v3",
        "pythons": [{"version": "3.11", "prefix": "/usr"}],
    }
)


def environment(deprecations: dict, versions=("2.12.0", "2.12.1", "2.21.0"), **modules) -> Environment:
    frameworks = {
        f"tensorflow{number}": {"from": "wheels", "version": version, "module": "tensorflow"}
        for number, version in enumerate(versions)
    }
    values = {"name": "lab", "release": "1", "system": "node", "prefix": "/dss/hpai"}
    values |= {"frameworks": frameworks, "deprecations": deprecations, "modules": modules}
    return Environment.model_validate(values)


def planned(deprecations: dict, *arguments, **modules) -> Plan:
    return plan(environment(deprecations, *arguments, **modules), SYSTEM)


def installed(asked: Plan) -> tuple[InstalledFramework, ...]:
    return tuple(
        InstalledFramework(
            name=one.name,
            module="tensorflow",
            version=one.about.version,
            prefix=f"/dss/hpai/pythons/{one.name}",
            python="3.11",
            packages={},
            settings={},
        )
        for one in asked.frameworks
    )


def said(state: str = "withdrawn", on: str = "2020-06-01", instead: str = "tensorflow/2.21", reason="CVE-1."):
    return {"state": state, "on": on, "reason": reason, "instead": instead}


ONE = Deprecation("hpai/tensorflow", "2.9", "withdrawn", "2026-06-01", "CVE-1.", "hpai/tensorflow/2.21")


@pytest.mark.parametrize(
    ("state", "today", "sentence"),
    [
        ("deprecated", "2026-05-31", "is deprecated and will be withdrawn on 2026-06-01"),
        ("deprecated", "2026-06-01", "is deprecated and may be withdrawn any day"),
        ("withdrawn", "2026-05-31", "is deprecated and will be withdrawn on 2026-06-01"),
        ("withdrawn", "2026-06-01", "was withdrawn on 2026-06-01"),
    ],
)
def test_what_users_read_depends_on_the_day(state, today, sentence):
    one = ONE._replace(state=state)
    told = deprecation_sentence(one, "hpai/tensorflow/2.9.1", today)
    assert told == f"hpai/tensorflow/2.9.1 {sentence}: CVE-1. Load hpai/tensorflow/2.21 instead."
    assert is_withdrawn(one, today) == sentence.startswith("was")


@pytest.mark.parametrize(
    ("module", "applies"),
    [("2.9", True), ("2.9.1", True), ("2.9+cpu", True), ("2.90", False), ("2.9rc1", False), ("2", False)],
)
def test_a_short_version_is_every_one_that_begins_with_it(module, applies):
    assert bool(deprecation_of([ONE], f"hpai/tensorflow/{module}")) == applies


def test_of_two_that_apply_the_longer_is_meant():
    exact = ONE._replace(version="2.9.1", state="deprecated")
    assert deprecation_of([ONE, exact], "hpai/tensorflow/2.9.1") == exact
    assert deprecation_of([exact, ONE], "hpai/tensorflow/2.9.2") == ONE


@pytest.mark.parametrize(
    ("deprecations", "fault"),
    [
        (
            {"tensorflwo/2.12.0": said("deprecated")},
            "deprecations.tensorflwo/2.12.0: no framework has the module tensorflwo;"
            " did you mean tensorflow?",
        ),
        (
            {"tensorflow/2.9": said(instead="tensroflow")},
            "deprecations.tensorflow/2.9.instead: no framework has the module tensroflow;"
            " did you mean tensorflow?",
        ),
        (
            {"tensorflow/2.9": said(instead="caffe")},
            "deprecations.tensorflow/2.9.instead: no framework has the module caffe; use one of tensorflow",
        ),
        (
            {"tensorflow/2.9": said(instead="tensorflow/2.9.1")},
            "deprecations.tensorflow/2.9.instead: tensorflow/2.9.1 is withdrawn too;"
            " name a version that users can stay with",
        ),
    ],
)
def test_what_can_be_known_before_versions_are_is_refused(deprecations, fault):
    with pytest.raises(InputError) as refused:
        planned(deprecations)
    assert str(refused.value) == fault


@pytest.mark.parametrize(
    ("deprecations", "fault"),
    [
        (
            {"tensorflow/2.9": said(instead="tensorflow/2.20")},
            "deprecations.tensorflow/2.9.instead: the module tensorflow does not come in the version 2.20;"
            " use one of 2.12.0, 2.12.1, 2.21.0",
        ),
        (
            {
                "tensorflow/2.12.0": said(instead="tensorflow/2"),
                "tensorflow/2.21": said("deprecated", instead="tensorflow/2.12.1"),
            },
            "",
        ),
        (
            {
                "tensorflow/2.12.0": said(instead="tensorflow/2.12"),
                "tensorflow/2.12.1": said(instead="tensorflow/2.12"),
            },
            "deprecations.tensorflow/2.12.0.instead: tensorflow/2.12"
            " leads to a version that users should leave too; use one of 2.21.0\n"
            "deprecations.tensorflow/2.12.1.instead: tensorflow/2.12"
            " leads to a version that users should leave too; use one of 2.21.0",
        ),
    ],
)
def test_what_users_are_to_load_instead_is_there(deprecations, fault):
    asked = planned(deprecations)
    if not fault:
        assert module_tree(asked, installed(asked))
        return
    with pytest.raises(InputError) as refused:
        module_tree(asked, installed(asked))
    assert str(refused.value) == fault


def test_a_default_cannot_be_withdrawn():
    with pytest.raises(InputError) as refused:
        planned({"tensorflow/2.12": said()}, defaults={"tensorflow": "2.12.0"})
    where, remedy = "modules.defaults.tensorflow", "name a version that users can load"
    assert str(refused.value) == f"{where}: tensorflow/2.12.0 is withdrawn; {remedy}"
    asked = planned(
        {"tensorflow/2.12.0": said(), "tensorflow/2.12.1": said()}, defaults={"tensorflow": "2.12"}
    )
    with pytest.raises(InputError) as refused:
        module_tree(asked, installed(asked))
    assert str(refused.value) == f"{where}: 2.12 is withdrawn; use one of 2.21.0"


def test_a_name_like_one_that_there_is_may_be_a_slip_of_the_pen():
    asked = environment({"tensorflw/2.9": said(), "theano/1.0": said()})
    assert [str(note) for note in notes(asked)] == [
        "deprecations.tensorflw/2.9: no framework has the module tensorflw; did you mean tensorflow?"
    ]


def test_the_default_is_one_that_users_can_stay_with():
    versions = ["2.12.0", "2.12.1", "2.21.0"]
    asked = planned({"tensorflow/2.21": said("deprecated", instead="tensorflow/2.12.1")})
    assert default_version(asked, "tensorflow", versions) == "2.12.1"
    asked = planned(
        {"tensorflow/2.21": said("deprecated", instead="tensorflow/2.12.1")}, defaults={"tensorflow": "2.21"}
    )
    assert default_version(asked, "tensorflow", versions) == "2.21.0"


def test_what_is_withdrawn_is_hidden_and_gives_its_short_name_away():
    asked = planned({"tensorflow/2.12.1": said(), "tensorflow/2.9": said(), "theano/1.0": said()})
    tree = module_tree(asked, installed(asked))
    assert tree["modules/Core/hpai/tensorflow/.modulerc.lua"].text.splitlines() == [
        'module_version("hpai/tensorflow/2.12.0", "2.12")',
        'module_version("hpai/tensorflow/2.21.0", "default", "2.21")',
        'if os.date("%Y-%m-%d") >= "2020-06-01" then hide_version("hpai/tensorflow/2.9") end',
        'if os.date("%Y-%m-%d") >= "2020-06-01" then hide_version("hpai/tensorflow/2.12.1") end',
    ]
    assert {path for path in tree if "theano" in path or "2.9" in path} == {
        "modules/Core/hpai/tensorflow/2.9.lua",
        "modules/Core/hpai/theano/.modulerc.lua",
        "modules/Core/hpai/theano/1.0.lua",
    }


def test_without_deprecations_modules_and_requests_are_what_they_were():
    asked, other = planned({}), planned({"tensorflow/2.9": said()})
    assert "os.date" not in "".join(file.text for file in module_tree(asked, installed(asked)).values())
    nothing = Lock(environment="lab", inputs={})
    bare = [dataclasses.replace(one, frameworks=()) for one in (asked, other)]
    assert request(bare[0], nothing) != request(bare[1], nothing)


def test_what_the_current_release_says_holds_for_versions_of_older_ones():
    before = planned({"tensorflow/2.12.0": said("deprecated")})
    now = planned({"tensorflow/2.12": said()}, ("2.21.0",))
    old, new = module_tree(before, installed(before)), module_tree(now, installed(now))
    assert "modules/Core/hpai/tensorflow/2.12.lua" in new
    others = Tree({path: file for path, file in old.items() if not path.endswith(".modulerc.lua")})
    shown = publication(new, [others], Path("/dss/hpai/current"), now.deprecations)
    plain = module_tree(planned({}), installed(planned({})))
    for version in ("2.12.0", "2.12.1"):
        path, module = f"modules/Core/hpai/tensorflow/{version}.lua", f"hpai/tensorflow/{version}"
        assert shown[path].text == guarded(plain[path].text, module, now.deprecations[0])
    again = publication(plain, [others], Path("/dss/hpai/current"))
    assert again == plain


def test_a_release_that_says_no_more_of_a_version_lets_it_be():
    before, now = planned({"tensorflow/2.12.0": said("deprecated")}), planned({}, ("2.21.0",))
    path = "modules/Core/hpai/tensorflow/2.12.0.lua"
    kept = Tree({path: module_tree(before, installed(before))[path]})
    shown = publication(module_tree(now, installed(now)), [kept], Path("/dss/hpai/current"))
    assert shown[path] == module_tree(planned({}), installed(planned({})))[path]


def test_a_module_that_was_gone_is_the_real_one_again_for_those_who_have_it_loaded():
    now = planned({"tensorflow/2.9.0": said()})
    path = "modules/Core/hpai/tensorflow/2.9.0.lua"
    shown = publication(
        module_tree(now, installed(now)), [Tree({path: File("-- 2.9.0\n")})], Path("/x"), now.deprecations
    )
    assert shown[path].text == guarded("-- 2.9.0\n", "hpai/tensorflow/2.9.0", now.deprecations[0])


def test_the_launcher_refuses_what_is_withdrawn_before_a_job_is_asked_for():
    asked = planned(
        {
            "tensorflow/2.12": said(instead="tensorflow"),
            "theano/1.0": said(instead="tensorflow"),
            "tensorflow/2.21": said("withdrawn", "2999-01-01", "tensorflow"),
        },
        ("2.12.0", "2.21.0", "2.22.0"),
    )
    told = launcher_tree(asked, installed(asked))["share/launcher.json"].text
    site = site_from(json.loads(told), "/dss/hpai/releases/1/bin/hpai")
    assert json.loads(told)["deprecations"][0] == {
        "module": "hpai/tensorflow",
        "version": "2.12",
        "state": "withdrawn",
        "on": "2020-06-01",
        "reason": "CVE-1.",
        "instead": "hpai/tensorflow",
    }
    assert framework_named(site, "tensorflow").module == "hpai/tensorflow/2.22.0"
    assert framework_named(site, "tensorflow/2.21").module == "hpai/tensorflow/2.21.0"
    for name, full in (("tensorflow/2.12", "tensorflow/2.12.0"), ("theano/1.0", "theano/1.0")):
        with pytest.raises(LauncherError) as refused:
            framework_named(site, name)
        assert str(refused.value) == (
            f"hpai/{full} was withdrawn on 2020-06-01: CVE-1. Load hpai/tensorflow instead."
        )


def test_releases_differ_by_what_they_say():
    def release(**more):
        values = {"name": "1", "environment": "lab", "system": "node", "namespace": "hpai", "request": "0"}
        return Release.model_validate({**values, "frameworks": (), **more})

    said_of_it = [dict(ONE._asdict())]
    later = [dict(ONE._replace(state="deprecated")._asdict())]
    name = "hpai/tensorflow/2.9"
    assert changes_between(release(), release(deprecations=said_of_it)) == (
        f"{name}: not deprecated -> withdrawn from 2026-06-01",
    )
    assert changes_between(release(deprecations=later), release(deprecations=said_of_it)) == (
        f"{name}: deprecated from 2026-06-01 -> withdrawn from 2026-06-01",
    )
    otherwise = [dict(ONE._replace(reason="another")._asdict())]
    assert changes_between(release(deprecations=otherwise), release(deprecations=said_of_it)) == (
        f"{name}: withdrawn from 2026-06-01, said otherwise",
    )


def test_nobody_is_told_to_load_what_is_withdrawn(capsys):
    frameworks = [
        {"module": module, "version": version}
        for module, version in (
            ("theano", "1.0"),
            ("tensorflow", "2.12"),
            ("tensorflow", "2.21"),
            ("caffe", "1"),
        )
    ]
    gone = ONE._replace(module="hpai/theano", version="1", on="2020-01-01")._asdict()
    later = ONE._replace(module="hpai/caffe", version="1", on="2999-01-01")._asdict()
    content = {"namespace": "hpai", "frameworks": frameworks, "deprecations": [gone, later]}
    print_how_to_load(Path("/dss/hpai"), content)
    told = capsys.readouterr()
    assert told.out == "module use /dss/hpai/current/modules/Core\nmodule load hpai/tensorflow\n"
    assert told.err.splitlines()[-1] == "or instead of hpai/tensorflow: hpai/caffe"
