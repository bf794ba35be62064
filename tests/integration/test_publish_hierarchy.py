"""Users of the hierarchy with a real Lmod, with and without its cache, while releases come and go."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lmod
import pytest
from hierarchies import LINK, Made, described, effect, locked

from stackgen import files
from stackgen.hierarchy import hierarchy_tree
from stackgen.lock import Lock, LockedFile, LockedPackage, SpackLock, WheelLock, inputs
from stackgen.model import Environment, System
from stackgen.modules import module_tree
from stackgen.plan import Plan, plan
from stackgen.progress import Silent
from stackgen.publish import find_spider, keep_report, publish, rollback, stage, staged
from stackgen.release import Check, Report, installed, release_of
from stackgen.run import LoggedRunner

pytestmark = pytest.mark.skipif(lmod.ROOT is None, reason="Lmod is not installed")

SHELLS = pytest.mark.parametrize("name", lmod.SHELLS)
OPENMPI = Made(name="openmpi", version="4.1.4", prefix="/opt/openmpi", effects=(effect("SetEnv", "CC", "o"),))
MPICH = Made(name="mpich", version="4.0.2", prefix="/opt/mpich", effects=(effect("SetEnv", "CC", "m"),))
TOOL = Made(name="tool", version="1.2.3")


def fast(mpi: Made, version: str = "5.0", build: str = "") -> Made:
    """A package on an MPI."""
    mode = effect("SetEnv", f"MODE{build}", "on")
    return Made(
        name="fast",
        version=version,
        build=f"{mpi.name}{build}",
        needs={mpi.name: LINK},
        mpi=mpi.name,
        effects=(mode,),
    )


LOADS = 8
"""How often users load modules while `current` is switched."""


class Prefix:
    """A prefix with releases of one framework and a hierarchy; nothing of the packages is there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spider = find_spider(LoggedRunner(Silent()), Silent())

    @property
    def core(self) -> Path:
        return self.path / "current/modules/Core"

    @property
    def cached(self) -> dict[str, str]:
        """What users set who want the cache."""
        return {"LMOD_RC": f"{self.path}/current/lmod/lmodrc.lua"}

    def publish(self, release: str, *parts: tuple[Made, ...]) -> None:
        """A release whose hierarchy has these packages, one lock for each MPI; all of them asked for."""
        asked = self.plan(release)
        locks = tuple(locked(made, [one.name for one in made], f"lock{i}") for i, made in enumerate(parts))
        known = described([one for made in parts for one in made], self.path / "store")
        lock = self.lock(asked, locks)
        frameworks = installed(asked, lock)
        for framework in frameworks:
            files.write(Path(framework.prefix, "bin/python"), "")
            files.write(Path(framework.prefix, "lib/python3.11/site-packages/six.py"), "")
        tree = module_tree(asked, frameworks) | hierarchy_tree(asked, locks, known)
        stage(asked, lock, tree)
        passed = Check(framework="six", name="import", passed=True)
        request = release_of(asked, lock).request
        keep_report(staged(self.path, release), Report(release=release, request=request, checks=(passed,)))
        publish(self.path, release, self.spider)

    def plan(self, release: str) -> Plan:
        six = {"from": "wheels", "version": "newest", "python": "3.11"}
        values = {"name": "lab", "release": release, "system": "box", "prefix": str(self.path)}
        system = System(name="box", os="debian12", glibc="2.36", target="x86_64_v3")
        return plan(Environment.model_validate({**values, "frameworks": {"six": six}}), system)

    def lock(self, asked: Plan, spack: tuple[SpackLock, ...]) -> Lock:
        file = LockedFile(name="six-1.0-py3-none-any.whl", size=1, sha256="0" * 64)
        package = LockedPackage(name="six", version="1.0", file=file)
        wheels = (WheelLock(framework="six", python="3.11", packages=(package,)),)
        return Lock(environment="lab", inputs=inputs(asked), wheels=wheels, spack=spack)


@pytest.fixture
def prefix(tmp_path: Path) -> Prefix:
    return Prefix(tmp_path / "ai")


Ask = Callable[..., lmod.Session]


@pytest.fixture
def ask(prefix: Prefix, tmp_path: Path) -> Ask:
    """Has a user, in a shell, say something; without the cache where not told otherwise."""
    count = iter(range(99))

    def answer(*lines: str, name: str = "bash", cached: bool = False) -> lmod.Session:
        work = tmp_path / f"user{next(count)}"
        work.mkdir()
        given = prefix.cached if cached else {}
        return lmod.session(lmod.shell(name), prefix.core, lines, given, work)

    return answer


