"""Where each decided value of an environment comes from: who said it, where, and what it overrides."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stackgen import combinations, host
from stackgen.config import Loaded
from stackgen.config.checks import PROVIDERS
from stackgen.effects import shown
from stackgen.errors import InputError, Place
from stackgen.lock import Lock
from stackgen.model import Feature, Framework, SpackFramework, WheelsFramework
from stackgen.model.base import near
from stackgen.plan import (
    Archive,
    ContainerPlan,
    Directory,
    Dockerfile,
    FrameworkPlan,
    Packed,
    Plan,
    Pulled,
    SpackPlan,
    WheelsPlan,
    written_name,
)
from stackgen.settings import Author, Setting

STACKGEN = "stackgen's default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A value that somebody wants: whose it is in a few words, and where it was written, if it was."""

    value: str
    origin: str
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A value that holds, and what it overrides, the nearest first."""

    what: str
    word: Word
    instead_of: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The decisions of an environment as a whole, and of each framework by its name."""

    environment: tuple[Decision, ...]
    frameworks: Mapping[str, tuple[Decision, ...]]


def explain(loaded: Loaded, plan: Plan, lock: Lock | None) -> Explanation:
    """Where everything of a planned environment comes from that somebody could have wanted otherwise.

    The lock is one that fits the plan, where there is one.
    """
    sources = _Sources(loaded)
    exact = {one.name: lock.wheel_lock(one.name).version(one.package) for one in plan.wheels} if lock else {}
    return Explanation(
        environment=tuple(_of_environment(sources, plan)),
        frameworks={
            one.name: tuple(_of_framework(sources, one, exact.get(one.name, ""))) for one in plan.frameworks
        },
    )


def narrowed(whole: Explanation, framework: str, what: str) -> Explanation:
    """What concerns one framework, and of that one value; an empty text narrows nothing.

    Raises InputError where there is no such framework, or none has such a value.
    """
    if framework and framework not in whole.frameworks:
        known = list(whole.frameworks)
        remedy = near(framework, known, f"it has {', '.join(known)}")
        raise InputError.of(f"the environment has no framework {framework}", remedy)
    if not framework:
        return whole
    decisions = whole.frameworks[framework]
    chosen = tuple(decision for decision in decisions if what in {"", decision.what})
    if not chosen:
        known = [decision.what for decision in decisions]
        remedy = near(what, known, f"there are {', '.join(known)}")
        raise InputError.of(f"nobody says anything of {what} for {framework}", remedy)
    return Explanation(environment=(), frameworks={framework: chosen})


@dataclass(frozen=True, slots=True)
class _Sources:
    """The files that say something, asked by key paths."""

    loaded: Loaded

    def written(self, value: str, *where: str) -> Word:
        """A value of the environment's file, at the first of these key paths that it has."""
        place = next((self.loaded.places[path] for path in where if path in self.loaded.places), None)
        return Word(value=value, origin="of the environment", place=place)

    def described(self, value: str, *where: str) -> Word:
        """A value of the system's file."""
        places = self.loaded.system_places
        place = next((places[path] for path in where if path in places), None)
        origin = "of this machine" if self.loaded.environment.system == host.THIS else "of the system"
        return Word(value=value, origin=origin, place=place)

    def of_setting(self, framework: str, setting: Setting) -> Word:
        """A setting of a framework's."""
        value, where = shown(setting.value), f"settings.{setting.variable}"
        match setting.author:
            case Author.SCHEDULER:
                place = self.described(value, "scheduler.kind").place
                return Word(value=value, origin=setting.origin, place=place)
            case Author.SYSTEM:
                return self.described(value, where)
            case Author.FRAMEWORK:
                written = self.written(value, f"frameworks.{framework}.{where}")
                return Word(value=value, origin=setting.origin, place=written.place)
            case Author.FEATURE:
                return self.of_features(value, framework, (setting.feature,) if setting.feature else ())

    def of_features(self, value: str, framework: str, wanted: tuple[Feature, ...]) -> Word:
        """What the first that a framework has of some features asks for."""
        features = self.loaded.environment.frameworks[framework].features
        feature = next(feature for feature in wanted if feature in features)
        where = f"frameworks.{framework}.features[{features.index(feature)}]"
        return Word(value=value, origin=f"of the feature {feature}", place=self.written(value, where).place)


def _of_environment(sources: _Sources, plan: Plan) -> Iterator[Decision]:
    yield Decision(what="release", word=sources.written(plan.release, "release"))
    yield Decision(what="prefix", word=sources.written(plan.prefix, "prefix"))
    yield Decision(what="namespace", word=_or_default(sources, plan.namespace, "modules.namespace"))
    for part, spec in plan.toolchain:
        yield Decision(what=part, word=_of_toolchain(sources, part, spec))
    if plan.base:
        base = sources.loaded.environment.containers.base
        yield Decision(what="base", word=_or_default(sources, base, "containers.base"))


def _or_default(sources: _Sources, value: str, where: str) -> Word:
    is_there = where in sources.loaded.places
    return sources.written(value, where) if is_there else Word(value=value, origin=STACKGEN)


