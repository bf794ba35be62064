"""Test a staged release as a user would meet it: through its modules, in a new login shell."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from stackgen import files
from stackgen.closure import distribution, is_python_name
from stackgen.errors import InputError
from stackgen.jobs.checks import is_distributed
from stackgen.lmod import lmod_start
from stackgen.lock import Lock, read_lock
from stackgen.model import Feature
from stackgen.model.specs import package_name
from stackgen.own_mpi import brought
from stackgen.plan import About, ContainerPlan, Plan, SpackPlan, WheelsPlan
from stackgen.progress import Progress
from stackgen.release import LOCK, Check, InstalledFramework, Report, read_release
from stackgen.run import Outcome, Runner, TimeLimitError
from stackgen.smoke import checks
from stackgen.smoke.evidence import Evidence, read_evidence
from stackgen.smoke.hierarchy import hierarchy_checks
from stackgen.smoke.products import DIGITS, factors
from stackgen.smoke.programs import Programs, interpreter, linked_programs
from stackgen.smoke.ranks import RankTrial, mpi_of
from stackgen.smoke.session import NOT_LOADED, Caller, Entrance, hostile
from stackgen.store.place import prefixes_below
from stackgen.tree import File, Tree

VERIFY = Path(__file__).parents[1] / "verify"
"""The programs for frameworks' own Pythons."""

LIMIT, SCRIPT_LIMIT = 600.0, 120.0
"""Seconds, for the use of a framework and for the `--help` of a console script."""


def site_scripts(plan: Plan, directory: Path) -> Tree:
    """The site's own verify scripts, as files of the release; they are named relative to `directory`."""
    scripts = {}
    for framework in plan.frameworks:
        if framework.about.site_verify:
            path = directory / framework.about.site_verify
            try:
                scripts[_own_script(framework.name)] = File(path.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError):
                where = f"frameworks.{framework.name}.verify"
                raise InputError.of(
                    f"{path} cannot be read", "give the path of a script", where=where
                ) from None
    return Tree(scripts)


def _own_script(framework: str) -> str:
    """Not FRAMEWORK.py: Python searches a script's own directory first, and would find that one."""
    return f"verify/{framework}-verify.py"


def smoke(staged: Path, plan: Plan, run: Runner, progress: Progress) -> Report:
    """Test every module of a release, staged or published; nothing of it is changed."""
    release = read_release(staged)
    planned: dict[str, WheelsPlan | SpackPlan] = {
        framework.name: framework for framework in plan.frameworks if not isinstance(framework, ContainerPlan)
    }
    lmod = lmod_start()
    if lmod is None:
        progress.say("this machine has no Lmod: testing with the environment of `stackgen shell` instead")
    found: list[Check] = []
    lock = read_lock(staged / LOCK) if any(map(is_distributed, _abouts(planned))) else None
    for framework in release.frameworks:
        entrance = Entrance(plan=plan, framework=framework, core=staged / "modules" / "Core", lmod=lmod)
        progress.say(f"testing {framework.name} {framework.version} as {entrance.module}")
        with tempfile.TemporaryDirectory(prefix="stackgen-test-") as scratch:
            trial = Trial(
                framework=framework,
                planned=planned[framework.name],
                entrance=entrance,
                own_script=staged / _own_script(framework.name),
                scratch=Path(scratch),
                run=run,
            )
            found += trial.checks()
            found += trial.own_mpi()
            if lock and trial.usable(found):
                found += _ranks(plan, trial, lock)
    if lmod:
        found += hierarchy_checks(staged, release, lmod, run)
    return Report(release=release.name, request=release.request, checks=tuple(found))


def _abouts(planned: Mapping[str, WheelsPlan | SpackPlan]) -> list[About]:
    return [framework.about for framework in planned.values()]