def listed(session: lmod.Session) -> list[str]:
    """What each `module avail` printed, one after the other; in its terse form, Lmod reads no cache."""
    lines = (line for line in session.output.splitlines() if line.startswith("   "))
    return [word for line in lines for word in line.split() if "/" in word]


def forward(prefix: Prefix, release: str) -> str:
    """The line that makes a release current in the middle of a session, and back to the first of all now."""
    rollback(prefix.path, release, prefix.spider)
    target = (prefix.path / "current").readlink()
    rollback(prefix.path, "1", prefix.spider)
    return f"ln -sfn {target} {prefix.path}/current"


CACHED = pytest.mark.parametrize("cached", [False, True], ids=["without cache", "cached"])


@CACHED
def test_only_what_the_current_release_has_is_listed(prefix: Prefix, ask: Ask, *, cached: bool):
    prefix.publish("1", (OPENMPI, TOOL, fast(OPENMPI)))
    tool = Made(name="tool", version="1.10")
    prefix.publish("2", (OPENMPI, tool, fast(OPENMPI, "5.1")))
    lines = ("module avail", "module load openmpi", "module avail")
    first = ["hpai/six/1.0", "openmpi/4.1.4", "tool/1.10"]
    assert listed(ask(*lines, cached=cached)) == [*first, "fast/5.1", *first]
    rollback(prefix.path, "1", prefix.spider)
    first = ["hpai/six/1.0", "openmpi/4.1.4", "tool/1.2.3"]
    assert listed(ask(*lines, cached=cached)) == [*first, "fast/5.0", *first]


def test_the_cache_is_what_lmod_reads(prefix: Prefix, ask: Ask):
    prefix.publish("1", (OPENMPI, TOOL, fast(OPENMPI)))
    cache = prefix.path / "current/lmod/cache/spiderT.lua"
    cache.chmod(0o644)
    cache.write_text(cache.read_text().replace("tool", "loot"))
    assert "loot/1.2.3" in listed(ask("module avail", cached=True))
    assert "loot/1.2.3" not in listed(ask("module avail"))


@CACHED
def test_spider_tells_what_stands_on_what(prefix: Prefix, ask: Ask, *, cached: bool):
    prefix.publish("1", (OPENMPI, TOOL, fast(OPENMPI)), (MPICH, TOOL, fast(MPICH)))
    told = ask("module spider fast/5.0", cached=cached).output.partition("on any one of the lines below")[2]
    assert [line.strip() for line in told.splitlines()[2:4]] == ["mpich/4.0.2", "openmpi/4.1.4"]
    told = ask("module spider tool/1.2.3", cached=cached).output
    assert "This module can be loaded directly: module load tool/1.2.3" in told


@CACHED
def test_a_session_sees_the_releases_move(prefix: Prefix, ask: Ask, *, cached: bool):
    prefix.publish("1", (OPENMPI, TOOL, fast(OPENMPI)))
    prefix.publish("2", (OPENMPI, fast(OPENMPI, "5.1")))
    lines = ("module load openmpi", "module avail", forward(prefix, "2"), "module avail")
    before = ["fast/5.0", "hpai/six/1.0", "openmpi/4.1.4", "tool/1.2.3"]
    assert listed(ask(*lines, cached=cached)) == [*before, "fast/5.1", "hpai/six/1.0", "openmpi/4.1.4"]


@SHELLS
def test_what_was_loaded_before_a_switch_is_unloaded_after_it(name: str, prefix: Prefix, ask: Ask):
    prefix.publish("1", (OPENMPI, TOOL, fast(OPENMPI)))
    other = Made(name="tool", version="1.2.3", build="other", effects=(effect("SetEnv", "NEW", "1"),))
    prefix.publish("2", (MPICH, other))
    prefix.publish("3", (OPENMPI, other, fast(OPENMPI, build="2")))
    for release in "23":
        lines = ["note before", "module load openmpi fast tool", "note loaded", forward(prefix, release)]
        lines += ["module load tool", "module purge", "note after"]
        noted = ask(*lines, name=name).noted
        assert TOOL.hash in noted["loaded"]["PATH"]
        assert noted["loaded"]["MODE"] == "on"
        assert noted["after"] == noted["before"]


