"""What the launcher asks schedulers for, and what it refuses; real jobs are in test_launcher_slurm."""

import ast
import json
import os
import shlex
from collections import Counter
from pathlib import Path

import pytest
from small_jobs import frameworks, planned

from stackgen.inside.launcher.batching import directive, directives
from stackgen.inside.launcher.command import launch
from stackgen.inside.launcher.description import Site, site_from
from stackgen.inside.launcher.times import duration
from stackgen.inside.launcher.words import LauncherError
from stackgen.jobs import launcher_tree
from stackgen.jobs.launcher import description

HERE = "/site/releases/1/bin/hpai"
HAL = {
    "kind": "slurm",
    "gpus": "gpu:v100",
    "partitions": {
        "gpu": {
            "nodes": "1..16",
            "time": "72:00:00",
            "usual-time": "04:00:00",
            "cores": 160,
            "gpus": 4,
            "cores-per-gpu": "16..40",
        },
        "cpu": {"nodes": "1..16", "time": "72:00:00", "cores": 96, "gpus": 0, "default": True},
        "gpux4": {"of": "gpu", "nodes": 1, "gpus": 4},
        "gpux8": {"of": "gpu", "nodes": 2, "gpus": 4},
    },
}
SUMMIT = {
    "kind": "lsf",
    "account": "required",
    "launch": "jsrun",
    "partitions": {"batch": {"nodes": "1..4608", "time": "24:00:00", "cores": 42, "gpus": 6}},
}
QUALITIES = {
    "kind": "slurm",
    "options": ["--constraint=gpu"],
    "partitions": {
        "debug": {"kind": "qos", "nodes": "1..8", "time": "00:30:00"},
        "large": {"kind": "qos", "nodes": "64..512"},
    },
}
HYDRA = {
    "kind": "slurm",
    "launch": "mpiexec -n {ranks}",
    "partitions": {"micro": {"nodes": "1..16", "cores": 48}},
}


def site(scheduler: dict[str, object]) -> Site:
    asked = planned(scheduler)
    return site_from(json.loads(json.dumps(description(asked, frameworks(asked)))), HERE)


@pytest.fixture(autouse=True)
def _outside_of_jobs(monkeypatch: pytest.MonkeyPatch):
    for name in os.environ:
        if name.startswith(("SLURM_", "SBATCH_", "LSB_")):
            monkeypatch.delenv(name)


def told(capfd: pytest.CaptureFixture[str], scheduler: dict[str, object], *words: str) -> str:
    """The command that would be started."""
    launch(site(scheduler), (words[0], "--dry-run", *words[1:]))
    return capfd.readouterr().err.removesuffix("\n")


@pytest.mark.parametrize(
    ("scheduler", "words", "command"),
    [
        (  # swrun -p gpux4 -c 40 -t 24: a full node with 160 CPUs for 24 hours
            HAL,
            "run -p gpux4 -c 40 -t 24 true",
            "srun --partition=gpu --nodes=1 --gres=gpu:v100:4 --time=24:00:00 --ntasks-per-node=1"
            " --cpus-per-task=160 --kill-on-bad-exit=1 HERE rank -- true",
        ),
        (
            HAL,
            "run -p gpux8 -r mine true",
            "srun --partition=gpu --nodes=2 --gres=gpu:v100:4 --time=04:00:00 --reservation=mine"
            " --ntasks-per-node=4 --cpus-per-task=16 --kill-on-bad-exit=1 HERE rank -- true",
        ),
        (
            HAL,
            "run -p gpu -g 2 -n 2 true",
            "srun --partition=gpu --nodes=1 --gres=gpu:v100:2 --time=04:00:00 --ntasks-per-node=2"
            " --cpus-per-task=16 --kill-on-bad-exit=1 HERE rank -- true",
        ),
        (
            HAL,
            "run true --partition x",
            "srun --partition=cpu --nodes=1 --ntasks-per-node=1 --cpus-per-task=96 --kill-on-bad-exit=1"
            " HERE rank -- true --partition x",
        ),
        (
            HAL,
            "run -N4 --cores=10 --time=02:30:00 -A us -o --exclusive -o --mem=0 -- true",
            "srun --partition=cpu --nodes=4 --time=02:30:00 --account=us --exclusive --mem=0"
            " --ntasks-per-node=2 --cpus-per-task=10 --kill-on-bad-exit=1 HERE rank -- true",
        ),
        (
            QUALITIES,
            "run -p debug true",
            "srun --qos=debug --nodes=1 --constraint=gpu --ntasks-per-node=1 --cpus-per-task=8"
            " --kill-on-bad-exit=1 HERE rank -- true",
        ),
        (
            HYDRA,
            "run -N 2 true",
            "salloc --partition=micro --nodes=2 --ntasks-per-node=2 --cpus-per-task=24"
            " mpiexec -n 4 HERE rank -- true",
        ),
    ],
)
def test_what_a_scheduler_is_asked_for(scheduler, words, command, capfd):
    assert told(capfd, scheduler, *words.split()) == command.replace("HERE", HERE)