def _ranks(plan: Plan, trial: "Trial", lock: Lock) -> Iterator[Check]:
    """Two ranks of a framework that can be used by one."""
    ranks = RankTrial(
        framework=trial.framework,
        planned=trial.planned,
        mpi=mpi_of(plan, trial.planned, lock, prefixes_below(Path(plan.prefix), lock)),
        slurm=plan.system.scheduler.kind == "slurm",
        scratch=trial.scratch,
        start=trial.start,
        run=trial.run,
    )
    return ranks.checks(Caller(home=trial.scratch / "clean"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The test of one framework."""

    framework: InstalledFramework
    planned: WheelsPlan | SpackPlan
    entrance: Entrance
    own_script: Path
    """The site's, there or not."""
    scratch: Path
    run: Runner

    def checks(self) -> list[Check]:
        """Use the framework; if it loads and imports, all the rest at once."""
        clean = Caller(home=self.scratch / "clean")
        if not self.framework.python:
            return self._without_python(clean)
        evidence, outcome = self._use(clean, checks.promises(self.planned))
        if outcome.status == NOT_LOADED:
            return [self._check("module", checks.load_fault(outcome))]
        found = [self._check("module", "", self._way)]
        found += checks.framework_checks(self.framework, self.planned, evidence, outcome)
        if checks.import_fault(evidence, outcome):
            return found
        return [*found, *self._further(clean, evidence.scripts)]

    @property
    def _way(self) -> str:
        lmod = f"{self.entrance.module} through Lmod"
        return lmod if self.entrance.lmod else "as `stackgen shell`, without Lmod"

    def _without_python(self, clean: Caller) -> list[Check]:
        """Load it, start its programs, unload it: there is no more that can be known of it."""
        _write_profile(clean)
        besieger, home = hostile(self.scratch / "hostile", "3")
        files.write_tree(home, besieger.home)
        _write_profile(besieger)
        programs = Programs(framework=self.framework, entrance=self.entrance, start=self.start)
        loaded = self.start(clean, "true")
        if loaded.status == NOT_LOADED:
            return [self._check("module", checks.load_fault(loaded))]
        own_script = (self.own_script,) if self.own_script.exists() else ()
        own = [
            self._check("the site's own", checks.ending(self.start(clean, *interpreter(path), str(path))))
            for path in own_script
        ]
        return [self._check("module", "", self._way), *programs.checks(clean, besieger), *own]

    def _further(self, clean: Caller, scripts: tuple[str, ...]) -> Iterator[Check]:
        programs = Programs(framework=self.framework, entrance=self.entrance, start=self.start)
        with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
            requirements = pool.submit(self.start, clean, "python", "-m", "pip", "check")
            besieged = pool.submit(self._besiege)
            started = pool.map(
                lambda script: self.start(clean, script, "--help", limit=SCRIPT_LIMIT), scripts
            )
            own_script = (str(self.own_script),) if self.own_script.exists() else ()
            own = pool.map(lambda path: self.start(clean, "python", path), own_script)
            yield from self._requirements(requirements.result())
            yield self._check("isolation from a hostile caller", besieged.result())
            yield from programs.answers(clean, linked_programs(self.framework))
            for script, outcome in zip(scripts, started, strict=True):
                yield self._check(f"script {script}", checks.script_fault(outcome))
            for outcome in own:
                yield self._check("the site's own", checks.ending(outcome))

    def _requirements(self, outcome: Outcome) -> Iterator[Check]:
        """What pip finds broken. By Spack's recipes it may be so on purpose: then it is only told."""
        if "pip" in self.framework.packages:
            fault = checks.requirements_fault(outcome)
            told = fault if self.framework.source == "spack" else ""
            yield self._check("requirements", "" if told else fault, told)

    def _besiege(self) -> str:
        caller, home = hostile(self.scratch / "hostile", self.framework.python)
        files.write_tree(home, caller.home)
        evidence, outcome = self._use(caller, ())
        return checks.hostile_fault(self.framework, evidence, outcome)

    def _use(self, caller: Caller, promises: tuple[Feature, ...]) -> tuple[Evidence, Outcome]:
        """Let the framework's Python gather the evidence, for a caller who may be hostile."""
        _write_profile(caller)
        request, evidence = (self.scratch / f"{caller.home.name}.{kind}" for kind in ("request", "evidence"))
        files.write(request, self._request)
        verbose = (f"{checks.VERBOSE[promise]}=1" for promise in promises)
        gather = ("python", str(VERIFY / "evidence.py"), str(request), str(evidence))
        outcome = self.start(caller, "env", *verbose, *gather)
        return read_evidence(evidence), outcome

    @property
    def _request(self) -> str:
        return json.dumps(
            {
                "imports": self.planned.imports,
                "script": str(VERIFY / f"{self.planned.about.verify}.py"),
                # pip, wherever it is, proves itself by `pip check`.
                "packages": sorted(_distributions(self.planned) - {"pip"}),
                "factors": {precision: factors(precision) for precision in DIGITS},
            }
        )

    def own_mpi(self) -> Iterator[Check]:
        """What a wheel has brought that its name did not tell; nothing where all is well."""
        for place in brought(Path(self.framework.prefix)) if self.framework.source == "wheels" else ():
            what = f"{place} is an MPI of its own, which no wheel may bring"
            yield self._check("MPI", f"{what}: take the package out that it belongs to")

    def usable(self, found: list[Check]) -> bool:
        """Whether it loads and imports: otherwise there is no more to be learned of it."""
        own = [check for check in found if check.framework == self.framework.name]
        return bool(self.framework.python) and all(
            check.passed for check in own if check.name in {"module", "import"}
        )

    def start(self, caller: Caller, *argv: str, limit: float = LIMIT) -> Outcome:
        """A program with the module loaded; one that takes longer than `limit` seconds is ended."""
        try:
            return self.run(self.entrance.command(argv, caller, limit))
        except TimeLimitError:
            return Outcome(status=checks.TIMED_OUT, stdout="", stderr=f"did not end within {limit:g} s")

    def _check(self, name: str, fault: str, detail: str = "") -> Check:
        return Check(framework=self.framework.name, name=name, passed=not fault, detail=fault or detail)


def _distributions(planned: WheelsPlan | SpackPlan) -> set[str]:
    """What was asked for, by the names that pip knows."""
    if isinstance(planned, WheelsPlan):
        return {canonicalize_name(Requirement(text).name) for text in planned.requirements}
    packages = map(package_name, (planned.spec, *planned.features))
    return {distribution(package) for package in packages if is_python_name(package)}


def _write_profile(caller: Caller) -> None:
    files.write(caller.home / ".bash_profile", caller.profile)
