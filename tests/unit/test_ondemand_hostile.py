"""Names as sites might have them, and worse: what OnDemand's Ruby makes of them is what was written."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from portal import App, documents, why_not
from pydantic import ValidationError
from small_jobs import frameworks, planned

from stackgen import files
from stackgen.model import System
from stackgen.ondemand import ondemand_tree
from stackgen.ondemand.cluster import cluster_name
from stackgen.ondemand.texts import distinct, ruby
from stackgen.plan import Plan

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

# fmt: off
NAMES = (
    "SuperMUC NG", "it's \"quoted\"", "<script>alert(1)</script>", "<%= exit 1 %>", "%> <%- x -%>",
    "<%% a %%>",
    "#{exit 1}", "\\u{41}", "\\", "$(touch never)", "`touch never`", "'", "a: b # c", "- x", "? x",
    "| x", "> x",
    "!!ruby/object:Object {}", "&a", "*a", "%x", "@x", "{a: b}", "[a]", "~", "null", "yes", "no", "off", "y",
    "1e3", "1,000", "1_000", "0x1f", "0o17", "12:30:45", "2026-11-22", ".inf", "-.5", "+1", ":x", "x:", "a:b",
    "=", "<<", "---", "...", "日本", "é\u2028x", "a\u0085b", "\U0001f600", " spaces ", "a/b", "..",
)
# fmt: on
WORST = NAMES[:12]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One partition of each name, on a system with a framework that are called like the worst."""
    partitions = {name: {"nodes": "1..2", "time": "1:00:00"} for name in NAMES}
    options = ["--comment=<%=exit%>'\"\\"]
    scheduler = {"kind": "slurm", "gpus": "gpu:<%=1%>", "options": options, "partitions": partitions}
    asked = titled(planned(scheduler, name="<%= 1 %> 'x'"), " ".join(WORST))
    (tool,) = frameworks(asked)
    serving = tool.model_copy(update={"packages": {"jupyter-server": "2.17", "tensorboard": "2.20"}})
    place = tmp_path_factory.mktemp("hostile")
    files.write_tree(ondemand_tree(asked, (serving,)), place)
    return place / "share/ondemand"


def titled(asked: Plan, title: str) -> Plan:
    (tool,) = asked.frameworks
    return replace(asked, frameworks=(replace(tool, about=replace(tool.about, title=title)),))


def test_the_form_has_every_partition_by_its_name(site: Path):
    form = App(site / "apps/hpai_jupyter").form
    options = form["attributes"]["job_partition"]["options"]
    assert [option[1] for option in options] == list(NAMES)
    assert [option[0] for option in options] == [
        f"{name}: 1 to 2 nodes, 8 cores, 01:00:00 at most" for name in NAMES
    ]
    assert form["attributes"]["job_partition"]["value"] == NAMES[0]
    assert form["cluster"] == "1-x"


def test_the_submission_has_each_word_for_word(site: Path):
    app = App(site / "apps/hpai_jupyter")
    for name, submission in zip(
        NAMES, app.submissions(*({"job_partition": name} for name in NAMES)), strict=True
    ):
        native = submission["script"]["native"]
        assert (native[0], native[-1]) == (f"--partition={name}", "--comment=<%=exit%>'\"\\")


def test_every_partition_has_its_template_and_every_shell_can_read_it(site: Path):
    found = sorted((site / "templates").iterdir())
    assert len(found) == 3 * len(NAMES)
    manifests = documents(*(template / "manifest.yml" for template in found))
    title = " ".join(WORST)
    sizes = {"process": "one process", "node": "one node", "nodes": "several nodes"}
    assert sorted(manifest["name"] for manifest in manifests) == sorted(
        f"{title} 1.0: {size}, {name}" for size in sizes.values() for name in NAMES
    )
    for template, manifest in zip(found, manifests, strict=True):
        assert set(template.name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
        assert (template / manifest["script"]).exists()
    scripts = [str(path) for path in sorted(site.rglob("*.sh"))]
    reading = 'for script; do bash -n "$script" && dash -n "$script" || exit 1; done'
    subprocess.run(("bash", "-c", reading, "bash", *scripts), check=True, env={"PATH": os.environ["PATH"]})


def test_what_a_user_writes_is_one_word_of_the_shell(site: Path, tmp_path: Path):
    written = "a  'b' \"c\" $(touch never) `touch never` \\ \n <%= exit %> é"
    app = App(site / "apps/hpai_jupyter")
    app.stage(tmp_path / "session", directory=written, framework="x;touch never")
    shown = subprocess.run(
        ("bash", "-c", '. session/choices.sh; printf "%s|%s" "$framework" "$directory"'),
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert shown.stdout == f"x;touch never|{written}"
    assert not (tmp_path / "never").exists()


def test_a_view_holds_what_the_job_says(site: Path):
    connection = {"host": "n1", "port": "2000", "password": "secret"}
    assert App(site / "apps/hpai_jupyter").view(connection) == (
        '<form action="/node/n1/2000/login" method="post" target="_blank">\n'
        '  <input type="hidden" name="password" value="secret">\n'
        '  <input type="hidden" name="token" value="secret">\n'
        '  <button class="btn btn-primary" type="submit">Connect to Jupyter</button>\n'
        "</form>\n"
    )


def test_a_literal_of_ruby_means_nothing_to_erb():
    for name in NAMES:
        assert not set("<>%#\"'`$") & set(ruby(name)[1:-1])
    with pytest.raises(TypeError) as error:
        ruby(None)
    assert str(error.value) == "NoneType is no literal of Ruby"


def test_names_of_directories_are_each_another_one():
    assert distinct(("a b", "a-b", "a/b", "a-b-2", "..", "日本")) == {
        "a b": "a-b",
        "a-b": "a-b-2",
        "a/b": "a-b-3",
        "a-b-2": "a-b-2-2",
        "..": "unnamed",
        "日本": "unnamed-2",
    }


@pytest.mark.parametrize(
    ("name", "cluster"),
    [
        ("SuperMUC NG", "supermuc-ng"),
        ("Piz 'Daint'", "piz-daint"),
        ("<b>HAL</b>", "b-hal-b"),
        ("富岳", "cluster"),
    ],
)
def test_the_cluster_is_called_like_the_system(name: str, cluster: str):
    assert cluster_name(planned({"kind": "none"}, name=name).system) == cluster


def test_the_cluster_is_called_as_the_systems_file_says_or_that_is_refused():
    facts = {"name": "Lab", "os": "debian12", "glibc": "2.36", "target": "zen3"}
    system = System.model_validate({**facts, "ondemand": {"cluster": "Lab_2.x"}})
    assert cluster_name(system) == "Lab_2.x"
    for bad in ("a b", "<%= 1 %>", "", "../x", "*", "a\nb"):
        with pytest.raises(ValidationError):
            System.model_validate({**facts, "ondemand": {"cluster": bad}})