def test_what_lsf_is_to_run_is_one_word_for_it_goes_to_a_shell(capfd):
    made = shlex.split(told(capfd, SUMMIT, "run", "-Aus", "-N2", "-t01:59:01", "true", "a b"))
    assert made[:-1] == ["bsub", "-I", "-q", "batch", "-nnodes", "2", "-W", "2:00", "-P", "us"]
    started = "jsrun --nrs 12 --rs_per_host 6 --tasks_per_rs 1 --cpu_per_rs 7 --bind packed:7 --gpu_per_rs 1"
    assert shlex.split(made[-1]) == [*started.split(), HERE, "rank", "--", "true", "a b"]


def test_lsf_without_jsrun_spreads_the_ranks_itself(capfd):
    scheduler = {"kind": "lsf", "partitions": {"normal": {"nodes": "1..8", "cores": 16, "gpus": 2}}}
    made = shlex.split(told(capfd, scheduler, "run", "-N", "3", "true"))
    assert made == [
        *("bsub", "-I", "-q", "normal", "-n", "6", "-R", "span[ptile=2]", "-gpu", "num=2"),
        f"mpirun -n 6 {HERE} rank -- true",
    ]


@pytest.mark.parametrize(
    ("scheduler", "words", "refusal"),
    [
        (HAL, "run -p gpux5 true", "there is no partition gpux5; did you mean gpux8 or gpux4?"),
        (HAL, "run -p xyz true", "there is no partition xyz; Lab has gpu, cpu, gpux4, gpux8"),
        (QUALITIES, "run true", "no partition is named; name one by -p: debug, large"),
        (HAL, "run -p gpux4 -N 2 true", "gpux4 takes jobs of one node, and 2 were asked for; gpu takes that"),
        (HAL, "run -p gpux8 -N 1 true", "gpux8 takes jobs of 2 nodes, and 1 was asked for; gpu takes that"),
        (HAL, "run -N 17 true", "cpu takes jobs of 1 to 16 nodes, and 17 were asked for"),
        (HAL, "run -p gpux4 -c 41 true", "gpux4 gives 16 to 40 cores with each GPU, and 41 were asked for"),
        (HAL, "run -c 97 true", "a node of cpu has 96 cores, and 97 were asked for"),
        (
            HAL,
            "run -n 10 -c 10 true",
            "a node of cpu has 96 cores, and 100 were asked for (10 for each of 10 ranks)",
        ),
        (HAL, "run -g 1 true", "a node of cpu has no GPUs, and 1 was asked for"),
        (HAL, "run -p gpu -g 5 true", "a node of gpu has 4 GPUs, and 5 were asked for"),
        (HAL, "run -t 73 true", "cpu ends jobs after 72:00:00, and 73:00:00 was asked for"),
        (HAL, "run -t 1:30 true", "1:30 is no time; write hours, such as 2, or 00:30:00"),
        (HAL, "run -t 0 true", "a job of no time does nothing; write hours, such as 2, or 00:30:00"),
        (HAL, "run -N 0 true", "--nodes wants a whole number from 1 on, and 0 is none"),
        (HAL, "run -N -1 true", "--nodes wants a whole number from 1 on, and -1 is none"),
        (HAL, "run -c= true", "--cores wants a whole number from 1 on, and nothing is none"),
        (HAL, "run -N", "-N wants COUNT after it"),
        (HAL, "run -N 1 -N 2 true", "--nodes is given twice"),
        (HAL, "run --dry-run=1 true", "--dry-run takes no value"),
        (
            HAL,
            "run --partitoin cpu true",
            "there is no option --partitoin; did you mean --partition or --option?",
        ),
        (HAL, "run", "no command is given; write it after the options, such as train.py"),
        (HAL, "run --", "no command is given; write it after the options, such as train.py"),
        (HAL, "run no/train.py", "there is no file no/train.py"),
        (
            HAL,
            "run no-such-program",
            "there is no command no-such-program; load the module that has it, or give its path",
        ),
        (HAL, "run -m torhc true", "there is no module torhc; the release 1 has tool, tool/1.0"),
        (
            HAL,
            "run -m hpai/tol true",
            "there is no module hpai/tol; did you mean hpai/tool or hpai/tool/1.0?",
        ),
        (SUMMIT, "run true", "Lab wants to know who pays; name your project by -A"),
        (HAL, "batch no.sh", "cannot read the script no.sh: No such file or directory"),
        (HAL, "queue all", "queue takes no words, and all is one"),
        (HAL, "rank --", "no command is given; write it after `hpai rank --`"),
        (HAL, "qeue", "there is no command qeue; did you mean queue?"),
        (
            {"kind": "none"},
            "run train.py",
            "Lab has no scheduler; start it by `python train.py`, several ranks by"
            " `mpirun -n 2 hpai rank -- python train.py`",
        ),
        (
            {"kind": "pbs", "partitions": {"q": {}}},
            "run train.py",
            "Lab has a scheduler that this command does not know (pbs); submit by its own commands what runs"
            " `mpirun -n 2 hpai rank -- python train.py`",
        ),
    ],
)
def test_what_is_refused_is_told_in_a_sentence(scheduler, words, refusal):
    with pytest.raises(LauncherError) as caught:
        launch(site(scheduler), words.split())
    assert (str(caught.value), caught.value.status) == (refusal, 2)


