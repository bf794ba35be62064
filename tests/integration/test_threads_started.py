"""The cores of a rank as real launchers leave them: bound by Open MPI, shared by MPICH's Hydra."""

import os
import shutil
from pathlib import Path

import pytest

from stackgen.inside import threads
from stackgen.run import Command

HAD = len(os.sched_getaffinity(0))
ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
TELL = """\
import os, sys
sys.path.insert(0, {inside!r})
from threads import expanded, processors_here
print(expanded({{"N": "{{threads}}"}}, os.environ, processors_here())["N"])
"""


@pytest.mark.parametrize(
    ("words", "cores"),
    [
        (("mpirun.openmpi", "-n", "2"), ["1", "1"]),
        (("mpirun.openmpi", "--bind-to", "none", "-n", "1"), [str(HAD)]),
        (("mpiexec.mpich", "-n", "2"), [str(HAD // 2)] * 2),
        (("mpiexec.mpich", "-n", "1"), [str(HAD)]),
    ],
    ids=" ".join,
)
def test_ranks(run, tmp_path: Path, words, cores):
    if not shutil.which(words[0]) or HAD < 2 or threads.processors_here().siblings > 1:
        pytest.skip(f"needs {words[0]}, and two cores without hyperthreads")
    (tmp_path / "tell.py").write_text(TELL.format(inside=str(Path(threads.__file__).parent)))
    argv = (*words, "/usr/bin/python3", "tell.py")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **ROOT}
    outcome = run(Command(argv=argv, environment=environment, directory=tmp_path, timeout=300))
    assert outcome.stdout.split() == cores, outcome.stderr
