"""Where ranks meet: environments as real launchers gave them, and as others document theirs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stackgen.inside.ranks import counts, hosts
from stackgen.inside.rendezvous import MARK, join, port, variables
from stackgen.prefix import rendezvous_module

JOB = {"SLURM_JOB_ID": "1", "SLURM_JOB_NODELIST": "b[1-3]", "SLURM_JOB_NUM_NODES": "3"}
BATCH = JOB | {
    "SLURM_PROCID": "0",
    "SLURM_LOCALID": "0",
    "SLURM_NODEID": "0",
    "SLURM_GTIDS": "0",
    "SLURM_NTASKS": "5",
    "SLURM_TASKS_PER_NODE": "2(x2),1",
}
SRUN = JOB | {
    "SLURM_STEP_ID": "0",
    "SLURM_PROCID": "3",
    "SLURM_LOCALID": "1",
    "SLURM_NODEID": "1",
    "SLURM_GTIDS": "2,3",
    "SLURM_DISTRIBUTION": "block",
    "SLURM_NTASKS": "5",
    "SLURM_STEP_NUM_TASKS": "5",
    "SLURM_STEP_NODELIST": "b[1-3]",
    "SLURM_STEP_TASKS_PER_NODE": "2(x2),1",
}
CYCLIC = SRUN | {
    "SLURM_STEP_ID": "2",
    "SLURM_PROCID": "4",
    "SLURM_GTIDS": "1,4",
    "SLURM_DISTRIBUTION": "cyclic",
}
# Under Slurm the step is the one of mpirun's own daemons.
MPIRUN = JOB | {
    "OMPI_COMM_WORLD_RANK": "1",
    "OMPI_COMM_WORLD_SIZE": "2",
    "OMPI_COMM_WORLD_LOCAL_RANK": "0",
    "OMPI_COMM_WORLD_LOCAL_SIZE": "1",
    "OMPI_MCA_orte_num_nodes": "2",
    "PMIX_NAMESPACE": "487784449",
    "PMIX_RANK": "1",
    "SLURM_PROCID": "1",
    "SLURM_LOCALID": "0",
    "SLURM_STEP_ID": "8",
    "SLURM_STEP_NUM_TASKS": "2",
    "SLURM_STEP_NODELIST": "b[2-3]",
    "SLURMD_NODENAME": "b3",
}
HYDRA = JOB | {
    "PMI_RANK": "2",
    "PMI_SIZE": "5",
    "MPI_LOCALRANKID": "0",
    "MPI_LOCALNRANKS": "2",
    "MPIR_CVAR_CH3_INTERFACE_HOSTNAME": "b2",
    "SLURM_PROCID": "1",
    "SLURM_STEP_ID": "9",
    "SLURM_STEP_NUM_TASKS": "3",
    "SLURM_STEP_NODELIST": "b[1-3]",
}
JSRUN = {
    "JSM_NAMESPACE_RANK": "7",
    "JSM_NAMESPACE_SIZE": "12",
    "JSM_NAMESPACE_LOCAL_RANK": "1",
    "JSM_NAMESPACE_LOCAL_SIZE": "6",
    "LSB_JOBID": "812345",
    "LSB_MCPU_HOSTS": "batch5 1 h41n08 42 h41n09 42",
}
PALS = {
    "PALS_RANKID": "3",
    "PALS_LOCAL_RANKID": "1",
    "PALS_LOCAL_SIZE": "2",
    "PALS_APID": "1e9e5a6d-9a55-4a2f-8a51-0b7a2f7f5b0e",
    "PMI_SIZE": "4",
}
LOCAL_MPIRUN = {
    "OMPI_COMM_WORLD_RANK": "1",
    "OMPI_COMM_WORLD_SIZE": "2",
    "OMPI_COMM_WORLD_LOCAL_RANK": "1",
    "OMPI_COMM_WORLD_LOCAL_SIZE": "2",
    "OMPI_MCA_orte_num_nodes": "1",
    "PMIX_NAMESPACE": "132841473",
}


def numbers(environ: dict[str, str]) -> tuple[str, ...]:
    found = variables(environ)
    return tuple(found[name] for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"))


def workers(environ: dict[str, str]) -> list[str]:
    return list(json.loads(variables(environ)["TF_CONFIG"])["cluster"]["worker"])


def test_a_task_of_srun_is_told_all():
    found = variables(SRUN)
    del found[MARK]
    assert found == {
        "RANK": "3",
        "WORLD_SIZE": "5",
        "LOCAL_RANK": "1",
        "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "b1",
        "MASTER_PORT": "20032",
        "TF_CONFIG": '{"cluster": {"worker": ["b1:20032", "b1:20033", "b2:20032", "b2:20033", "b3:20032"]}, '
        '"task": {"type": "worker", "index": 3}}',
    }


def test_tasks_that_are_dealt_out_in_turn_are_found_where_they_are():
    assert numbers(CYCLIC) == ("4", "5", "1", "2")
    assert workers(CYCLIC) == ["b1:26496", "b2:26496", "b3:26496", "b1:26497", "b2:26497"]


def test_a_batch_script_is_no_rank():
    assert variables(BATCH) == {}


@pytest.mark.parametrize(
    "environ", [{}, {"SLURM_STEP_ID": "0", "SLURM_PROCID": "x"}, SRUN | {"SLURM_STEP_NUM_TASKS": "1"}]
)
def test_where_there_are_not_several_nothing_is_told(environ: dict[str, str]):
    assert variables(environ) == {}


ALONE = SRUN | {
    "SLURM_PROCID": "0",
    "SLURM_LOCALID": "0",
    "SLURM_NODEID": "0",
    "SLURM_NTASKS": "1",
    "SLURM_STEP_NUM_TASKS": "1",
    "SLURM_STEP_NODELIST": "b1",
    "SLURM_STEP_TASKS_PER_NODE": "1",
}


def test_a_rank_alone_meets_itself_where_that_is_asked_for():
    assert variables(ALONE) == {}
    found = variables(ALONE, alone=True)
    del found[MARK]
    assert found == {
        "RANK": "0",
        "WORLD_SIZE": "1",
        "LOCAL_RANK": "0",
        "LOCAL_WORLD_SIZE": "1",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "20032",
    }
    told = variables(ALONE | {"MASTER_ADDR": "gate"}, alone=True)
    assert "MASTER_ADDR" not in told
    assert variables(ALONE | {"WORLD_SIZE": "2"}, alone=True) == {}
    assert variables(BATCH, alone=True) == {}


def test_several_ranks_that_are_started_by_one_alone_are_not_alone():
    above = ALONE | variables(ALONE, alone=True)
    assert variables(above) == {}
    assert numbers(above | LOCAL_MPIRUN) == ("1", "2", "1", "2")


def test_mpirun_on_a_part_of_a_job_starts_on_the_first_node_of_that_part():
    assert numbers(MPIRUN) == ("1", "2", "0", "1")
    assert workers(MPIRUN) == ["b2:27200", "b3:27200"]


def test_ranks_of_one_node_meet_there_whatever_it_is_called():
    assert variables(LOCAL_MPIRUN)["MASTER_ADDR"] == "127.0.0.1"
    assert variables(LOCAL_MPIRUN | {"SLURMD_NODENAME": "b1"})["MASTER_ADDR"] == "127.0.0.1"


def test_rank_0_that_is_not_on_the_first_node_does_not_send_others_there():
    assert "MASTER_ADDR" not in variables(MPIRUN | {"OMPI_COMM_WORLD_RANK": "0"})


def test_hydra_spreads_unevenly_and_the_first_node_is_known_all_the_same():
    found = variables(HYDRA)
    assert found["MASTER_ADDR"] == "b1"
    assert "TF_CONFIG" not in found


def test_jsrun_starts_nothing_where_its_script_runs():
    assert numbers(JSRUN) == ("7", "12", "1", "6")
    assert variables(JSRUN)["MASTER_ADDR"] == "h41n08"
    assert workers(JSRUN)[5:8] == ["h41n08:23045", "h41n09:23040", "h41n09:23041"]


def test_jsrun_without_a_list_that_tells_its_nodes_does_not_guess():
    alike = JSRUN | {"LSB_MCPU_HOSTS": "a 42 b 42 c 42"}
    assert numbers(alike) == ("7", "12", "1", "6")
    assert "MASTER_ADDR" not in variables(alike)


def test_pals_finds_its_nodes_in_the_file_that_pbs_names(tmp_path: Path):
    file = tmp_path / "nodes"
    file.write_text("x1000c0s0b0n0\nx1000c0s0b0n0\nx1000c0s0b1n0\n")
    found = variables(PALS | {"PBS_NODEFILE": str(file)})
    assert (found["RANK"], found["MASTER_ADDR"]) == ("3", "x1000c0s0b0n0")
    assert "MASTER_ADDR" not in variables(PALS | {"PBS_NODEFILE": str(tmp_path / "gone")})


def test_a_launcher_that_tells_no_number_of_ranks_is_not_believed():
    assert variables({"PMIX_RANK": "2"}) == {}


def test_what_a_user_has_set_stays():
    found = variables(SRUN | {"MASTER_PORT": "4000", "MASTER_ADDR": "gate"})
    assert "MASTER_PORT" not in found
    assert "MASTER_ADDR" not in found
    assert json.loads(found["TF_CONFIG"])["cluster"]["worker"][0] == "b1:4000"


def test_what_torchrun_has_set_is_left_alone():
    assert variables(SRUN | {"RANK": "6", "WORLD_SIZE": "10", "LOCAL_RANK": "0"}) == {}


def test_a_launcher_below_a_rank_is_the_one_that_counts():
    above = SRUN | variables(SRUN)
    assert variables(above) == variables(SRUN)
    below = above | LOCAL_MPIRUN
    assert numbers(below) == ("1", "2", "1", "2")
    assert variables(above | {"RANK": "6"}) == {}


def test_neighbours_never_share_a_port():
    jobs = [f"{job}.{step}" for job in range(7_000_000, 7_000_100) for step in ("", "0")]
    assert len({port(job) for job in jobs[::2]}) == 100
    assert port("5.0") != port("5.1")
    assert all(20000 <= port(job) < 32000 for job in jobs)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("n1", "n1"),
        ("n[1-3,07-09],a-[1-2]b[3-4]", "n1 n2 n3 n07 n08 n09 a-1b3 a-1b4 a-2b3 a-2b4"),
        ("n[1-2]-ib,login", "n1-ib n2-ib login"),
        ("n[098-101]", "n098 n099 n100 n101"),
        ("", ""),
        ("n[", "n"),
        ("n[x-y]", ""),
    ],
)
def test_node_lists_of_slurm(text: str, names: str):
    assert hosts(text) == names.split()


def test_numbers_of_tasks_of_slurm():
    assert counts("2(x3),1") == [2, 2, 2, 1]
    assert counts("2(x") == []


def test_more_workers_than_a_variable_holds_are_left_out():
    many = SRUN | {
        "SLURM_STEP_NUM_TASKS": "20000",
        "SLURM_STEP_NODELIST": "b[1-10000]",
        "SLURM_STEP_TASKS_PER_NODE": "2(x10000)",
    }
    assert "TF_CONFIG" not in variables(many)
    assert variables(many)["MASTER_ADDR"] == "b1"


def test_nothing_stops_the_start_of_a_python(capsys: pytest.CaptureFixture[str]):
    class Odd(dict[str, str]):
        def update(self, *_: object, **__: object) -> None:
            raise RuntimeError("no")

    join(Odd(SRUN))
    assert capsys.readouterr().err == "stackgen_rendezvous: RuntimeError: no\n"


@pytest.mark.parametrize("launcher", ["mpirun.openmpi", "mpirun.mpich"])
def test_real_launchers_number_their_ranks(launcher: str, tmp_path: Path):
    script = tmp_path / "rank.py"
    (tmp_path / "rendezvous.py").write_text(rendezvous_module())
    script.write_text(
        "import os\n"
        "from rendezvous import variables\n"
        "found = variables(os.environ)\n"
        "print(found['RANK'], found['WORLD_SIZE'], found['LOCAL_RANK'], found['MASTER_ADDR'])\n"
    )
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        **root,
    }
    words = [launcher, "-n", "2", sys.executable, str(script)]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=300, check=True)
    assert sorted(done.stdout.splitlines()) == ["0 2 0 127.0.0.1", "1 2 1 127.0.0.1"]