@CACHED
def test_a_level_that_was_opened_shows_and_loads_what_it_showed(prefix: Prefix, ask: Ask, *, cached: bool):
    prefix.publish("1", (OPENMPI, fast(OPENMPI)))
    prefix.publish("2", (MPICH, fast(MPICH)))
    lines = ["module load openmpi", forward(prefix, "2"), "module load fast", "note loaded", "module avail"]
    session = ask(*lines, cached=cached)
    assert fast(OPENMPI).hash in session.noted["loaded"]["PATH"]
    # Lmod 8.7 lists what is loaded, hidden or not.
    assert [name for name in listed(session) if name != "openmpi/4.1.4"] == [
        "fast/5.0",
        "hpai/six/1.0",
        "mpich/4.0.2",
    ]
    rollback(prefix.path, "2", prefix.spider)
    told = ask("module spider fast/5.0", cached=cached).output.partition("on any one of the lines below")[2]
    assert told.split()[:8] == ["before", "the", '"fast/5.0"', "module", "is", "available", "to", "load."]
    assert told.split()[8:10] == ["mpich/4.0.2", "Help:"]


@SHELLS
def test_another_mpi_takes_the_place_of_one_and_of_all_that_stands_on_it(name: str, prefix: Prefix, ask: Ask):
    prefix.publish("1", (OPENMPI, TOOL, fast(OPENMPI)), (MPICH, TOOL, fast(MPICH)))
    lines = ["note before", "module load openmpi fast tool", "note first", "module load mpich", "note second"]
    lines += ["module swap mpich openmpi", "note third", "module purge", "note after"]
    noted = ask(*lines, name=name).noted
    first, second = noted["first"], noted["second"]
    assert (first["CC"], second["CC"]) == ("o", "m")
    assert fast(OPENMPI).hash in first["PATH"]
    assert fast(MPICH).hash in second["PATH"]
    assert fast(OPENMPI).hash not in second["PATH"]
    assert noted["third"]["PATH"].split(":").sort() == first["PATH"].split(":").sort()
    assert noted["after"] == noted["before"]


@CACHED
def test_users_see_no_failure_while_releases_are_switched(prefix: Prefix, ask: Ask, *, cached: bool):
    prefix.publish("1", (OPENMPI, TOOL, fast(OPENMPI)))
    prefix.publish(
        "2", (OPENMPI, Made(name="tool", version="1.2.3", build="other"), fast(OPENMPI, build="2"))
    )
    turn = "module load openmpi fast tool || echo load; module purge || echo unload"
    lines = ["module avail > /dev/null 2>&1", "before=$PATH", f"for turn in {'x ' * LOADS}; do {turn}; done"]
    with ThreadPoolExecutor(max_workers=1) as pool:
        users = pool.submit(ask, *lines, 'echo "${PATH#$before}"', cached=cached)
        turns = 0
        while not users.done():
            rollback(prefix.path, "12"[turns % 2], prefix.spider)
            turns += 1
    assert turns > 3
    assert users.result().output.strip() == ""


def test_without_a_hierarchy_there_is_no_cache(prefix: Prefix):
    prefix.publish("1")
    assert not (prefix.path / "current/lmod").exists()


def test_without_lmod_there_is_no_cache_until_there_is(prefix: Prefix, ask: Ask):
    spider, prefix.spider = prefix.spider, None
    prefix.publish("1", (OPENMPI, TOOL))
    assert not (prefix.path / "current/lmod").exists()
    assert listed(ask("module avail", cached=True)) == ["hpai/six/1.0", "openmpi/4.1.4", "tool/1.2.3"]
    prefix.spider = spider
    prefix.publish("2", (OPENMPI, TOOL))
    rollback(prefix.path, "1", spider)
    assert (prefix.path / "current/lmod/cache/spiderT.lua").exists()


@CACHED
def test_what_is_hidden_on_one_level_is_not_hidden_on_another(prefix: Prefix, ask: Ask, *, cached: bool):
    prefix.publish("1", (OPENMPI, TOOL))
    moved = Made(name="tool", version="1.2.3", build="mpi", needs={"openmpi": LINK}, mpi="openmpi")
    prefix.publish("2", (OPENMPI, moved))
    lines = ("module avail", "module load openmpi", "module avail", "module load tool", "note loaded")
    session = ask(*lines, cached=cached)
    core = ["hpai/six/1.0", "openmpi/4.1.4"]
    assert listed(session) == [*core, "tool/1.2.3", *core]
    assert moved.hash in session.noted["loaded"]["PATH"]
