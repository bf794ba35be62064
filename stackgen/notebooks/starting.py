"""The program that a kernel is started by: the module's environment, in a shell of any machine."""

import json
import os
from typing import assert_never

from stackgen.effects import (
    Assign,
    Clear,
    Default,
    DefaultOfRank,
    Effect,
    Prepend,
    effects,
    variable_name,
)
from stackgen.inside.launcher.deprecation import deprecation_of, deprecation_sentence
from stackgen.inside.launcher.kernelspec import KERNELSPECS
from stackgen.jobs.quoting import Words, shell_templates, word
from stackgen.notebooks.programs import PROGRAM
from stackgen.plan import Plan
from stackgen.release import InstalledFramework

TEMPLATES = shell_templates("stackgen.notebooks")


def start_script(plan: Plan, framework: InstalledFramework) -> str:
    """The `start` of a framework's kernel."""
    changes = effects(plan.namespace, framework, plan.place)
    rank = {change.variable: change.value for change in changes if isinstance(change, DefaultOfRank)}
    commands = f"{plan.place}/containers/{framework.name}/bin"
    module = framework.loaded_as(plan.namespace)
    return TEMPLATES.get_template("start.sh.j2").render(
        module=module,
        **_withdrawal(plan, module),
        marker=Words(f"__{variable_name(plan.namespace)}"),
        namespace=Words(variable_name(plan.namespace)),
        prefix=plan.prefix,
        effects=[line for change in changes if (line := _line(plan, framework, change))],
        python=f"{commands}/python" if framework.image else f"{framework.prefix}/bin/python",
        image=framework.image,
        entrance=f"{commands}/{framework.module}" if framework.image else "",
        program=f"{plan.place}/{PROGRAM}",
        above=Words(os.path.relpath(PROGRAM, f"{KERNELSPECS}/name")),
        settings=json.dumps(rank),
    )


def _withdrawal(plan: Plan, module: str) -> dict[str, str]:
    """The day, as a number, from which a framework starts no more, and what is said then; or nothing."""
    said = deprecation_of(plan.deprecations, module)
    if said is None or said.state != "withdrawn":
        return {"withdrawn": "", "withdrawn_on": ""}
    sentence = deprecation_sentence(said, "it", said.on)
    return {"withdrawn": sentence, "withdrawn_on": said.on.replace("-", "")}


def _line(plan: Plan, framework: InstalledFramework, effect: Effect) -> Words | None:
    """The line of a shell that does an effect; what only a rank can know is left to the kernel itself."""
    match effect:
        case Prepend(variable=variable, directory=directory, of=place):
            first = word(f"{plan.place if place == 'release' else framework.prefix}/{directory}")
            return Words(f"{variable}={first}${{{variable}:+:${variable}}}")
        case Assign(variable=variable, value=value):
            return Words(f"export {variable}={word(value)}")
        case Clear(variable=variable):
            return Words(f"unset {variable}")
        case Default(variable=variable, value=value):
            return Words(f'[ "${{{variable}+set}}" ] || export {variable}={word(value)}')
        case DefaultOfRank():
            return None
    assert_never(effect)
