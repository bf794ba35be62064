"""The launcher as the one file that it is, without Slurm: which Python it takes, and LSF as documented."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_jobs import frameworks, planned

from stackgen import files
from stackgen.jobs import job_tree, launcher_tree

SUMMIT = {
    "kind": "lsf",
    "account": "required",
    "launch": "jsrun",
    "partitions": {"batch": {"nodes": "1..4608", "time": "24:00:00", "cores": 42, "gpus": 6}},
}
RECORDER = """\
#!/usr/bin/python3
import json, os, sys
with open(os.environ["RECORD"], "a") as stream:
    given = "" if sys.stdin.isatty() else sys.stdin.read()
    print(json.dumps([os.path.basename(sys.argv[0]), sys.argv[1:], given]), file=stream)
if os.path.basename(sys.argv[0]) == "jsrun":
    first = next(index for index, word in enumerate(sys.argv) if word.endswith("/bin/hpai"))
    os.execv(sys.argv[first], sys.argv[first:])
print("Job <7> is submitted to queue <batch>.")
"""


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return written(tmp_path, SUMMIT)


def written(tmp_path: Path, scheduler: dict[str, object]) -> Path:
    asked = planned(scheduler, str(tmp_path / "prefix"), "jupyter")
    installed = frameworks(asked, str(tmp_path / "framework"))
    files.write_tree(launcher_tree(asked, installed) | job_tree(asked, installed), Path(asked.place))
    return Path(asked.place)


def called(program: Path | str, *words: str, given: str = "", **environment: str):
    return subprocess.run(
        (str(program), *words),
        env={"PATH": "/usr/bin:/bin", "HOME": "/", **environment},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def recorded(tmp_path: Path):
    """A bsub and a jsrun that only write down what they were given, and how to read that."""
    programs, record = tmp_path / "programs", tmp_path / "record"
    for name in ("bsub", "jsrun", "bjobs"):
        files.write(programs / name, RECORDER, 0o755)
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "RECORD": str(record)}
    return environment, lambda: [json.loads(line) for line in record.read_text().splitlines()]


def test_it_is_short_of_nothing_and_tells_what_there_is(release: Path):
    done = called(release / "bin/hpai")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "AI frameworks on Lab, release 1",
        "",
        "  hpai/tool/1.0",
        "",
        "Nothing is loaded.",
        "",
        "Next:",
        f"  module use {release.parents[1]}/current/modules/Core",
        "  module load hpai/tool  to use it: `python` is its own then",
        "  hpai packages tool     what is inside, a package a line",
        "  hpai which NAME        where a command or a package is",
        "",
        "  hpai run       run a program, or a shell, as a job and wait for it",
        "  hpai batch     submit a job script",
        "  hpai queue     your jobs, and what is free",
        "  hpai rank      what a job starts on each rank",
    ]


def test_the_users_python_settings_lead_it_nowhere(release: Path, tmp_path: Path):
    (tmp_path / "json.py").write_text("raise SystemExit('led astray')")
    done = subprocess.run(
        (str(release / "bin/hpai"), "--help"),
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path), "PYTHONHOME": "/x", "PYTHONSTARTUP": "/x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_where_the_system_has_no_python_it_takes_the_frameworks_own(release: Path, tmp_path: Path):
    program = release / "bin/hpai"
    text = program.read_text().replace(
        "/usr/bin/python3 python3 /usr/libexec/platform-python", "/none/python3"
    )
    program.write_text(text)
    empty = tmp_path / "empty"
    empty.mkdir()
    done = called("/bin/sh", str(program), PATH=str(empty))
    assert (done.returncode, done.stderr) == (127, f"{program}: there is no Python from 3.6 on here\n")
    (tmp_path / "framework/bin").mkdir(parents=True)
    (tmp_path / "framework/bin/python").symlink_to(sys.executable)
    done = called("/bin/sh", str(program), PATH=str(empty))
    assert (done.returncode, done.stdout[:13]) == (0, "AI frameworks")


def test_a_python_that_is_too_old_is_passed_over(release: Path, tmp_path: Path):
    old = tmp_path / "old/python3"
    files.write(old, "#!/bin/sh\nexit 1\n", 0o755)
    program = release / "bin/hpai"
    program.write_text(
        program.read_text().replace("for python in /usr/bin/python3 ", f"for python in {old} ")
    )
    assert called(program).returncode == 0


def test_a_release_that_is_not_whole(release: Path):
    (release / "share/launcher.json").unlink()
    done = called(release / "bin/hpai", "queue")
    place = release / "share/launcher.json"
    why = "No such file or directory"
    assert done.stderr == f"hpai: cannot read {place}: {why}; this release is not whole\n"
    assert done.returncode == 1


@pytest.mark.parametrize("text", ["[]", "null", "{}", '"x"', '{"queues": [{}]}', '{"queues": [3]}'])
def test_a_release_whose_description_is_another_file(release: Path, text: str):
    place = release / "share/launcher.json"
    place.chmod(0o644)
    place.write_text(text)
    done = called(release / "bin/hpai", "queue")
    said = f"hpai: {place} does not describe a release; this one is not whole\n"
    assert (done.returncode, done.stderr) == (1, said)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_lead_nowhere(release: Path, recorded, closed: str):
    environment, records = recorded
    done = called("/bin/sh", "-c", f"{release}/bin/hpai run -A me ls {closed}", **environment)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert [program for program, _, _ in records()] == ["bsub"]


def test_a_disk_that_is_full_is_told(release: Path):
    done = called("/bin/sh", "-c", f"{release}/bin/hpai > /dev/full")
    assert (done.returncode, done.stderr) == (1, "hpai: No space left on device\n")


def test_it_has_the_name_of_the_namespace_by_whatever_link_it_is_called(release: Path, tmp_path: Path):
    link = tmp_path / "jobs"
    link.symlink_to(release / "bin/hpai")
    assert "  hpai run " in called(link).stdout


def test_a_rank_alone_is_the_program_itself(release: Path):
    done = called(release / "bin/hpai", "rank", "--", "sh", "-c", "echo $PPID; exit 5")
    assert (int(done.stdout), done.returncode) == (os.getpid(), 5)


def test_ranks_of_open_mpi_know_each_other(release: Path):
    mpirun = shutil.which("mpirun")
    if mpirun is None:
        pytest.skip("no mpirun here")
    done = called(
        mpirun,
        *("--oversubscribe", "-n", "2", str(release / "bin/hpai"), "rank", "--"),
        *("sh", "-c", "echo $RANK $LOCAL_RANK $WORLD_SIZE $MASTER_ADDR"),
        OMPI_ALLOW_RUN_AS_ROOT="1",
        OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
    )
    assert sorted(done.stdout.splitlines()) == ["0 0 2 127.0.0.1", "1 1 2 127.0.0.1"]


def test_the_help_of_rank_names_what_starts_ranks_on_this_system(release: Path):
    said = called(release / "bin/hpai", "rank", "-h").stdout
    assert ", as `jsrun hpai rank -- python train.py` does:\n" in said


def test_a_reader_that_goes_away_is_no_fault(release: Path):
    line = f"{release}/bin/hpai | true; {release}/bin/hpai --help | head -1"
    done = called("bash", "-c", line)
    assert (done.stdout, done.stderr) == ("hpai: what there is, what is loaded, and what to type next\n", "")


def test_a_fake_bsub_gets_what_ibm_documents_for_a_program(release: Path, recorded):
    environment, calls = recorded
    done = called(release / "bin/hpai", "run", "-A", "us", "-N", "2", "echo", "a b", **environment)
    assert (done.returncode, done.stdout) == (0, "Job <7> is submitted to queue <batch>.\n")
    ((name, words, _),) = calls()
    started = "jsrun --nrs 12 --rs_per_host 6 --tasks_per_rs 1 --cpu_per_rs 7 --bind packed:7 --gpu_per_rs 1"
    assert (name, words[:-1]) == ("bsub", ["-I", "-q", "batch", "-nnodes", "2", "-P", "us"])
    assert words[-1] == f"{started} {release}/bin/hpai rank -- echo 'a b'"


def test_a_fake_bsub_reads_a_script_byte_for_byte(release: Path, recorded, tmp_path: Path):
    environment, calls = recorded
    script = tmp_path / "job.sh"
    script.write_text("#!/bin/bash\n#BSUB -P us\n#BSUB -nnodes 2\njsrun -n1 'x  y' ü\n")
    done = called(release / "bin/hpai", "batch", "-t", "1", str(script), **environment)
    assert (done.returncode, calls()) == (0, [["bsub", ["-W", "1:00"], script.read_text()]])


def test_in_a_job_of_lsf_a_fake_jsrun_starts_ranks_on_its_nodes(release: Path, recorded):
    environment, calls = recorded
    job = {"LSB_JOBID": "7", "LSB_QUEUE": "batch", "LSB_MCPU_HOSTS": "batch2 1 h1 42 h2 42"}
    done = called(release / "bin/hpai", "run", "echo", "x", **environment, **job)
    assert (done.returncode, done.stdout) == (0, "x\n")
    assert calls()[0][1][:6] == ["--nrs", "12", "--rs_per_host", "6", "--tasks_per_rs", "1"]


def test_a_job_script_of_lsf_gives_a_fake_jsrun_a_resource_set_a_rank(release: Path, recorded, tmp_path):
    """As on machines whose jobs have a host beside their nodes for the script alone."""
    environment, calls = recorded
    hosts = tmp_path / "hosts"
    hosts.write_text("batch2\n" + "h1\n" * 42 + "h2\n" * 42)
    script = release / "jobs/tool/batch/nodes.sh"
    stub = f'module() {{ :; }}; export -f module; exec bash {script} echo "a  b"'
    done = called("bash", "-c", stub, **environment, LSB_DJOB_HOSTFILE=str(hosts))
    assert (done.returncode, done.stdout, done.stderr) == (0, "a  b\n", "")
    words = " ".join(calls()[0][1])
    resources = "--nrs 2 --rs_per_host 1 --tasks_per_rs 1 --cpu_per_rs 42 --bind packed:42 --gpu_per_rs 6"
    assert words == f"{resources} {release}/bin/hpai rank -- echo a  b"
