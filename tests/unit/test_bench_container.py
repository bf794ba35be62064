"""What a container costs: what is computed of rounds and of a trace, and what people see."""

import json
import os
import signal
from pathlib import Path

import pytest
import yaml

from stackgen import files
from stackgen.bench.contained import CONTAINER, PREFIX, contained, desk
from stackgen.bench.lookups import Lookups, lookups
from stackgen.bench.memory import most_memory, serving
from stackgen.bench.overhead import MEASURED, Overheads, overhead, overheads_table
from stackgen.bench.starts import Started, Starts, starts_table
from stackgen.bench.subject import subjects
from stackgen.errors import InputError
from stackgen.progress import Silent
from stackgen.project import Project, Tools, open_project
from stackgen.run import Command, Outcome

SITE = Path("/site/hpai")
TRACE = """\
10 execve("/site/hpai/releases/1/containers/x/bin/python", ["python"], 0x7f /* 3 vars */) = 0
10 openat(AT_FDCWD</home/u>, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3</etc/ld.so.cache>
10 openat(AT_FDCWD</site/hpai/releases/1>, "containers/x/enter", O_RDONLY) = 3</site/hpai/x>
10 openat(4</site/hpai/images>, "x.sqfs", O_RDONLY <unfinished ...>
12 newfstatat(AT_FDCWD</home/u>, "/site/hpai/none", 0x7ffc, 0) = -1 ENOENT (No such file or directory)
10 <... openat resumed>) = 5</site/hpai/images/x.sqfs>
10 access("/site/hpaiX/other", F_OK) = 0
10 setns(3<user:[4026532182]>, 0) = 0
10 stat("/site/hpai/current", 0x7ffc) = 0
10 setns(4<mnt:[4026532183]>, 0) = 0
10 execve("/site/hpai/pythons/x/bin/python", ["python"], 0x7f /* 3 vars */) = 0
10 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD <unfinished ...>
10 <... clone resumed>, child_tidptr=0x7f) = 11
11 openat(AT_FDCWD</home/u>, "/site/hpai/pythons/x/lib/a.py", O_RDONLY) = 3</site/hpai/pythons/x/lib/a.py>
10 +++ exited with 0 +++
"""


def test_only_what_is_asked_of_the_machines_own_files_is_counted():
    assert lookups(TRACE, (SITE,)) == Lookups(opened=2, looked_up=5)


