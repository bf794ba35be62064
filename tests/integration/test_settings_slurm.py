"""The cores of a rank in jobs of a real Slurm: where a module is loaded, and in ranks started afterwards."""

import os
import sys
from pathlib import Path

import lmod
import pytest
from cluster import Cluster

from stackgen.files import write_tree
from stackgen.inside import threads
from stackgen.model import Environment, System
from stackgen.modules import module_tree
from stackgen.plan import plan
from stackgen.release import InstalledFramework

LOADING = """\
#!/bin/bash
source {init}
module use {core}
module load hpai/six
echo "loaded ${{OMP_NUM_THREADS-open}}"
unset OMP_NUM_THREADS
srun {python} -c "import os, sys
sys.path.insert(0, '{inside}')
from threads import expanded, processors_here
print('rank', expanded({{'N': '{{threads}}'}}, os.environ, processors_here()).get('N', 'open'))"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory) -> Path:
    """A job script that loads a module, and starts ranks."""
    bash = lmod.shell("bash")
    top = tmp_path_factory.mktemp("release")
    settings = {"OMP_NUM_THREADS": "{threads}"}
    framework = {"from": "wheels", "version": "1.17", "settings": settings}
    environment = {
        "name": "e",
        "release": "1",
        "system": "s",
        "prefix": "/p",
        "frameworks": {"six": framework},
    }
    system = {"name": "s", "os": "debian12", "glibc": "2.36", "target": "x86_64_v2"}
    pythons = [{"version": "3.11", "prefix": "/usr"}]
    installed = InstalledFramework(
        name="six",
        module="six",
        version="1.17.0",
        prefix="/p/six",
        python="3.11",
        packages={},
        settings=settings,
    )
    planned = plan(
        Environment.model_validate(environment), System.model_validate({**system, "pythons": pythons})
    )
    write_tree(module_tree(planned, (installed,)), top)
    inside = Path(threads.__file__).parent
    text = LOADING.format(
        init=lmod.ROOT / "init" / bash.init, core=top / "modules/Core", python=sys.executable, inside=inside
    )
    (top / "job.sh").write_text(text)
    return top / "job.sh"


HAD = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("options", "loaded", "ranks"),
    [
        (("-N1",), "open", ["1"]),
        (("-N1", "--exclusive", "-n1"), str(min(4, HAD)), [str(min(4, HAD))]),
        (("-N2", "--ntasks-per-node=2"), "1", ["1"] * 4),
        (("-N2", "--ntasks-per-node=1", "-c2"), str(min(2, HAD)), [str(min(2, HAD))] * 2),
    ],
    ids=["number of ranks open", "a node", "two ranks a node", "two cores a rank"],
)
def test_a_job(slurm: Cluster, script: Path, options, loaded, ranks):
    done = slurm.finished(slurm.submit(script, options=options, directory=script.parent))
    assert done.output.splitlines() == [f"loaded {loaded}", *(f"rank {count}" for count in ranks)]
    assert done.status == 0
