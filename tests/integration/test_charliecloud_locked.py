"""Charliecloud and squashfs-tools by a real Spack, for a machine that we are not on.

That they build is not tried: their sources lie where the tests do not reach.
"""

from pathlib import Path

import pytest

from stackgen.charliecloud import CHARLIECLOUD, SQUASHFS, ch_run, prefix_of
from stackgen.concretize import concretize
from stackgen.config import load
from stackgen.graph import Node, graph
from stackgen.lock import Lock
from stackgen.plan import plan
from stackgen.progress import Silent
from stackgen.store.place import prefixes_of

ENVIRONMENTS = Path(__file__).parents[2] / "environments"


@pytest.mark.spack
@pytest.mark.usefixtures("spack")
def test_both_are_solved_for_power9_with_what_images_need(run, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    hal = load(ENVIRONMENTS / "hal.yaml")
    wanted = {
        "packages": ("charliecloud@0.40", "squashfs@4.6.1 +zstd"),
        "frameworks": load(ENVIRONMENTS / "perlmutter.yaml").environment.frameworks,  # all wheels
        "toolchain": hal.environment.toolchain.model_copy(update={"mpi": None, "math": None, "cuda": None}),
    }
    planned = plan(hal.environment.model_copy(update=wanted), hal.system)
    lock = Lock(environment="hal", inputs={}, spack=concretize(planned, run, Silent()))
    found = nodes(lock)
    assert found["charliecloud"].parameters["squashfuse"] is True
    assert found["squashfs"].parameters["zstd"] is True
    assert found["squashfuse"].parameters["zstd"] is True
    assert {(one.os, one.target) for one in found.values() if not one.external} == {("rhel8", "power9le")}
    store = prefixes_of(planned, lock)
    assert ch_run(planned, lock, store) == store[found[CHARLIECLOUD].hash] / "bin/ch-run"
    assert prefix_of(SQUASHFS, planned, lock, store) == store[found[SQUASHFS].hash]


def nodes(lock: Lock) -> dict[str, Node]:
    return {node.name: node for one in lock.spack for node in graph(one.text).nodes.values()}