def test_a_place_that_a_link_leads_to_counts_by_both_names(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    trace = f'1 open("{tmp_path}/real/a", O_RDONLY) = 3\n1 open("{tmp_path}/link/a", O_RDONLY) = 3\n'
    assert lookups(trace, (tmp_path / "link",)) == Lookups(opened=2, looked_up=2)


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a directory away needs root")
def test_what_others_have_named_like_ours_is_left_alone(tmp_path: Path):
    places = [Path("/tmp", f"{tmp_path.name}-{whose}-containers-0") for whose in ("mine", "theirs", "link")]
    mine, theirs, link = places
    try:
        with desk(tmp_path / "image.sqfs") as made:
            mine.mkdir()
            theirs.mkdir()
            os.chown(theirs, 65534, 65534)
            link.symlink_to(tmp_path)
            sessions = [place / f"1-0-node-{made.job}.0-" for place in places]
            for session in sessions:
                session.mkdir()
        assert [session.exists() for session in sessions] == [False, True, True]
    finally:
        link.unlink(missing_ok=True)
        files.remove(mine)
        files.remove(theirs)


def rounds(*pairs: tuple[float, float]) -> list[dict[str, float]]:
    return [{"rate": rate, "peak": peak} for rate, peak in pairs]


def test_rates_and_memory_are_medians_and_their_ratios():
    found = {
        PREFIX: rounds((10.0, 2e9), (8.0, 2e9), (12.0, 2e9)),
        CONTAINER: rounds((10.0, 2.02e9), (8.0, 2.02e9), (9.0, 2.02e9)),
    }
    made = overhead("ResNet-50, batch 16", found)
    assert (made.outside, made.inside, made.ratio, made.peak_ratio) == (10.0, 9.0, 0.9, 1.01)
    assert made.spread == 0.125
    whole = Overheads(title="training of x 1.0", trainings=(made,), notes=(MEASURED,), raw={})
    assert overheads_table(whole) == (
        "training of x 1.0\n\n"
        "                     samples/s  in container  ratio  spread     GB  in container  ratio\n"
        "ResNet-50, batch 16         10             9  0.900  12.5 %  2.000         2.020  1.010\n"
        "memory: the most that the kernel has seen resident of the training's process (VmHWM), and in the"
        " container of those that keep its image mounted as well, FUSE's included\n"
        "published: D. Brayford and others, LRZ, of TensorFlow in Charliecloud: no meaningful overhead\n"
        "  AlexNet: 331.33 GB in the container, 331.29 GB without, ratio 1.0001\n"
        "  ResNet-50: 324.89 GB in the container, 324.47 GB without, ratio 1.0013"
    )
    assert whole.json["published"] == {
        "source": "D. Brayford and others, LRZ, of TensorFlow in Charliecloud: no meaningful overhead",
        "memory": [
            {"network": "AlexNet", "inside": 331.33, "outside": 331.29},
            {"network": "ResNet-50", "inside": 324.89, "outside": 324.47},
        ],
    }


def test_a_single_round_has_no_spread_and_an_unknown_peak_no_ratio():
    made = overhead("x", {PREFIX: rounds((10.0, 0.0)), CONTAINER: rounds((10.0, 0.0))})
    assert (made.spread, made.peak_ratio) == (None, None)


def test_starts_are_told_beside_each_other():
    begun = (
        Started(who=PREFIX, warm=2.0, cold=10.0, opened=4000, looked_up=20000),
        Started(who=CONTAINER, warm=2.0, cold=5.0, opened=3, looked_up=20),
    )
    made = Starts(title="start of x", starts=begun, warm=1.0, cold=0.5, looked_up=0.001, notes=("n",), raw={})
    assert starts_table(made) == (
        "start of x\n\n"
        "           warm s  cold s  files opened  looked up\n"
        "prefix          2      10          4000      20000\n"
        "container       2       5             3         20\n"
        "container / prefix: warm 1, cold 0.5, looked up 0.001\n"
        "n"
    )


def test_what_cannot_be_known_is_left_out():
    begun = tuple(
        Started(who=who, warm=2.0, cold=None, opened=None, looked_up=None) for who in (PREFIX, CONTAINER)
    )
    made = Starts(title="start of x", starts=begun, warm=1.0, cold=None, looked_up=None, notes=(), raw={})
    assert starts_table(made).splitlines()[2:] == [
        "           warm s  cold s  files opened  looked up",
        "prefix          2       -             -          -",
        "container       2       -             -          -",
        "container / prefix: warm 1",
    ]


def test_who_has_a_file_open_is_found_with_its_session_but_not_ourselves(tmp_path: Path):
    image = tmp_path / "x.sqfs"
    image.write_text("")
    with image.open():  # in this very session
        assert serving(image, f"HOME={os.environ['HOME']}") == ()
    held, ready = os.pipe()
    child = os.fork()
    if not child:
        os.setsid()
        os.open(image, os.O_RDONLY)
        os.write(ready, b"x")
        signal.pause()
    try:
        os.read(held, 1)
        assert serving(image, f"HOME={os.environ['HOME']}") == (child,)
        assert serving(image, "HOME=/nowhere") == ()
        assert most_memory(child) > 2**20
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert (serving(image, f"HOME={os.environ['HOME']}"), most_memory(child)) == ((), 0)


@pytest.fixture
def lab(tmp_path: Path) -> Project:
    """A published release of six alone, and of numpy with an image; nothing of it is installed."""
    system = {"name": "Box", "os": "debian12", "glibc": "2.36", "target": "x86_64_v3"}
    wheels = {"version": "1.0", "from": "wheels", "python": "3.11"}
    environment = {
        "name": "lab",
        "release": 1,
        "system": "box",
        "prefix": "/opt/hpai",
        "frameworks": {"six": wheels, "numpy": {**wheels, "image": True}},
    }
    files.write(tmp_path / "systems/box.yaml", yaml.safe_dump(system))
    files.write(tmp_path / "lab.yaml", yaml.safe_dump(environment))
    made = open_project(tmp_path / "lab.yaml", str(tmp_path / "hpai"))
    values = {"version": "1.0", "prefix": "/p", "python": "3.11", "packages": {}, "settings": {}}
    frameworks = [
        {"name": name, "module": name, **values, **({"source": "container", "image": "/i"} if inside else {})}
        for name, inside in {"numpy": False, "numpy-container": True, "six": False}.items()
    ]
    about = {"name": "1", "environment": "lab", "system": "Box", "namespace": "hpai", "request": "0" * 64}
    files.write(made.prefix / "releases/1/release.json", json.dumps({**about, "frameworks": frameworks}))
    return made


def never(command: Command) -> Outcome:
    raise AssertionError(command)


TOOLS = Tools(run=never, progress=Silent())


@pytest.mark.parametrize("name", ["numpy", "numpy-container"])
def test_either_name_means_both_sides(lab: Project, name: str):
    both = contained(lab, name, None, TOOLS)
    assert [side.framework.name for side in both.sides.values()] == ["numpy", "numpy-container"]
    assert both.image == Path("/i")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "six",
            "six is not there both with and without a container; "
            "write `image: true` below a framework from wheels or from Spack",
        ),
        ("nunpy", "release 1 has no framework nunpy; did you mean numpy?"),
    ],
)
def test_what_has_no_container_to_be_compared_is_refused(lab: Project, name: str, said: str):
    with pytest.raises(InputError) as error:
        contained(lab, name, None, TOOLS)
    assert str(error.value) == said


def test_what_a_container_does_not_see_cannot_be_measured_in_it(lab: Project):
    with pytest.raises(InputError) as error:
        list(subjects(lab, "numpy-container", Path("/var/bench"), TOOLS, importing=True))
    what = "/var/bench is not seen in the container of numpy-container"
    assert str(error.value) == f"{what}; give -o a directory below /tmp, /home"
    (found,) = subjects(lab, "numpy-container", Path("/tmp/bench"), TOOLS, importing=True)
    assert found.framework.name == "numpy-container"
    assert [one.framework.name for one in subjects(lab, None, None, TOOLS, importing=True)] == [
        "numpy",
        "six",
    ]
