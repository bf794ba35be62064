"""What holds a container open for all commands of a user on a node: one of it, begun anew, and ended."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from images import PATH, Box, box, ended, run, squashed

from stackgen.run import Outcome

NOBODY = 65534


@pytest.fixture
def cold(small_image: Path, tmp_path: Path) -> Iterator[Box]:
    """A container that nothing has been started in."""
    with ended(box(small_image, tmp_path / "release")) as container:
        yield container


def waited(what: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while not what() and time.monotonic() < deadline:
        time.sleep(0.05)
    return what()


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def mounted(cold: Box) -> list[int]:
    """The processes that serve its image."""
    found = run("ps", "-eo", "pid=,args=").stdout.splitlines()
    serving = [
        line.split() for line in found if "ch-run" in line and str(cold.top) in line and " -m " in line
    ]
    return [int(words[0]) for words in serving]


def started(cold: Box, *words: str, stdin: int | None = None, **environment: str) -> subprocess.Popen[bytes]:
    around = {"PATH": PATH, "HOME": "/tmp", "USER": "root", **environment}
    return subprocess.Popen([cold.enter, *words], env=around, cwd="/tmp", stdin=stdin, stdout=subprocess.PIPE)


def test_fifty_commands_at_once_share_one_holder(cold: Box):
    processes = [started(cold, "sh", "-c", "readlink /proc/self/ns/mnt; exit 9") for _ in range(50)]
    told = [process.communicate(timeout=100)[0] for process in processes]
    assert {process.returncode for process in processes} == {9}
    assert len(set(told)) == 1
    assert mounted(cold) == [cold.holder()[1]]


def killed_inside(cold: Box) -> None:
    held, _ = cold.holder()
    os.kill(held, signal.SIGKILL)
    assert waited(lambda: not alive(held))


def killed_serving(cold: Box) -> None:
    _, serving = cold.holder()
    os.kill(serving, signal.SIGKILL)
    assert waited(lambda: not alive(serving))


def told_of_another(cold: Box) -> None:
    """The numbers are those of processes that have nothing to do with it."""
    (cold.session / "holder").write_text(f"{os.getpid()} 1 {os.getppid()} 1\n")


def told_nothing(cold: Box) -> None:
    (cold.session / "holder").write_text("")


def told_rubbish(cold: Box) -> None:
    (cold.session / "holder").write_text("* ../.. $(false) \n")


def removed(cold: Box) -> None:
    shutil.rmtree(cold.top)


def test_a_command_whose_output_is_closed_begins_it_too(cold: Box):
    around = {"PATH": PATH, "HOME": "/tmp", "USER": "root"}
    closed = ("sh", "-c", '"$@" >&-', "sh", cold.enter, "sh", "-c", "exit 9")
    assert subprocess.run(closed, env=around, cwd="/tmp", check=False).returncode == 9


def test_what_killed_jobs_have_left_is_removed_with_the_next_beginning(cold: Box):
    assert cold("true", SLURM_JOB_ID="7").status == 0
    left = next(cold.top.glob("*-7.*"))
    serving = int((left / "holder").read_text().split()[2])
    os.kill(serving, signal.SIGKILL)
    assert waited(lambda: not alive(serving))
    far = left.with_name(left.name.replace(os.uname().nodename, "far"))
    shutil.copytree(left, far)
    assert cold("true", SLURM_JOB_ID="8").status == 0
    names = sorted(path.name for path in cold.top.iterdir() if path.is_dir() and path.name != "mnt")
    assert names == sorted((far.name, next(cold.top.glob("*-8.*")).name))


@pytest.mark.parametrize(
    "how", [killed_inside, killed_serving, told_of_another, told_nothing, told_rubbish, removed]
)
def test_where_the_holder_is_lost_the_next_command_starts_another(cold: Box, how: Callable[[Box], None]):
    assert cold("true").status == 0
    first = cold.holder()
    how(cold)
    assert cold("sh", "-c", "echo again; exit 3").stdout == "again\n"
    assert cold.holder() != first
    for process in first:
        if alive(process):
            os.kill(process, signal.SIGKILL)


def test_it_does_not_mind_the_signals_that_end_jobs(cold: Box):
    with started(
        cold, "sh", "-c", "echo ready; read line; ls /usr/bin/dash", stdin=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        for number in cold.holder():
            for name in ("TERM", "INT", "HUP", "QUIT", "USR1", "TSTP", "PIPE"):
                os.kill(number, getattr(signal, f"SIG{name}"))
        first = cold.holder()
        assert cold("true").status == 0
        assert cold.holder() == first
        assert process.communicate(b"\n", timeout=10)[0] == b"/usr/bin/dash\n"


def test_it_ends_after_its_last_command_and_leaves_nothing(cold: Box):
    assert cold("true", STACKGEN_CONTAINER_IDLE="4").status == 0
    held = cold.holder()
    assert waited(lambda: not any(map(alive, held)))
    assert sorted(path.name for path in cold.top.iterdir()) == ["lock", "mnt"]
    assert cold("sh", "-c", "exit 5", STACKGEN_CONTAINER_IDLE="4").status == 5


def test_it_stays_while_a_program_runs_whatever_that_has_closed(cold: Box):
    program = "exec 0<&- 1>&- 2>&-; exec sleep 600"
    with started(cold, "sh", "-c", program, STACKGEN_CONTAINER_IDLE="4") as process:
        time.sleep(9)
        assert all(map(alive, cold.holder()))
        assert cold("true").status == 0
        process.kill()
    held = cold.holder()
    assert waited(lambda: not any(map(alive, held)))


def test_a_program_goes_on_where_the_release_and_the_image_are_removed(cold: Box, tmp_path: Path):
    mine = tmp_path / "image.sqfs"
    shutil.copy(cold.entrance.image, mine)
    with ended(box(mine, tmp_path / "mine")) as own:
        with started(
            own, "sh", "-c", "echo ready; sleep 1; ls /usr/bin/dash", STACKGEN_CONTAINER_IDLE="4"
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            mine.unlink()
            shutil.rmtree(own.release)
            assert process.communicate(timeout=20)[0] == b"/usr/bin/dash\n"
        assert process.returncode == 0


def test_another_image_in_the_same_place_is_another_container(small_image: Path, tmp_path: Path):
    other = tmp_path / "root"
    shutil.copytree(small_image.parent / "root", other, symlinks=True)
    (other / "etc/which").write_text("other\n")
    image = squashed(other, tmp_path / "other.sqfs")
    with ended(box(small_image, tmp_path / "a")) as one, ended(box(image, tmp_path / "b")) as another:
        assert one("cat", "/etc/which").status == 1
        assert another("cat", "/etc/which").stdout == "other\n"


def test_jobs_and_their_steps_have_containers_of_their_own(cold: Box):
    program = ("readlink", "/proc/self/ns/mnt")
    job = {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURMD_NODENAME": "n1"}
    around = [
        {},
        job,
        {**job, "SLURM_STEP_ID": "1"},
        {**job, "SLURMD_NODENAME": "n2"},
        {"LSB_JOBID": "7"},
        {"PBS_JOBID": "7.server"},
    ]
    told = [cold(*program, **variables).stdout for variables in around]
    assert len(set(told)) == len(around)
    assert cold(*program, **job).stdout == told[1]


def opened(cold: Box, tmp_path: Path) -> None:
    """Have its release and its image be reached by everybody."""
    image = Path(cold.entrance.image).parent
    for path in {tmp_path, *tmp_path.parents, image, *image.parents}:
        if path.is_relative_to("/tmp") and path != Path("/tmp"):
            path.chmod(0o755)


def by_nobody(cold: Box, tmp_path: Path, mode: str, *words: str, user: int = NOBODY) -> Outcome:
    """A command of an ordinary user, where /dev/fuse has a mode, whichever it has here."""
    opened(cold, tmp_path)
    device = tmp_path / "fuse"
    prepared = (
        f"[ -e {device} ] || mknod {device} c 10 229; chmod {mode} {device}; mount --bind {device} /dev/fuse;"
        f' unset USER; exec setpriv --reuid={user} --regid={user} --clear-groups "$@"'
    )
    started = ("unshare", "-m", "sh", "-c", prepared, "sh", cold.enter, *words)
    return run(*started, directory=Path("/tmp"), HOME="/proc/nobody")


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_ordinary_users_have_their_own(cold: Box, tmp_path: Path):
    place = cold.top.with_name(cold.top.name.replace("-0", f"-{NOBODY}"))
    words = ("sh", "-c", "echo $USER; read -r uid rest </proc/self/uid_map; echo $uid; kill -TERM $$")
    try:
        for _ in "cold", "warm":
            outcome = by_nobody(cold, tmp_path, "666", *words)
            assert outcome.stdout.split() == ["nobody", str(NOBODY)]
            assert (outcome.status, outcome.stderr) == (-signal.SIGTERM, "")
        assert len(list(next(place.glob("*/holder")).parent.glob("joining.*"))) == 2
        assert place.stat().st_uid == NOBODY
        assert place.stat().st_mode & 0o777 == 0o700
    finally:
        os.kill(int(next(place.glob("*/holder")).read_text().split()[2]), signal.SIGKILL)
        shutil.rmtree(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_an_account_without_a_name_has_its_number(cold: Box, tmp_path: Path):
    place = cold.top.with_name(cold.top.name.replace("-0", "-64999"))
    try:
        outcome = by_nobody(cold, tmp_path, "666", "sh", "-c", "echo $USER", user=64999)
        assert (outcome.stdout, outcome.stderr) == ("64999\n", "")
    finally:
        os.kill(int(next(place.glob("*/holder")).read_text().split()[2]), signal.SIGKILL)
        shutil.rmtree(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_ordinary_users_are_told_what_to_ask_for_where_only_root_may_mount(cold: Box, tmp_path: Path):
    outcome = by_nobody(cold, tmp_path, "600", "true")
    assert (outcome.status, outcome.stderr) == (
        1,
        "hpai/box: /dev/fuse cannot be used, by which images are mounted;"
        " ask those who run this machine for the module fuse, and mode 0666\n",
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a directory away needs root")
@pytest.mark.parametrize("kind", ["directory", "link", "file"])
def test_what_somebody_else_has_put_in_its_place_is_not_trusted(cold: Box, tmp_path: Path, kind: str):
    if kind == "directory":
        cold.top.mkdir()
    elif kind == "file":
        cold.top.touch()
    else:
        (tmp_path / "mine").mkdir()
        cold.top.symlink_to(tmp_path / "mine")
    os.chown(cold.top, NOBODY, NOBODY, follow_symlinks=False)
    try:
        outcome = cold("true")
    finally:
        cold.top.unlink() if kind != "directory" else cold.top.rmdir()
    assert (outcome.status, outcome.stderr) == (
        1,
        f"hpai/box: {cold.top} is not yours or no directory, and nobody else's is to be trusted;"
        " ask those who run this machine to remove it\n",
    )