def test_an_account_may_be_in_the_environment(capfd, monkeypatch):
    monkeypatch.setenv("LSB_DEFAULTPROJECT", "us")
    assert "-P" not in told(capfd, SUMMIT, "run", "true")


def test_slurms_own_variable_names_the_partition_where_no_option_does(capfd, monkeypatch):
    monkeypatch.setenv("SLURM_PARTITION", "gpux4")
    assert "--partition=gpu --nodes=1 --gres=gpu:v100:4 " in told(capfd, HAL, "run", "true")
    assert "--partition=cpu " in told(capfd, HAL, "run", "-p", "cpu", "true")


@pytest.mark.parametrize(("features", "ranks"), [((), 1), (("jupyter",), 1)])
def test_a_loaded_framework_that_knows_no_ranks_has_one_a_node(capfd, monkeypatch, features, ranks):
    asked = planned(HYDRA, "/site", *features)
    described = site_from(json.loads(json.dumps(description(asked, frameworks(asked)))), HERE)
    launch(described, ("run", "--dry-run", "-N", "2", "true"))
    assert "--ntasks-per-node=2 " in capfd.readouterr().err
    monkeypatch.setenv("HPAI_TOOL_ROOT", "/usr")
    launch(described, ("run", "--dry-run", "-N", "2", "true"))
    assert f"--ntasks-per-node={ranks} " in capfd.readouterr().err


def test_in_a_job_it_is_a_step_of_that_job(capfd, monkeypatch):
    for name, value in {
        "JOB_ID": "7",
        "JOB_NUM_NODES": "4",
        "NTASKS_PER_NODE": "2",
        "CPUS_ON_NODE": "8",
    }.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    assert told(capfd, HAL, "run", "-N", "3", "true") == (
        "srun --nodes=3 --ntasks=6 --ntasks-per-node=2 --cpus-per-task=4 --kill-on-bad-exit=1"
        f" --export=ALL {HERE} rank -- true"
    )
    for words, refusal in (
        ("-N 5 true", "the job 7 has 4 nodes, and 5 were asked for"),
        ("-t 5 true", "--time is for a new job, and this is the job 7 already; leave it out"),
        ("-n 9 true", "the job 7 has 8 cores on a node, and 9 were asked for (1 for each of 9 ranks)"),
    ):
        with pytest.raises(LauncherError) as caught:
            launch(site(HAL), ("run", *words.split()))
        assert str(caught.value) == refusal


