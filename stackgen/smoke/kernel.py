"""The kernel of a framework, started as a notebook server does whatever it has around it."""

import json
from collections.abc import Iterator
from pathlib import Path

from stackgen.inside.launcher.kernelspec import KERNELSPECS, kernelspecs_in, kernelspecs_of
from stackgen.release import Check
from stackgen.smoke import checks
from stackgen.smoke.trial import Trial


def kernel_checks(trial: Trial, release: Path) -> Iterator[Check]:
    """Whether it runs a cell in the framework's own Python; nothing where it is none.

    In a container only its packages are tried: what starts it lies outside, and its client inside.
    """
    place = release / KERNELSPECS
    names = [*kernelspecs_of(kernelspecs_in(str(place)), trial.entrance.module)]
    if not names or trial.framework.image:
        return
    fault = _fault(trial, place / names[0] / "start")
    yield Check(framework=trial.framework.name, name="kernel", passed=not fault, detail=fault or names[0])


def _fault(trial: Trial, start: Path) -> str:
    caller = trial.besieger()
    words = (str(start), trial.planned.imports, json.dumps(dict(caller.variables)))
    outcome = trial.start(caller, "python", str(trial.scripts(caller) / "kernel.py"), *words)
    if outcome.status:
        return checks.ending(outcome)
    told = json.loads(outcome.stdout.splitlines()[-1])
    if told["error"]:
        return str(told["error"])
    if Path(told["prefix"]).resolve() != Path(trial.framework.prefix).resolve():
        return f"its Python is the one of {told['prefix']}"
    return ""
