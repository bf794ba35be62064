"""Test a staged release as a user would meet it: through its modules, in a new login shell."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from stackgen.errors import InputError
from stackgen.inside.launcher.deprecation import sentence_today
from stackgen.jobs.checks import is_distributed
from stackgen.lmod import lmod_start
from stackgen.lock import Lock, read_lock
from stackgen.plan import About, ContainerPlan, FrameworkPlan, Packed, Plan, WheelsPlan
from stackgen.progress import Progress
from stackgen.release import LOCK, Check, Report, read_release
from stackgen.run import Runner
from stackgen.smoke.hierarchy import hierarchy_checks
from stackgen.smoke.kernel import kernel_checks
from stackgen.smoke.ranks import RankTrial, mpi_of
from stackgen.smoke.session import Entrance, scratch
from stackgen.smoke.trial import Trial
from stackgen.store.place import prefixes_of
from stackgen.tree import File, Tree


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
    planned = {framework.name: framework for framework in plan.frameworks}
    lmod = lmod_start()
    if lmod is None:
        progress.say("this machine has no Lmod: testing with the environment of `stackgen shell` instead")
    found: list[Check] = []
    lock = read_lock(staged / LOCK) if any(map(is_distributed, _abouts(planned))) else None
    for framework in release.frameworks:
        entrance = Entrance(plan=plan, framework=framework, core=staged / "modules" / "Core", lmod=lmod)
        said, withdrawn = sentence_today([one.told for one in release.deprecations], entrance.module)
        if withdrawn:
            progress.say(f"not testing {framework.name} {framework.version}: {said}")
            continue
        progress.say(f"testing {framework.name} {framework.version} as {entrance.module}")
        with scratch("test", framework) as place:
            trial = trial_of(planned[framework.name], entrance, staged, Path(place), run)
            found += trial.checks()
            found += trial.own_mpi()
            if trial.usable(found):
                found += kernel_checks(trial, staged)
            if lock and trial.usable(found):
                found += _ranks(plan, trial, lock)
    if lmod:
        found += hierarchy_checks(staged, release, lmod, run)
    return Report(release=release.name, request=release.request, checks=tuple(found))


def _abouts(planned: Mapping[str, FrameworkPlan]) -> list[About]:
    return [framework.about for framework in planned.values()]


def trial_of(planned: FrameworkPlan, entrance: Entrance, staged: Path, scratch: Path, run: Runner) -> Trial:
    """The test of a framework; one that was packed has to pass what it has to pass without its image."""
    judged, meant = entrance.framework, planned
    if isinstance(planned, ContainerPlan) and isinstance(planned.origin, Packed):
        meant = planned.origin.framework
        source = "wheels" if isinstance(meant, WheelsPlan) else "spack"
        judged = judged.model_copy(update={"source": source})
    return Trial(
        framework=judged,
        planned=meant,
        entrance=entrance,
        own_script=staged / _own_script(planned.name),
        scratch=scratch,
        run=run,
        named=planned.commands if isinstance(planned, ContainerPlan) else (),
    )


def _ranks(plan: Plan, trial: Trial, lock: Lock) -> Iterator[Check]:
    """Two ranks of a framework that can be used by one."""
    ranks = RankTrial(
        framework=trial.framework,
        planned=trial.planned,
        mpi=mpi_of(plan, trial.planned, lock, prefixes_of(plan, lock)),
        slurm=plan.system.scheduler.kind == "slurm",
        scratch=trial.clean.home,
        verify=trial.scripts(trial.clean),
        start=trial.start,
        run=trial.run,
    )
    return ranks.checks(trial.clean)