@pytest.mark.parametrize(
    ("words", "script", "command"),
    [
        ("", "", "sbatch --parsable SCRIPT"),
        ("-N 2 -t 3", "", "sbatch --parsable --nodes=2 --time=03:00:00 SCRIPT"),
        ("-p cpu", "#SBATCH -p gpu", "sbatch --parsable --partition=cpu SCRIPT"),
        ("", "#SBATCH --partition=gpu", "sbatch --parsable SCRIPT"),
        ("", "#SBATCH -p unknown", "sbatch --parsable SCRIPT"),
        (
            "",
            "#SBATCH --job-name=demo --partition=gpux8",
            "sbatch --parsable --partition=gpu --nodes=2 --gres=gpu:v100:4 --cpus-per-task=16 SCRIPT",
        ),
        (
            "-p gpux4 -c 40",
            "",
            "sbatch --parsable --partition=gpu --nodes=1 --gres=gpu:v100:4 --cpus-per-task=160 SCRIPT",
        ),
    ],
)
def test_only_what_is_given_is_said_of_a_script(words, script, command, tmp_path, capfd):
    file = tmp_path / "job.sh"
    file.write_text(f"#!/bin/bash\n{script}\nsrun hostname\n#SBATCH -p never\n")
    made = told(capfd, HAL, "batch", *words.split(), str(file), "a b")
    assert made == command.replace("SCRIPT", f"{file} 'a b'")


def test_a_script_of_lsf_comes_by_its_input_for_else_its_lines_are_not_read(tmp_path, capfd):
    file = tmp_path / "job.sh"
    file.write_text("#!/bin/bash\n#BSUB -P us\n#BSUB -nnodes 2\njsrun hostname\n")
    assert told(capfd, SUMMIT, "batch", "-t", "2", str(file)) == f"bsub -W 2:00 < {file}"
    assert told(capfd, SUMMIT, "batch", "-N", "3", str(file), "x") == f"bsub -nnodes 3 '{file} x'"


def test_options_of_a_script_are_those_before_its_first_command():
    text = b"#!/bin/sh\n\n#SBATCH -p a --time=1 # why\n# -p b\n#SBATCH -p'c d'\n"
    text += b'#SBATCH "\nx=\xff\n#SBATCH -p e\n'
    own = directives(text, "#SBATCH")
    assert own == ["-p", "a", "--time=1", "-pc d"]
    assert directive(own, ("-p", "--partition")) == "c d"
    assert directive(own, ("-t", "--time")) == "1"
    assert directive(own, ("-A", "--account")) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("24", 86400), ("00:30:00", 1800), ("02:00:01", 7201), ("2-00:00:00", 172800), ("100:00:00", 360000)],
)
def test_times(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("words", [(), ("--help",), ("run", "--help"), ("batch", "-h"), ("queue", "--help")])
def test_help_is_short(words, capfd):
    launch(site(HAL), words)
    text = capfd.readouterr().out
    assert "hpai run" in text or f"usage: hpai {words[0]}" in text
    assert all(len(line) <= 120 for line in text.splitlines())
    assert text.count("\n") <= 26


def assigned(parsed: ast.Module) -> dict[str, ast.expr]:
    """What is assigned at the top of a program."""
    return {
        target.id: node.value
        for node in parsed.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def put_off(value: ast.expr) -> bool:
    """Whether it only stands for a function until that is needed."""
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "_put_off"


def test_it_is_one_file_for_python_3_6_in_which_no_name_has_two_meanings():
    asked = planned(HAL)
    program = launcher_tree(asked, frameworks(asked))["bin/hpai"]
    whole = ast.parse(program.text, feature_version=(3, 6))
    texts = ast.literal_eval(assigned(whole)["_SOURCES"])
    parts = [whole, *(ast.parse(text, feature_version=(3, 6)) for text in texts.values())]
    functions = [node.name for part in parts for node in part.body if isinstance(node, ast.FunctionDef)]
    defined = [
        *functions,
        *(node.name for part in parts for node in part.body if isinstance(node, ast.ClassDef)),
    ]
    defined += [name for part in parts for name, value in assigned(part).items() if not put_off(value)]
    assert [name for name, count in Counter(defined).items() if count > 1] == []
    assert {name for name, value in assigned(whole).items() if put_off(value)} <= set(functions)
    assert program.mode == 0o755
    imports = [node for part in parts for node in ast.walk(part)]
    imported = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in imports if isinstance(node, ast.ImportFrom)}
    assert {name for name in imported if name.startswith("stackgen")} == set()
    assert not Path(HERE).exists()  # nothing of it needs a release
