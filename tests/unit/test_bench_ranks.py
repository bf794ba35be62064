"""Ranks that a measuring program starts by itself: where they meet, and what becomes of all if one dies."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stackgen import bench
from stackgen.prefix import rendezvous_module

RANKS = Path(bench.__file__).parents[1] / "inside/bench/ranks.py"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "ranks.py").write_text(RANKS.read_text())
    (tmp_path / "rendezvous.py").write_text(rendezvous_module())
    return tmp_path / "program.py"


def test_each_has_a_port_of_its_own_and_knows_those_of_all(program: Path):
    program.write_text(
        "import json, os\n"
        "from ranks import place\n"
        "rank, ranks = place(3)\n"
        "told = [rank, ranks, os.environ['MASTER_PORT'], os.environ['TF_CONFIG']]\n"
        "os.write(1, (json.dumps(told) + '\\n').encode())\n"  # at once, for others write there, too
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True)
    told = sorted(json.loads(line) for line in done.stdout.splitlines())
    assert [rank for rank, *_ in told] == [0, 1, 2]
    assert {ranks for _, ranks, *_ in told} == {3}
    clusters = [json.loads(config)["cluster"]["worker"] for *_, config in told]
    assert clusters == [clusters[0]] * 3
    assert len({*clusters[0]}) == 3
    assert {f"127.0.0.1:{port}" for *_, port, _ in told} == {clusters[0][0]}


def test_one_that_dies_ends_the_others_and_its_status_is_kept(program: Path):
    program.write_text(
        "import sys, time\n"
        "from ranks import place\n"
        "rank, _ = place(2)\n"
        "if rank:\n"
        "    sys.exit(5)\n"
        "time.sleep(600)\n"
    )
    assert subprocess.run([sys.executable, program], check=False, timeout=300).returncode == 5
