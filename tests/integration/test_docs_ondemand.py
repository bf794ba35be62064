"""What the documentation says of Open OnDemand, as it is written."""

from pathlib import Path

import pytest
from pages import follow, login
from portal import App, why_not

pytestmark = [
    pytest.mark.network,
    pytest.mark.usefixtures("index"),
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]


def test_notebooks_in_ondemand(tmp_path: Path):
    admin = login(tmp_path, "you")
    follow("how-to/ondemand.md", {"admin": admin})
    app = App(admin.home / "hpai/current/share/ondemand/apps/hpai_jupyter")
    assert app.form["cluster"] == "lab_ng"
    chosen = {"job_partition": "gpu", "job_gpus": "2", "bc_account": "abc"}
    assert app.submission(**chosen)["script"]["native"] == [
        "--partition=gpu",
        "--nodes=1",
        "--ntasks-per-node=1",
        "--cpus-per-task=16",
        "--gres=gpu:2",
    ]
