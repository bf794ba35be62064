"""What every test may ask for: real runners, the machine's own system, the index."""

import signal
from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from cluster import Cluster, cluster, why_not
from desk import Desk
from hypothesis import settings
from registry import Registry, registry
from registry import why_not as why_no_registry

from stackgen.errors import StackgenError
from stackgen.plan import Platform
from stackgen.platforms import Target
from stackgen.progress import Silent
from stackgen.run import LoggedRunner
from stackgen.site import Site, load_site
from stackgen.spack import SpackHome, find_spack
from stackgen.wheels import Question, offers

# Whoever starts the tests in the background of a shell, or by nohup, has them ignore these, and so has all
# that they start; what is interrupted here is to be interrupted.
for _number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)

# By itself it takes an example of more than 200 ms for a fault, which on a busy machine any may be.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def run() -> LoggedRunner:
    """The real starter of processes."""
    return LoggedRunner(Silent())


@pytest.fixture(scope="session")
def index() -> Site:
    """Where this machine fetches files from; skips with the reason where uv finds no index there."""
    target = Target(platform=Platform(architecture="x86_64", glibc="2.28"), python="3.11")
    try:
        site = load_site()
        offers(Question(where="tests", target=target, requirements=("six",)), site, LoggedRunner(Silent()))
    except StackgenError as error:
        pytest.skip(f"the package index cannot be used: {error}")
    return site


@pytest.fixture(scope="session")
def spack() -> SpackHome:
    """The bootstrapped Spack of this machine; skips with the command where there is none."""
    try:
        return find_spack()
    except StackgenError as error:
        pytest.skip(f"no Spack: run stackgen bootstrap --from ... ({error})")


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Four nodes with a real Slurm, started in two seconds; skips with the reason where there can be none."""
    if reason := why_not():
        pytest.skip(f"no Slurm: {reason}")
    with cluster(tmp_path_factory.mktemp("slurm")) as made:
        yield made


@pytest.fixture(scope="session")
def small_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image of some of this machine's programs; skips with the reason where containers cannot run."""
    if reason := images.why_not():
        pytest.skip(f"no containers: {reason}")
    place = tmp_path_factory.mktemp("image")
    images.root_file_system(place / "root")
    return images.squashed(place / "root", place / "small.sqfs")


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A real registry of images; skips with the reason where there can be none."""
    if reason := why_no_registry():
        pytest.skip(f"no registry: {reason}")
    with registry(tmp_path_factory.mktemp("registry")) as made:
        yield made


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A fresh desk."""
    (tmp_path / "desk").mkdir()
    return Desk(tmp_path / "desk")


@pytest.fixture(scope="module")
def shared_desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk whose state the tests of one module build upon."""
    return Desk(tmp_path_factory.mktemp("desk"))
