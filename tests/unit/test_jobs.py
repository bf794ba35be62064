"""How jobs lie on nodes, and that job scripts hold whatever a site calls its things."""

import re
import shlex
import subprocess

import pytest
from small_jobs import frameworks, planned

from stackgen.inside.launcher.times import clocked, lsf_time
from stackgen.jobs import Layout, Shape, job_tree, layout, offers
from stackgen.jobs.offers import seconds
from stackgen.jobs.quoting import note, word
from stackgen.model import System


def offer(partition: dict[str, object], **system: object):
    return offers(planned({"kind": "slurm", "partitions": {"p": partition}}, **system).system)[0]


def laid(partition: dict[str, object], shape: Shape, *, distributed: bool = True, **system: object):
    return layout(offer(partition, **system), shape, distributed=distributed)


@pytest.mark.parametrize(
    ("partition", "shape", "nodes", "ranks", "cores", "gpus"),
    [
        ({}, Shape.NODE, 1, 2, 4, 0),  # one rank a socket
        ({}, Shape.PROCESS, 1, 1, 8, 0),
        ({"nodes": "1..4"}, Shape.NODES, 2, 2, 4, 0),
        ({"nodes": "17..768"}, Shape.NODES, 17, 2, 4, 0),
        ({"gpus": 4}, Shape.NODE, 1, 4, 2, 4),  # one rank a GPU
        ({"gpus": 4}, Shape.PROCESS, 1, 1, 2, 1),
        ({"cores": 42, "gpus": 6, "nodes": "1..9"}, Shape.NODES, 2, 6, 7, 6),
        ({"cores": 160, "gpus": 4, "cores-per-gpu": "16..40"}, Shape.NODE, 1, 4, 16, 4),
        ({"cores": 1}, Shape.NODE, 1, 1, 1, 0),  # fewer cores than sockets
        ({"cores": 3, "gpus": 4}, Shape.NODE, 1, 4, 1, 4),  # fewer cores than GPUs
    ],
)
def test_a_job_lies_as_the_nodes_are(partition, shape, nodes, ranks, cores, gpus):
    assert laid(partition, shape) == Layout(nodes=nodes, ranks=ranks, cores=cores, gpus=gpus)


def test_a_framework_that_knows_no_ranks_has_one_a_node():
    found = laid({"nodes": "1..4", "gpus": 4}, Shape.NODES, distributed=False)
    assert found == Layout(nodes=2, ranks=1, cores=8, gpus=4)


@pytest.mark.parametrize(
    ("nodes", "shapes"),
    [
        ("1", [Shape.PROCESS, Shape.NODE]),
        ("2", [Shape.NODES]),
        ("1..2", [Shape.PROCESS, Shape.NODE, Shape.NODES]),
        ("17..768", [Shape.NODES]),
    ],
)
def test_a_partition_has_scripts_of_the_shapes_that_it_takes(nodes, shapes):
    assert [shape for shape in Shape if laid({"nodes": nodes}, shape)] == shapes
    asked = planned({"kind": "slurm", "partitions": {"p": {"nodes": nodes}}})
    assert list(job_tree(asked, frameworks(asked))) == sorted(f"jobs/tool/p/{shape}.sh" for shape in shapes)


def test_another_name_stands_for_a_part_of_a_partition():
    scheduler = {
        "kind": "slurm",
        "options": ["--constraint=gpu"],
        "partitions": {
            "gpu": {
                "nodes": "1..16",
                "time": "3-00:00:00",
                "cores": 160,
                "gpus": 4,
                "options": ["--exclusive"],
            },
            "gpux2": {"of": "gpu", "nodes": 1, "gpus": 2, "time": "24:00:00"},
        },
    }
    part = offers(planned(scheduler).system)[1]
    assert (part.name, part.queue, part.most, part.cores, part.gpus) == ("gpux2", "gpu", 1, 160, 2)
    assert (part.seconds, part.options) == (86400, ("--constraint=gpu", "--exclusive"))


def test_gpus_are_those_of_the_system_unless_the_partition_says_otherwise():
    gpus = [{"model": "NVIDIA H200", "count": 8}]
    assert offer({}, accelerators=gpus).gpus == 8
    assert offer({"gpus": 0}, accelerators=gpus).gpus == 0


