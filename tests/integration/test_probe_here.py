"""The probe on this machine: by the oldest Python that it promises, beside the real tools that it asks."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from stackgen import host
from stackgen.config import load_system
from stackgen.errors import InputError
from stackgen.probing import probe_script, probed

COMPARED = ("os", "glibc", "target", "nodes", "interconnect", "compilers", "externals", "pythons", "lmod")


def oldest_python():
    """A Python 3.6, where pyenv or PATH has one."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = [
        *sorted(pyenv.glob("versions/3.6.*/bin/python3.6")),
        *map(Path, filter(None, [shutil.which("python3.6")])),
    ]
    if not found:
        pytest.skip("no Python 3.6 on this machine")
    return found[0]


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "carried" / "probe.py"
    path.parent.mkdir()
    path.write_text(probe_script(), encoding="ascii")
    return path


def probe(script, *words, python=None, check=True, **environment):
    """What the script prints, started as on a machine that has nothing but it and a Python."""
    outcome = subprocess.run(
        [python or oldest_python(), "-W", "error", script, *words],
        env={**os.environ, **environment},
        cwd=script.parent,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (outcome.stderr, outcome.returncode) == ("", 0) or not check, outcome.stderr
    return outcome.stdout if check else outcome


def system(text, tmp_path):
    path = tmp_path / "probed.yaml"
    path.write_text(text)
    return load_system(path)


def fake(directory, name, body):
    directory.mkdir(exist_ok=True)
    program = directory / name
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return f"{directory}:{os.environ['PATH']}"


def test_its_file_and_this_agree(script, tmp_path):
    found, this = system(probe(script), tmp_path), host.detect()
    known = this.model_fields_set - {"name", "accelerators"}  # of whose memory /proc says nothing
    assert known <= set(COMPARED)
    found = found.model_copy(update={"nodes": found.nodes.model_copy(update={"count": this.nodes.count})})
    for key in known:
        assert getattr(found, key) == getattr(this, key), key
    assert [(gpu.model, gpu.count, gpu.driver) for gpu in found.accelerators] == [
        (gpu.model, gpu.count, gpu.driver) for gpu in this.accelerators
    ]


def test_every_python_says_the_same_and_nothing_is_written(script):
    before = sorted(script.parent.iterdir())
    assert probe(script) == probe(script) == probe(script, python=shutil.which("python3"))
    assert sorted(script.parent.iterdir()) == before


def test_the_command_prints_what_the_script_prints(script, run):
    assert probed("hal", run) == probe(script, "--name", "hal")


def test_a_name_that_is_no_line_is_refused(script, run):
    with pytest.raises(InputError) as refused:
        probed("a\nb", run)
    assert str(refused.value) == "'a\\nb' is no name for a machine; give one line of text"
    outcome = probe(script, "--name", "a\nb", check=False)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert outcome.stderr.endswith("error: the name is no line of text\n")


def test_a_full_disk_is_told_in_a_line(script):
    with Path("/dev/full").open("w") as full:
        outcome = subprocess.run(
            [oldest_python(), script], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (outcome.returncode, outcome.stderr) == (1, "cannot write the output: No space left on device\n")


def test_this_is_found_without_starting_anything_and_soon():
    host.detect()
    times = []
    for _ in range(5):
        start = time.perf_counter()
        host.detect()
        times.append(time.perf_counter() - start)
    assert min(times) < 0.05


def test_stackgen_writes_the_file_that_an_environment_names(desk):
    systems = desk.directory / "systems"
    outcome = desk("probe", "--name", "hal", "-o", "systems/hal.yaml")
    said = "systems/hal.yaml is written; next: read it, and write `system: hal`\n"
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, said, "")
    assert load_system(systems / "hal.yaml").name == "hal"
    again = desk("probe", "-o", "systems/hal.yaml")
    assert (again.status, again.stderr) == (2, "systems/hal.yaml exists already; name another file\n")


def test_stackgen_hands_out_the_script(desk, script):
    outcome = desk("probe", "--script")
    assert (outcome.status, outcome.stdout) == (0, script.read_text())


# Real tools


def answer(*words):
    if shutil.which(words[0]) is None:
        pytest.skip(f"no {words[0]} on this machine")
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_gcc_says_the_same_of_itself(script, tmp_path):
    version = answer("/usr/bin/gcc", "-dumpfullversion", "-dumpversion").strip()
    gccs = [found for found in system(probe(script), tmp_path).compilers if found.package == "gcc"]
    (usual,) = [gcc for gcc in gccs if gcc.program("c") == "/usr/bin/gcc"]
    assert (usual.spec, usual.prefix) == (f"gcc@{version}", "/usr")
    for gcc in gccs:
        for language in gcc.languages:
            assert f"gcc@{answer(gcc.program(language), '-dumpfullversion').strip()}" == gcc.spec


def test_open_mpi_says_the_same_of_itself(script, tmp_path):
    version = re.search(r"Open MPI v(\S+)", answer("ompi_info", "--version"))[1]
    prefix = re.search(r"Prefix: (\S+)", answer("ompi_info"))[1]
    assert (f"openmpi@{version}", prefix) in [
        (external.spec, external.prefix) for external in system(probe(script), tmp_path).externals
    ]


SLURM = """\
ClusterName=hal
SlurmctldHost={host}
SlurmctldPort={port}
AuthType=auth/none
CredType=cred/none
SlurmUser={user}
StateSaveLocation={place}
SlurmdSpoolDir={place}
SlurmctldPidFile={place}/pid
SlurmctldLogFile={place}/log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
GresTypes=gpu
NodeName=hal[01-16] NodeAddr=127.0.0.1 Sockets=2 CoresPerSocket=20 RealMemory=260000 Gres=gpu:v100:4
NodeName=here[01-03] NodeAddr=127.0.0.1 Sockets={sockets} CoresPerSocket={cores} RealMemory=24000
PartitionName=gpux1 Nodes=hal[01-16] MinNodes=2 MaxNodes=4 MaxTime=24:00:00
PartitionName=yes Default=YES Nodes=here[01-03] MaxTime=INFINITE
PartitionName=2026:11 Nodes=here01 MaxTime=2-00:00:00
PartitionName=empty
"""


@pytest.fixture
def slurm(tmp_path):
    """A real Slurm controller of a cluster whose nodes never answer; yields its configuration."""
    if shutil.which("slurmctld") is None or shutil.which("scontrol") is None:
        pytest.skip("no Slurm on this machine (slurm-wlm)")
    place, nodes = tmp_path / "slurm", host.detect().nodes
    place.mkdir()
    values = {"host": os.uname().nodename.split(".")[0], "port": 20000 + os.getpid() % 10000, "place": place}
    sizes = {
        "sockets": nodes.sockets,
        "cores": nodes.cores // nodes.sockets,
        "user": os.environ.get("USER", "root"),
    }
    configuration = place / "slurm.conf"
    configuration.write_text(SLURM.format(**values, **sizes))
    controller = subprocess.Popen(
        ["slurmctld", "-D", "-f", configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(configuration, controller)
        yield configuration
    finally:
        controller.terminate()
        controller.wait()


def wait_for(configuration, controller):
    for _ in range(100):
        words, environment = (
            ["scontrol", "show", "partition"],
            {**os.environ, "SLURM_CONF": str(configuration)},
        )
        if subprocess.run(words, env=environment, capture_output=True, check=False).returncode == 0:
            return
        if controller.poll() is not None:
            break
        time.sleep(0.1)
    pytest.skip(f"slurmctld does not run here: {(configuration.parent / 'log').read_text()[-300:]}")


def test_a_real_slurm_tells_its_partitions_and_nodes(script, slurm, tmp_path):
    text = probe(script, SLURM_CONF=str(slurm))
    found = system(text, tmp_path)
    assert found.name == "hal"
    assert found.nodes == host.detect().nodes.model_copy(update={"count": 3})
    assert found.scheduler.kind == "slurm"
    assert {name: (limits.nodes, limits.time) for name, limits in found.scheduler.partitions.items()} == {
        "gpux1": ("2..4", "1-00:00:00"),
        "yes": ("1..3", None),
        "2026:11": ("1", "2-00:00:00"),
    }
    shares = {name: (limits.cores, limits.gpus) for name, limits in found.scheduler.partitions.items()}
    assert shares == {"gpux1": (40, 4), "yes": (found.nodes.cores, 0), "2026:11": (found.nodes.cores, 0)}
    assert [name for name, limits in found.scheduler.partitions.items() if limits.default] == ["yes"]
    assert "# Slurm has 16 nodes with 2 sockets, 40 cores, 254 GiB, gpu:v100:4\n" in text
    assert "# the partition empty has no nodes and is left out\n" in text


# Tools that cannot be had here

NVIDIA_SMI = """\
case "$1" in
*compute_cap*) {new} ;;
*) printf 'NVIDIA A100-SXM4-40GB, 40960, 580.65.06\\n%.0s' 1 2 3 4 ;;
esac"""


@pytest.mark.parametrize(
    "new",
    [
        "echo 'Field \"compute_cap\" is not a valid field to query.'; exit 2",
        "printf 'NVIDIA A100-SXM4-40GB, 40960, 580.65.06, 8.0\\n%.0s' 1 2 3 4",
    ],
)
def test_gpus_are_counted_fake_nvidia_smi(script, tmp_path, new):
    path = fake(tmp_path / "bin", "nvidia-smi", NVIDIA_SMI.format(new=new))
    (gpu,) = system(probe(script, PATH=path), tmp_path).accelerators
    assert (gpu.model, gpu.count, gpu.capability, gpu.memory, gpu.driver) == (
        *("NVIDIA A100-SXM4-40GB", 4, "8.0", "40 GiB", "580.65.06"),
    )


def test_gpus_of_a_driver_that_does_not_answer_are_a_remark_fake_nvidia_smi(script, tmp_path):
    path = fake(
        tmp_path / "bin", "nvidia-smi", "echo 'has failed because it could not reach the driver'; exit 9"
    )
    text = probe(script, PATH=path)
    assert "memory.total,driver_version --format=csv,noheader,nounits` ends with status 9\n" in text
    assert system(text, tmp_path).accelerators == host.detect().accelerators


def test_a_tool_that_hangs_is_a_remark_after_ten_seconds_fake_bqueues(script, tmp_path):
    gone = tmp_path / "gone"
    path = fake(tmp_path / "bin", "bqueues", f"sleep 1000 & echo $! > {gone}; wait")
    without_slurm = ":".join(part for part in path.split(":") if not Path(part, "scontrol").exists())
    start = time.monotonic()
    text = probe(script, PATH=f"{without_slurm}:{tools(tmp_path)}")
    assert 10 <= time.monotonic() - start < 20
    assert "# `bqueues -l` does not end within 10 s\n" in text
    assert system(text, tmp_path).scheduler.kind == "none"
    assert not lives(int(gone.read_text()))


def lives(process):
    """Whether a process runs; one that has ended may wait for somebody to ask how."""
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False


def tools(tmp_path):
    """What the fake programs need of /usr/bin, in a directory that has no scheduler."""
    directory = tmp_path / "tools"
    directory.mkdir()
    for name in ("sleep", "unshare", "echo"):
        (directory / name).symlink_to(shutil.which(name))
    return directory


def test_a_tool_that_prints_without_end_is_a_remark_fake_bqueues(script, tmp_path):
    fake(tmp_path / "bin", "bqueues", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done")
    text = probe(script, PATH=f"{tmp_path}/bin:{tools(tmp_path)}")
    assert re.search(r"# `bqueues -l` (prints without end|does not end within 10 s)\n", text)
    system(text, tmp_path)


def test_queues_of_lsf_fake_bqueues_and_bhosts(script, tmp_path):
    fake(tmp_path / "bin", "bqueues", "printf 'QUEUE: batch\\n\\nRUNLIMIT\\n 1440.0 min of h1\\n'")
    fake(
        tmp_path / "bin",
        "bhosts",
        "printf 'HOST_NAME STATUS JL/U MAX\\nh1 ok - 42\\nh2 closed - 42\\nlogin ok - 0\\n'",
    )
    scheduler = system(probe(script, PATH=f"{tmp_path}/bin:{tools(tmp_path)}"), tmp_path).scheduler
    assert scheduler.kind == "lsf"
    assert [(name, limits.nodes, limits.time) for name, limits in scheduler.partitions.items()] == [
        ("batch", "1..2", "24:00:00")
    ]


def test_a_program_that_is_no_program_is_a_remark(script, tmp_path):
    path = fake(tmp_path / "bin", "nvidia-smi", "")
    (tmp_path / "bin/nvidia-smi").write_bytes(b"\x7fELF\x00nonsense")
    text = probe(script, PATH=path)
    assert re.search(r"# `nvidia-smi --query-gpu=.*` cannot be started: Exec format error\n", text)
    system(text, tmp_path)
