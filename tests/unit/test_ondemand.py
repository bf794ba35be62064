"""What Open OnDemand is given, read by its own language."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from portal import App, PortalError, documents, why_not
from small_jobs import frameworks, planned

from stackgen import files
from stackgen.jobs import job_tree
from stackgen.ondemand import ondemand_notes, ondemand_tree
from stackgen.plan import Plan
from stackgen.release import InstalledFramework

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

SLURM = {
    "kind": "slurm",
    "account": "required",
    "gpus": "gpu:v100",
    "options": ["--constraint=skx"],
    "partitions": {
        "batch": {"nodes": "1..4", "time": "48:00:00", "default": True},
        "gpu": {"nodes": "2..8", "time": "0:30:00", "gpus": 4, "cores-per-gpu": "2..3"},
        "short": {"nodes": "1", "time": "48:00:00", "kind": "qos"},
    },
}
LSF = {"kind": "lsf", "partitions": {"batch": {"nodes": "1..4", "time": "2:00:00", "gpus": 6}}}
SERVING = {"jupyterlab": "4.4.10", "jupyter-server": "2.17.0", "tensorboard": "2.20.0"}


def serving(asked: Plan, packages: dict[str, str] = SERVING) -> tuple[InstalledFramework, ...]:
    return tuple(one.model_copy(update={"packages": packages}) for one in frameworks(asked))


def noted(asked: Plan, frameworks: tuple[InstalledFramework, ...]) -> str:
    return "\n".join(map(str, ondemand_notes(asked, frameworks)))


def written(directory: Path, scheduler: dict[str, object], **system: object) -> Path:
    """What a release has for OnDemand, on disk."""
    asked = planned(scheduler, **system)
    files.write_tree(ondemand_tree(asked, serving(asked)), directory)
    return directory / "share/ondemand"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("slurm"), SLURM)


@pytest.fixture(scope="module")
def jupyter(site: Path) -> App:
    return App(site / "apps/hpai_jupyter")


def script(app: App, **chosen: str) -> tuple[int, list[str]]:
    """How long a job is, in seconds, and the words that the scheduler gets besides."""
    submission = app.submission(**chosen)
    assert submission["batch_connect"] == {"template": "basic"}
    assert set(submission["script"]) == {"wall_time", "native"}
    return submission["script"]["wall_time"], submission["script"]["native"]


def test_a_form_asks_for_what_the_partitions_offer(jupyter: App):
    form = jupyter.form
    assert (form["cluster"], form["form"]) == ("lab", list(form["attributes"]))
    partition = form["attributes"]["job_partition"]
    assert partition["value"] == "batch"
    assert partition["options"] == [
        [
            "batch: 1 to 4 nodes, 8 cores, 48:00:00 at most",
            "batch",
            {"data-max-bc-num-hours": 48},
            {"data-min-job-nodes": 1},
            {"data-max-job-nodes": 4},
            {"data-max-job-cores": 8},
            {"data-max-job-gpus": 0},
            {"data-set-job-gpus": 0},
            {"data-hide-job-gpus": True},
        ],
        [
            "gpu: 2 to 8 nodes, 8 cores, 4 GPUs, 00:30:00 at most",
            "gpu",
            {"data-max-bc-num-hours": 1},
            {"data-min-job-nodes": 2},
            {"data-max-job-nodes": 8},
            {"data-max-job-cores": 8},
            {"data-max-job-gpus": 4},
            {"data-set-job-gpus": 1},
        ],
        [
            "short: 1 node, 8 cores, 48:00:00 at most",
            "short",
            {"data-max-bc-num-hours": 48},
            {"data-min-job-nodes": 1},
            {"data-max-job-nodes": 1},
            {"data-max-job-cores": 8},
            {"data-max-job-gpus": 0},
            {"data-set-job-gpus": 0},
            {"data-hide-job-gpus": True},
        ],
    ]
    assert form["attributes"]["framework"] == "tool"
    assert form["attributes"]["bc_account"]["required"] is True


def test_a_form_that_is_sent_as_it_is_makes_a_job_for_slurm(jupyter: App):
    assert script(jupyter) == (
        3600,
        [
            "--partition=batch",
            "--nodes=1",
            "--ntasks-per-node=1",
            "--cpus-per-task=8",
            "--constraint=skx",
        ],
    )


def test_gpus_come_with_their_share_of_the_cores_and_a_job_is_no_longer_than_its_partition_allows(
    jupyter: App,
):
    assert script(jupyter, job_partition="gpu", job_gpus="2", bc_num_hours="1") == (
        1800,
        [
            "--partition=gpu",
            "--nodes=2",
            "--ntasks-per-node=1",
            "--cpus-per-task=4",
            "--gres=gpu:v100:2",
            "--constraint=skx",
        ],
    )


def test_what_a_form_remembers_of_another_partition_is_kept_within_the_limits(jupyter: App):
    seconds, words = script(
        jupyter, job_partition="short", job_gpus="4", job_nodes="99", job_cores="1000", bc_num_hours="9999"
    )
    assert seconds == 48 * 3600
    assert words[:4] == ["--qos=short", "--nodes=1", "--ntasks-per-node=1", "--cpus-per-task=8"]
    assert script(jupyter, job_nodes="-3", job_cores="two", bc_num_hours="")[0] == 3600


def test_a_partition_that_is_gone_is_told(jupyter: App):
    with pytest.raises(PortalError) as error:
        script(jupyter, job_partition="gone")
    assert str(error.value) == (
        'RuntimeError: there is no partition "gone" in this app any more: open its form anew'
    )


def test_lsf_gets_slots_and_gpus_of_each_host(tmp_path: Path):
    app = App(written(tmp_path, LSF) / "apps/hpai_jupyter")
    assert script(app, job_nodes="2", job_gpus="3", bc_num_hours="2") == (
        7200,
        ["-q", "batch", "-n", "8", "-R", "span[ptile=4]", "-gpu", "num=3"],
    )


def test_where_jsrun_starts_the_ranks_there_are_no_apps(tmp_path: Path):
    asked = planned({**LSF, "launch": "jsrun"}, ondemand={"cluster": "summit"})
    tree = ondemand_tree(asked, serving(asked))
    assert not [path for path in tree if "/apps/" in path]
    assert [path for path in tree if "/templates/" in path]
    assert noted(asked, serving(asked)) == (
        "Open OnDemand gets templates and no apps: under jsrun a job's script runs on no node of it;"
        " users start notebooks by hand"
    )


def test_templates_are_the_job_scripts_of_the_release(site: Path):
    asked = planned(SLURM)
    scripts = {path: file.text for path, file in job_tree(asked, serving(asked)).items()}
    templates = sorted((site / "templates").iterdir())
    assert [template.name for template in templates] == [
        "hpai-tool-batch-node",
        "hpai-tool-batch-nodes",
        "hpai-tool-batch-process",
        "hpai-tool-gpu-nodes",
        "hpai-tool-short-node",
        "hpai-tool-short-process",
    ]
    for template in templates:
        _, _, partition, shape = template.name.split("-")
        made = template / f"{shape}.sh"
        assert made.read_text() == scripts[f"jobs/tool/{partition}/{shape}.sh"]
        assert made.stat().st_mode & 0o777 == 0o755
    assert documents(site / "templates/hpai-tool-gpu-nodes/manifest.yml") == [
        {
            "name": "tool 1.0: several nodes, gpu",
            "host": "lab",
            "notes": "2 nodes, 1 rank on each, 8 cores for each, 4 GPUs a node. As it is, it proves that the"
            " release works. To run a program of yours, write a line such as 'set -- train.py --epochs 3'"
            " below the comments. Name the account in the job's options.",
            "script": "nodes.sh",
        }
    ]


def test_shells_can_read_all_scripts(site: Path):
    scripts = sorted([*site.rglob("*.sh")])
    assert len(scripts) > 10
    for path in scripts:
        shells = ["bash", "dash"] if path.name != "after.sh" else ["bash"]
        for shell in shells:
            assert subprocess.run((shell, "-n", path), check=False, capture_output=True).stderr == b""


def test_a_framework_that_is_a_server_comes_first_and_others_can_be_chosen(tmp_path: Path):
    asked = planned(SLURM)
    (tool,) = serving(asked)
    also = asked.frameworks[0]
    names = ("alpha", "jupyterlab")
    both = tuple(
        tool.model_copy(update={"name": name, "module": name, "packages": SERVING}) for name in names
    )
    tree = ondemand_tree(_with(asked, also, names), both)
    files.write_tree(tree, tmp_path)
    app = App(tmp_path / "share/ondemand/apps/hpai_jupyter")
    assert app.form["attributes"]["framework"] == {
        "label": "Framework",
        "widget": "select",
        "options": [["tool 1.0", "jupyterlab"], ["tool 1.0", "alpha"]],
        "value": "jupyterlab",
    }


def _with(asked: Plan, like: object, names: tuple[str, ...]) -> Plan:
    return replace(asked, frameworks=tuple(replace(like, name=name) for name in names))


def test_an_image_serves_tensorboard_but_not_the_kernels_of_others():
    asked = planned(SLURM)
    contained = tuple(one.model_copy(update={"image": "/site/images/tool.sqfs"}) for one in serving(asked))
    places = {path.split("/")[3] for path in ondemand_tree(asked, contained) if "/apps/" in path}
    assert places == {"hpai_tensorboard"}


def test_without_a_server_there_is_no_jupyter_and_one_line_says_so():
    asked = planned(SLURM, ondemand={"cluster": "lab"})
    assert noted(asked, serving(asked)) == ""
    assert noted(asked, frameworks(asked)) == (
        "Open OnDemand gets no Jupyter: no framework has a server; add one below `frameworks`, such as"
        " `jupyterlab: {version: newest, from: wheels}`"
    )
    assert noted(planned(SLURM), frameworks(asked)) == ""


def test_a_machine_without_slurm_and_lsf_has_nothing_for_ondemand():
    for scheduler in ({"kind": "none"}, {"kind": "slurm"}, {**LSF, "kind": "pbs"}):
        asked = planned(scheduler, ondemand={"cluster": "lab"})
        assert not ondemand_tree(asked, serving(asked))
        assert noted(asked, serving(asked)) == (
            "Open OnDemand gets nothing: Lab has no partitions of Slurm or LSF;"
            " name them in the system's file, below `scheduler`"
        )
