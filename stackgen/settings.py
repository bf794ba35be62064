"""What a framework's module sets by default, and who says so."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from stackgen.frameworks import Knowledge
from stackgen.model import Feature


class Author(StrEnum):
    """Who says a setting, in the order of their say: the last one wins."""

    FEATURE = "feature"
    """stackgen, of a feature that the framework is to have."""
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


def said(
    known: Knowledge,
    features: Collection[Feature],
    system: Mapping[str, str],
    framework: Mapping[str, str],
) -> tuple[Setting, ...]:
    """Every setting that anybody wants, by variable, and of one variable by the order of their say."""
    wanted = [*_of_ranks(known, features), *_of_features(known, features)]
    for author, settings in ((Author.SYSTEM, system), (Author.FRAMEWORK, framework)):
        wanted += [
            Setting(variable=variable, value=value, author=author) for variable, value in settings.items()
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
