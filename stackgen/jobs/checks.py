"""What a job script runs that is given no program: the framework's own check on all its ranks."""

from pathlib import Path

from stackgen.combinations import has_horovod
from stackgen.model import Feature
from stackgen.plan import About
from stackgen.settings import RANKS
from stackgen.tree import File, Tree

CHECKS = "share/checks"
"""Where a release has the scripts."""

_HOROVOD = {"tensorflow": "ranks_horovod_tensorflow", "keras": "ranks_horovod_tensorflow"}
_HOROVOD |= {"pytorch": "ranks_horovod_torch"}
_OWN = {"tensorflow": "ranks_ddp_tensorflow", "keras": "ranks_ddp_tensorflow", "pytorch": "ranks_ddp_pytorch"}


def is_distributed(about: About) -> bool:
    """Whether a framework has use for more than one rank."""
    return bool({*RANKS} & set(about.features))


def check_name(about: About, ranks: int) -> str:
    """The stem of the script below `stackgen/verify/`; empty where importing it is all there is to ask."""
    return next(iter(check_names(about)), "") if ranks > 1 else ""


def check_names(about: About) -> tuple[str, ...]:
    """The stems of all scripts that ask ranks for what a framework's features promise, the largest first."""
    features = set(about.features)
    horovod = _HOROVOD.get(about.verify, "") if has_horovod(features) else ""
    own = _OWN.get(about.verify, "") if Feature.DDP in features else ""
    others = (f"ranks_{feature}" for feature in (Feature.MPI4PY, Feature.H5PY) if feature in features)
    return tuple(name for name in (horovod, own, *others) if name)


def check_tree() -> Tree:
    """The scripts that ask ranks, as a release has them for its job scripts."""
    scripts = sorted((Path(__file__).parents[1] / "verify").glob("ranks_*.py"))
    found = {script.name: File(script.read_text(encoding="utf-8")) for script in scripts}
    return Tree(found).below(CHECKS)
