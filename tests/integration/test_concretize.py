"""Locks by real Spack for machines that we are not on: solved once, refused in the site's own words."""

import dataclasses

import pytest

from stackgen import files, host, targets
from stackgen.concretize import concretize
from stackgen.environments import environment_tree
from stackgen.errors import InputError, WorkError
from stackgen.inventory import inventory
from stackgen.lock import Lock, inputs
from stackgen.model import Environment, System
from stackgen.plan import Plan, plan
from stackgen.progress import Silent
from stackgen.run import Command, Outcome, succeed
from stackgen.spack import spack_command
from stackgen.spack.graph import graph

pytestmark = [pytest.mark.spack, pytest.mark.usefixtures("spack", "own_cache")]


class Lines(Silent):
    """A Progress that keeps what it is told to say."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)


def not_started(command: Command) -> Outcome:
    raise AssertionError(f"{command} was started")


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def planned(*packages: str, toolchain=None, **frameworks) -> Plan:
    wheels = {"from": "wheels", "version": "1.0", "python": "3.11"}
    return plan(
        Environment.model_validate(
            {"name": "site", "release": "1", "system": "there", "prefix": "/site/ai"}
            | {"toolchain": {"compiler": "gcc@8.5.0"} | (toolchain or {}), "packages": packages}
            | {"frameworks": frameworks or {"alpha": wheels}}
        ),
        System.model_validate(
            {"name": "there", "os": "rhel8", "glibc": "2.28", "target": "power9le"}
            | {"compilers": [{"spec": "gcc@8.5.0", "prefix": "/usr"}]}
        ),
    )


def test_a_lock_is_for_its_system_and_solved_once(run):
    plan, heard = planned("zlib@1.3.1"), Lines()
    (lock,) = concretize(plan, run, heard)
    assert (lock.name, lock.roots) == ("toolchain", ("zlib@1.3.1",))
    built = [node for node in graph(lock.text).nodes.values() if not node.external]
    assert {(node.os, node.target) for node in built} == {("rhel8", "power9le")}
    assert heard.said[0].startswith("solved toolchain: 1 specs, ")
    assert concretize(plan, not_started, Silent()) == (lock,)


def test_what_is_solved_stays_when_another_has_no_solution(run):
    beta = {"from": "spack", "version": "1.3.1", "spec": "zlib", "import": "zlib"}
    gamma = {**beta, "requires": ["zlib@1.2.13"]}
    with pytest.raises(InputError) as caught:
        concretize(planned(beta=beta, gamma=gamma), run, Silent())
    assert str(caught.value).startswith(
        "frameworks.gamma: these cannot be had together: zlib@1.3.1, zlib@1.2.13;"
        " loosen one of them; the log has all that Spack says. Spack says: "
    )
    (lock,) = concretize(planned(beta=beta), not_started, Silent())
    assert lock.packages["zlib"] == "1.3.1"


@pytest.mark.parametrize(
    ("spec", "refusal"),
    [
        ("zlibb", "packages[0]: Spack has no package zlibb; did you mean zlib or libxcb or libusb?"),
        ("hdf5 +mpy", "packages[0]: hdf5 has no variant mpy; did you mean mpi or map?"),
    ],
)
def test_what_spack_does_not_know_is_told_before_any_solve(run, spec, refusal):
    heard = Lines()
    with pytest.raises(InputError) as caught:
        concretize(planned(spec), run, heard)
    assert (str(caught.value), heard.said) == (refusal, [])


def test_what_a_framework_requires_is_checked_too(run):
    alpha = {"from": "spack", "version": "1.3.1", "spec": "zlib", "import": "zlib", "requires": ["bzip22"]}
    with pytest.raises(InputError) as caught:
        concretize(planned(alpha=alpha), run, Silent())
    assert str(caught.value).startswith("frameworks.alpha.requires.bzip22: Spack has no package bzip22; did")


def test_what_was_solved_before_an_interrupt_stays(run):
    class Impatient(Silent):
        def say(self, line: str) -> None:
            run.stop()

    slow = {"from": "spack", "version": "newest", "spec": "py-numpy", "import": "numpy"}
    with pytest.raises(WorkError):
        concretize(planned("zlib@1.3.1", slow=slow), run, Impatient())
    (lock,) = concretize(planned("zlib@1.3.1"), not_started, Silent())
    assert lock.packages["zlib"] == "1.3.1"


def test_a_lock_for_this_machine_is_what_plain_spack_comes_to(run, spack, tmp_path):
    here = host.detect()
    able = here.model_copy(update={"target": targets.family(here.target)})  # any compiler knows it
    asked = planned("bzip2@1.0.8 ~shared", "lz4", toolchain={"compiler": None})
    plan = dataclasses.replace(asked, system=able, toolchain=())
    (ours,) = concretize(plan, run, Silent())
    files.write_tree(environment_tree(plan), tmp_path)
    words = ("-e", str(tmp_path / "spack/toolchain"), "concretize")
    command = spack_command(spack, words, scopes=None, scratch=tmp_path / "scratch", directory=tmp_path)
    succeed(run, command, "plain Spack failed")
    plain = (tmp_path / "spack/toolchain/spack.lock").read_text()
    assert graph(ours.text).nodes == graph(plain).nodes


def test_the_sources_of_a_lock_are_listed_without_fetching(run):
    plan = planned("bzip2@1.0.8")
    lock = Lock(environment="site", inputs=inputs(plan), spack=concretize(plan, run, Silent()))
    found = inventory(plan, lock, run)
    (bzip2,) = (needed for needed in found.needed if needed.package == "bzip2")
    assert (bzip2.kind, bzip2.name) == ("source", "bzip2-1.0.8.tar.gz")
    assert bzip2.sha256 == "ab5a03176ee106d3f0fa90e381da478ddae405918153cca248e682cd0c4a2269"
    assert found.downloads == ()


def test_wheels_need_no_spack():
    assert concretize(planned(), not_started, Silent()) == ()