def _of_toolchain(sources: _Sources, part: str, spec: str) -> Word:
    """The environment's word, or the system's external of that kind."""
    where = f"toolchain.{part}"
    if where in sources.loaded.places:
        return sources.written(spec, where)
    externals = enumerate(sources.loaded.system.externals)
    offering = PROVIDERS.get(part, frozenset())
    index = next((index for index, one in externals if one.spec == spec and one.package in offering), 0)
    return sources.described(spec, f"externals[{index}].spec")


def _of_framework(sources: _Sources, planned: FrameworkPlan, exact: str) -> Iterator[Decision]:
    name = written_name(planned)
    asked, where = sources.loaded.environment.frameworks[name], f"frameworks.{name}"
    yield Decision(what="from", word=sources.written(asked.source, f"{where}.from"))
    yield Decision(what="version", word=sources.written(planned.about.version, f"{where}.version"))
    if exact and exact != planned.about.version:
        yield Decision(what="locked", word=Word(value=exact, origin="of the lock"))
    if planned.about.module != planned.name:
        yield Decision(what="module", word=sources.written(planned.about.module, f"{where}.module"))
    match planned:
        case WheelsPlan():
            yield Decision(what="python", word=_python(sources, planned, asked))
            yield Decision(what="package", word=_or_known(sources, planned.package, f"{where}.package"))
            yield Decision(what="import", word=_or_known(sources, planned.imports, f"{where}.import"))
            yield from _built(sources, planned, exact)
        case SpackPlan():
            yield from _of_spack(sources, planned, asked)
        case ContainerPlan():
            yield from _of_image(sources, planned)
    yield from _settings(sources, planned)


def _of_image(sources: _Sources, planned: ContainerPlan) -> Iterator[Decision]:
    """Where an image comes from, by the key that says so."""
    where = f"frameworks.{planned.name}"
    match planned.origin:
        case Packed(framework=framework):
            where = f"frameworks.{framework.name}.image"
            yield Decision(what="image", word=sources.written(f"of {framework.name}", where))
        case Pulled(reference=reference, digest=digest):
            yield Decision(what="image", word=sources.written(f"{reference}@{digest}", f"{where}.image"))
        case Archive(path=path):
            yield Decision(what="archive", word=sources.written(path, f"{where}.archive"))
        case Directory(path=path):
            yield Decision(what="directory", word=sources.written(path, f"{where}.directory"))
        case Dockerfile(path=path):
            yield Decision(what="dockerfile", word=sources.written(path, f"{where}.dockerfile"))


def _or_known(sources: _Sources, value: str, where: str) -> Word:
    is_there = where in sources.loaded.places
    return sources.written(value, where) if is_there else Word(value=value, origin="stackgen knows it")


def _python(sources: _Sources, planned: WheelsPlan, asked: Framework) -> Word:
    where = f"frameworks.{planned.name}.python"
    if isinstance(asked, WheelsFramework) and asked.python and asked.python.version:
        return sources.written(planned.python, f"{where}.version", where)
    if planned.builds_python:
        return Word(value=planned.python, origin=f"{STACKGEN} of what Spack builds")
    return sources.described(planned.python, "pythons[0].version", "pythons[0]")


_ASKING = {
    "horovod": (Feature.HOROVOD, Feature.GLOO),
    "mpi4py": (Feature.MPI4PY, Feature.H5PY),
    "h5py": (Feature.H5PY,),
}
"""The features that have a package built."""


def _built(sources: _Sources, planned: WheelsPlan, exact: str) -> Iterator[Decision]:
    """What is built from source for its features."""
    for source in combinations.sources(planned.about.features):
        seen = _seen(planned, exact or planned.about.version) if source.project == "horovod" else ""
        word = sources.of_features(source.requirement + seen, planned.name, _ASKING[source.project])
        yield Decision(what=source.project, word=word)


def _seen(planned: WheelsPlan, version: str) -> str:
    """Whether anybody has seen Horovod run with an exact version of a framework, in a few words."""
    known = combinations.combination(planned.package, version, planned.python)
    if not known or version.count(".") < 2:
        return ""
    return f", {'tested' if combinations.is_tested(known, version) else 'untested'} with {version}"


def _of_spack(sources: _Sources, planned: SpackPlan, asked: Framework) -> Iterator[Decision]:
    where = f"frameworks.{planned.name}"
    if isinstance(asked, SpackFramework) and asked.python:
        yield Decision(what="python", word=sources.written(asked.python, f"{where}.python"))
    yield Decision(what="spec", word=_or_known(sources, planned.spec, f"{where}.spec"))


def _settings(sources: _Sources, planned: FrameworkPlan) -> Iterator[Decision]:
    """One for each variable, by name."""
    said = planned.about.said
    for variable, _ in planned.about.settings:
        words = [sources.of_setting(written_name(planned), one) for one in said if one.variable == variable]
        yield Decision(what=variable, word=words[-1], instead_of=tuple(reversed(words[:-1])))
