"""What a framework's module sets by default, and who says so."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from stackgen.frameworks import Knowledge
from stackgen.model import Feature, Scheduler
from stackgen.mpi import Flavour, flavour


class Author(StrEnum):
    """Who says a setting, in the order of their say: the last one wins."""

    FEATURE = "feature"
    """stackgen, of a feature that the framework is to have."""
    SCHEDULER = "scheduler"
    """stackgen, of what starts the ranks of jobs."""
    SYSTEM = "system"
    FRAMEWORK = "framework"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """An environment variable as somebody wants it, placeholders and all."""

    variable: str
    value: str
    author: Author
    feature: Feature | None = None
    """Whose it is, where a feature asks for it."""

    @property
    def origin(self) -> str:
        """Where it comes from, in a few words."""
        return f"of the feature {self.feature}" if self.feature else f"of the {self.author}"


RANKS = (Feature.HOROVOD, Feature.GLOO, Feature.DDP, Feature.MPI4PY, Feature.H5PY)
"""Features that make ranks of a program; the first of them that a framework has speaks for all."""
OF_RANKS: Mapping[str, str] = {"OMP_NUM_THREADS": "{threads}"}
"""Without it each rank of a node starts as many threads as the node has cores."""


OF_PMIX: Mapping[str, str] = {"SLURM_PMIX_FENCE": "ring"}
"""Left to choose, Slurm's PMIx lets each node of a job with fewer nodes than TreeWidth out of a fence that
carries no data (22.05.8, `reverse_tree_info`), and so out of the one that ends MPI_Init: ranks send to others
not ready yet, which end by SIGSEGV. 5 of 72 jobs on four busy nodes did, and none of 250 with the ring."""


def of_scheduler(scheduler: Scheduler, mpi: str) -> Mapping[str, str]:
    """What every framework's module sets for ranks of an MPI, a spec or empty, that the scheduler starts."""
    over_pmix = flavour(mpi) == Flavour.OPEN_MPI or "pmix" in (scheduler.launch or "")
    return OF_PMIX if scheduler.kind == "slurm" and over_pmix else {}


def said(
    known: Knowledge, features: Collection[Feature], given: Mapping[Author, Mapping[str, str]]
) -> tuple[Setting, ...]:
    """Every setting that anybody wants, by variable, and of one variable by the order of their say.

    `given` are those of all authors but the features.
    """
    wanted = [*_of_ranks(known, features), *_of_features(known, features)]
    for author in Author:
        wanted += [
            Setting(variable=variable, value=value, author=author)
            for variable, value in given.get(author, {}).items()
        ]
    return tuple(sorted(wanted, key=lambda setting: setting.variable))  # a stable sort keeps the order


def decided(wanted: Iterable[Setting]) -> dict[str, Setting]:
    """The setting of each variable that holds: of several, the last."""
    return {setting.variable: setting for setting in wanted}


def _of_ranks(known: Knowledge, features: Collection[Feature]) -> list[Setting]:
    feature = next((feature for feature in RANKS if feature in set(features)), None)
    settings = {**OF_RANKS, **known.of_ranks} if feature else {}
    return [
        Setting(variable=variable, value=value, author=Author.FEATURE, feature=feature)
        for variable, value in settings.items()
    ]


def _of_features(known: Knowledge, features: Collection[Feature]) -> list[Setting]:
    """What keeps the features' promises."""
    return [
        Setting(variable=variable, value=value, author=Author.FEATURE, feature=feature)
        for feature in features
        for variable, value in known.keeps.get(feature, {}).items()
    ]