@pytest.mark.parametrize(
    ("text", "number"),
    [("48:00:00", 172800), ("7-00:00:00", 604800), ("30:00", 1800), ("1-12:30", 131400), ("", 0)],
)
def test_times_are_read_as_slurm_does(text, number):
    assert seconds(text) == number


def test_a_week_is_written_in_hours():
    assert clocked(604800) == "168:00:00"
    assert lsf_time(5401) == "1:31"


@pytest.mark.parametrize(
    ("partitions", "refusal"),
    [
        ({"a": {"of": "b"}, "c": {}}, "a is of b, which is no true partition"),
        ({"a": {"of": "a"}}, "a is of a, which is no true partition"),
        ({"a": {"of": "b"}, "b": {"of": "c"}, "c": {}}, "a is of b, which is no true partition"),
        ({"a": {"default": True}, "b": {"default": True}}, "a and b are each the default"),
    ],
)
def test_names_that_lead_nowhere_are_refused(partitions, refusal):
    facts = {"name": "x", "os": "rhel8", "glibc": "2.28", "target": "zen3"}
    with pytest.raises(ValueError, match=refusal):
        System.model_validate({**facts, "scheduler": {"kind": "slurm", "partitions": partitions}})


@pytest.mark.parametrize(
    ("scheduler", "refusal"),
    [
        ({"launch": "srun 'x"}, '"srun \'x" has a quote without its other half'),
        ({"launch": "mpirun -n {rank}"}, "{rank} is no placeholder"),
        ({"launch": "-x srun"}, "it starts nothing"),
        ({"partitions": {"p": {"cores-per-gpu": "0"}}}, "'0' is no number of cores"),
        ({"options": ["-C haswell"]}, "'-C haswell' is no option in one word"),
        ({"options": ["exclusive"]}, "'exclusive' is no option in one word"),
        ({"partitions": {"p": {"options": ["--qos=x y"]}}}, "'--qos=x y' is no option in one word"),
        ({"partitions": {"p": {"gpus": -1}}}, "greater than or equal to 0"),
        ({"partitions": {"p": {"kind": "queue"}}}, "'partition' or 'qos'"),
    ],
)
def test_what_no_job_can_be_told_is_refused(scheduler, refusal):
    facts = {"name": "x", "os": "rhel8", "glibc": "2.28", "target": "zen3"}
    with pytest.raises(ValueError, match=re.escape(refusal)):
        System.model_validate({**facts, "scheduler": {"kind": "slurm", **scheduler}})


HOSTILE = "a 'b' $(touch pwned) `x`; \"c\" \\ ü/.."


def test_whatever_a_site_calls_its_things_a_shell_sees_words(tmp_path):
    scheduler = {
        "kind": "slurm",
        "launch": "echo 'a  b' {ranks}/2",
        "partitions": {HOSTILE: {"nodes": "1..2"}, "..": {}},
    }
    asked = planned(scheduler, prefix=str(tmp_path / "here"), name=HOSTILE)
    scripts = job_tree(asked, frameworks(asked))
    assert {path.count("/") for path in scripts} == {3}
    script = next(file.text for path, file in scripts.items() if path.endswith("nodes.sh"))
    line = next(line for line in script.splitlines() if line.startswith("#SBATCH --partition="))
    assert shlex.split(line, comments=False)[1] == f"--partition={HOSTILE}"
    stub = 'module() { echo "module $*"; }\nSLURM_NTASKS=4\n'
    done = subprocess.run(
        ("bash", "-c", stub + script, "x", "my prog.py", "$HOME"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    launcher = f"{tmp_path}/here/releases/1/bin/hpai"
    assert done.stdout.splitlines()[-1] == f"a  b 4/2 {launcher} rank -- python my prog.py $HOME"
    assert not list(tmp_path.rglob("pwned"))


def test_what_is_no_text_is_no_word():
    assert (word("a b"), word(3), note("a\nb")) == ("'a b'", "3", "a b")
    with pytest.raises(TypeError):
        word(None)
    with pytest.raises(TypeError):
        word(value=True)


@pytest.mark.parametrize("kind", ["pbs", "cobalt", "none"])
def test_of_other_schedulers_no_script_is_known(kind):
    asked = planned({"kind": kind, "partitions": {"p": {}}})
    assert not job_tree(asked, frameworks(asked))
