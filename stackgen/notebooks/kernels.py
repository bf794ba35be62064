"""Kernels of Jupyter: one for each framework of a release whose Python has ipykernel."""

import hashlib
import json
from collections.abc import Mapping

from stackgen.inside.launcher.kernelspec import KERNELSPECS, as_kernel_name, kernel_argv
from stackgen.notebooks.logo import logo
from stackgen.notebooks.programs import program_tree
from stackgen.notebooks.starting import start_script
from stackgen.plan import ENGINES, KERNEL, Plan
from stackgen.release import InstalledFramework
from stackgen.tree import File, Tree


def kernel_tree(plan: Plan, frameworks: tuple[InstalledFramework, ...]) -> Tree:
    """`share/jupyter/kernels/<name>/`, as Jupyter looks for them, and the program that all of them run."""
    found = kernels(plan, frameworks)
    if not found:
        return Tree()
    files = {
        f"{KERNELSPECS}/{name}/{file}": text
        for name, framework in found.items()
        for file, text in _kernelspec(plan, name, framework).items()
    }
    return Tree(files) | program_tree(plan, engines=any(map(has_engines, found.values())))


def kernels(plan: Plan, frameworks: tuple[InstalledFramework, ...]) -> Mapping[str, InstalledFramework]:
    """The frameworks that are kernels, by the names that Jupyter knows them by."""
    found: dict[str, InstalledFramework] = {}
    for framework in frameworks:
        if is_kernel(framework):
            name = kernel_name(plan.namespace, framework)
            if name in found:
                name += (
                    "-" + hashlib.sha256(f"{framework.module}/{framework.version}".encode()).hexdigest()[:6]
                )
            found[name] = framework
    return found


def is_kernel(framework: InstalledFramework) -> bool:
    """Whether its Python can be a kernel: what it needs for that is locked with it."""
    return bool(framework.python) and KERNEL in framework.packages


def has_engines(framework: InstalledFramework) -> bool:
    """Whether its notebooks can start engines."""
    return is_kernel(framework) and ENGINES in framework.packages


def kernel_name(namespace: str, framework: InstalledFramework) -> str:
    """A framework as Jupyter takes names: the same in every release, so that notebooks find it again."""
    return as_kernel_name(f"{namespace}-{framework.module}-{framework.version}")


def _kernelspec(plan: Plan, name: str, framework: InstalledFramework) -> Mapping[str, File]:
    about = next(planned.about for planned in plan.frameworks if planned.name == framework.name)
    module = framework.loaded_as(plan.namespace)
    start = f"{plan.place}/{KERNELSPECS}/{name}/start"
    inside = ", container" if framework.image else ""
    told = {
        "argv": kernel_argv(start, module, plan.release),
        "display_name": f"{about.title} {framework.version} ({plan.namespace} {plan.release}{inside})",
        "language": "python",
        "interrupt_mode": "signal",
        "metadata": {
            "debugger": True,
            "stackgen": {"module": module, "release": plan.release, "start": start},
        },
    }
    return {
        "kernel.json": File(json.dumps(told, indent=1) + "\n"),
        "logo-svg.svg": File(logo(framework.name, about.title)),
        "start": File(start_script(plan, framework), 0o755),
    }
