"""The test of one framework: used by its module, by a user who has nothing and by one who is led astray."""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from stackgen import files
from stackgen.closure import distribution, is_python_name
from stackgen.model import Feature
from stackgen.model.specs import package_name
from stackgen.own_mpi import brought
from stackgen.plan import FrameworkPlan, SpackPlan
from stackgen.release import Check, InstalledFramework
from stackgen.run import Outcome, Runner, TimeLimitError
from stackgen.smoke import checks
from stackgen.smoke.containers import Containment
from stackgen.smoke.evidence import Evidence, read_evidence
from stackgen.smoke.products import DIGITS, factors
from stackgen.smoke.programs import Programs, interpreter, linked_programs
from stackgen.smoke.session import NOT_LOADED, Caller, Entrance, besieged_by_libraries, hostile

VERIFY = Path(__file__).parents[1] / "verify"
"""The programs for frameworks' own Pythons."""

LIMIT, SCRIPT_LIMIT = 600.0, 120.0
"""Seconds, for the use of a framework and for the `--help` of a console script."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The test of one framework."""

    framework: InstalledFramework
    planned: FrameworkPlan
    entrance: Entrance
    own_script: Path
    """The site's, there or not."""
    scratch: Path
    run: Runner
    named: tuple[str, ...] = ()
    """The commands of its image that the site has named."""

    @property
    def clean(self) -> Caller:
        """A user who has nothing."""
        return Caller(home=self.scratch / "clean")

    @property
    def container(self) -> Containment | None:
        """What it runs in; None where it runs on the machine itself."""
        if not self.framework.image:
            return None
        return Containment(
            framework=self.framework,
            entrance=self.entrance,
            named=self.named,
            start=self.start,
            run=self.run,
        )

    def checks(self) -> list[Check]:
        """Use the framework; if it loads and imports, all the rest at once."""
        clean = self.clean
        if self.container and (found := self._unusable(clean, self.container)):
            return found
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

    def _unusable(self, clean: Caller, container: Containment) -> list[Check]:
        """Why nothing of it can be tried; nothing where it can."""
        _write_profile(clean)
        loaded = self.start(clean, "true")
        if loaded.status == NOT_LOADED:
            return [self._check("module", checks.load_fault(loaded))]
        if fault := container.fault(clean):
            return [self._check("module", "", self._way), self._check("container", fault)]
        return []

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
        loaded = self.start(clean, "true")
        if loaded.status == NOT_LOADED:
            return [self._check("module", checks.load_fault(loaded))]
        own = [
            self._check("the site's own", checks.ending(self.start(clean, *interpreter(path), str(path))))
            for path in self._own(clean)
        ]
        answers = self._programs.checks(clean, besieger, self._names)
        return [self._check("module", "", self._way), *answers, *own]

    @property
    def _programs(self) -> Programs:
        place = self.container.place if self.container else Path(self.framework.prefix, "bin")
        return Programs(framework=self.framework, entrance=self.entrance, start=self.start, place=place)

    @property
    def _names(self) -> tuple[str, ...]:
        """The programs that are no scripts of its Python; all commands of an image that others have made."""
        if self.container and self.framework.source == "container":
            return self.container.names
        return linked_programs(self.framework)

    def _further(self, clean: Caller, scripts: tuple[str, ...]) -> Iterator[Check]:
        with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
            requirements = pool.submit(self.start, clean, "python", "-m", "pip", "check")
            besieged = pool.submit(self._besiege)
            started = pool.map(
                lambda script: self.start(clean, script, "--help", limit=SCRIPT_LIMIT), scripts
            )
            own = pool.map(lambda path: self.start(clean, "python", str(path)), self._own(clean))
            yield from self._requirements(requirements.result())
            yield self._check("isolation from a hostile caller", besieged.result())
            yield from self._programs.answers(clean, self._names)
            if self.container:
                yield from self.container.manners(clean)
            for script, outcome in zip(scripts, started, strict=True):
                yield self._check(f"script {script}", checks.script_fault(outcome, self.framework.packages))
            for outcome in own:
                yield self._check("the site's own", checks.ending(outcome))

    def _requirements(self, outcome: Outcome) -> Iterator[Check]:
        """What pip finds broken. By Spack's recipes it may be so on purpose: then it is only told."""
        if "pip" in self.framework.packages:
            fault = checks.requirements_fault(outcome)
            told = fault if self.framework.source == "spack" else ""
            yield self._check("requirements", "" if told else fault, told)

    def besieger(self) -> Caller:
        """A user with everything that leads a Python astray."""
        caller, home = hostile(self.scratch / "hostile", self.framework.python)
        files.write_tree(home, caller.home)
        _write_profile(caller)
        return caller

    def _besiege(self) -> str:
        caller = self.besieger()
        if self.container:
            caller = besieged_by_libraries(caller)
        evidence, outcome = self._use(caller, ())
        fault = checks.hostile_fault(self.framework, evidence, outcome)
        if self.container and not fault:
            return self._programs.strangers(caller, ("python", *self._names))
        return fault

    def _use(self, caller: Caller, promises: tuple[Feature, ...]) -> tuple[Evidence, Outcome]:
        """Let the framework's Python gather the evidence, for a caller who may be hostile."""
        _write_profile(caller)
        scripts = self.scripts(caller)
        request, evidence = (caller.home / f"{kind}.json" for kind in ("request", "evidence"))
        files.write(request, self._request(scripts))
        verbose = (f"{checks.VERBOSE[promise]}=1" for promise in promises)
        gather = ("python", str(scripts / "evidence.py"), str(request), str(evidence))
        outcome = self.start(caller, "env", *verbose, *gather)
        return read_evidence(evidence), outcome

    def scripts(self, caller: Caller) -> Path:
        """Where the scripts lie for this user: in the home, which is seen from inside of any container."""
        place = caller.home / "verify"
        for script in VERIFY.glob("*.py"):
            if not (place / script.name).exists():
                files.write(place / script.name, script.read_text(encoding="utf-8"))
        return place

    def _own(self, caller: Caller) -> tuple[Path, ...]:
        """The site's own script, where there is one, beside the others."""
        if not self.own_script.exists():
            return ()
        place = caller.home / "verify" / self.own_script.name
        files.write(place, self.own_script.read_text(encoding="utf-8"))
        return (place,)

    def _request(self, scripts: Path) -> str:
        shown = {"shown": self.container.shown} if self.container else {}
        return json.dumps(
            {
                "imports": self.planned.imports,
                "script": str(scripts / f"{self.planned.about.verify}.py"),
                # pip, wherever it is, proves itself by `pip check`.
                "packages": sorted(_distributions(self.planned) - {"pip"}),
                "factors": {precision: factors(precision) for precision in DIGITS},
                **shown,
            }
        )

    def own_mpi(self) -> Iterator[Check]:
        """What a wheel has brought that its name did not tell; nothing where all is well."""
        for place in brought(Path(self.framework.prefix)) if self._is_bare_wheels else ():
            what = f"{place} is an MPI of its own, which no wheel may bring"
            yield self._check("MPI", f"{what}: take the package out that it belongs to")

    @property
    def _is_bare_wheels(self) -> bool:
        return self.framework.source == "wheels" and not self.container

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


def _distributions(planned: FrameworkPlan) -> set[str]:
    """What was asked for, by the names that pip knows."""
    if not isinstance(planned, SpackPlan):
        return {canonicalize_name(Requirement(text).name) for text in planned.requirements}
    packages = map(package_name, (planned.spec, *planned.features))
    return {distribution(package) for package in packages if is_python_name(package)}


def _write_profile(caller: Caller) -> None:
    files.write(caller.home / ".bash_profile", caller.profile)
