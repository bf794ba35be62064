"""Job scripts that run as they are: with arguments a user's program, without any the release's own check."""

from pathlib import Path
from urllib.parse import quote

from stackgen.inside.launcher.offer import Offer
from stackgen.inside.launcher.times import clocked, lsf_time
from stackgen.jobs.checks import CHECKS, check_name, is_distributed
from stackgen.jobs.offers import offers
from stackgen.jobs.quoting import note, shell_templates, starting
from stackgen.jobs.shape import Layout, Shape, layout
from stackgen.jobs.starting import MODULE_STARTS, launch
from stackgen.plan import FrameworkPlan, Plan
from stackgen.release import InstalledFramework
from stackgen.tree import File, Tree

SCHEDULERS = ("slurm", "lsf")
"""Those that there are job scripts for."""
TEMPLATES = shell_templates("stackgen.jobs")
TEMPLATES.filters |= {"starting": starting, "note": note}


def job_tree(plan: Plan, frameworks: tuple[InstalledFramework, ...]) -> Tree:
    """`jobs/<framework>/<partition>/<shape>.sh`; nothing where no job script is known for the scheduler."""
    if plan.system.scheduler.kind not in SCHEDULERS:
        return Tree()
    found = {
        f"jobs/{framework.name}/{directory_name(offer.name)}/{shape}.sh": job_script(
            plan, framework, offer, shape
        )
        for framework in frameworks
        for offer in offers(plan.system)
        for shape in Shape
    }
    return Tree({path: File(text, 0o755) for path, text in found.items() if text})


def directory_name(partition: str) -> str:
    """A partition as the name of a directory, whatever the site calls it."""
    return quote(partition, safe="") if partition.strip(".") else quote(partition).replace(".", "%2E")


def job_script(plan: Plan, framework: InstalledFramework, offer: Offer, shape: Shape) -> str:
    """The job script of a framework for a partition; empty where that takes no job of this shape."""
    planned = next(one for one in plan.frameworks if one.name == framework.name)
    fitted = layout(offer, shape, distributed=is_distributed(planned.about))
    if fitted is None:
        return ""
    release = Path(plan.place)
    check = check_name(planned.about, ranks=fitted.nodes * fitted.ranks)
    return TEMPLATES.get_template(f"{plan.system.scheduler.kind}.sh.j2").render(
        title=f"{planned.about.title} {framework.version}",
        system=plan.system.name,
        release=plan.release,
        file=f"{shape}.sh",
        name=framework.name,
        offer=offer,
        layout=fitted,
        gres=f"{plan.system.scheduler.gpus}:{fitted.gpus}",
        time=clocked(offer.seconds),
        minutes=lsf_time(offer.seconds),
        account=plan.system.scheduler.account == "required",
        modules=str(release / "modules" / "Core"),
        module=framework.loaded_as(plan.namespace),
        launcher=str(release / "bin" / plan.namespace),
        launch=launch(plan),
        check=str(release / CHECKS / f"{check}.py") if check else "",
        size=size(fitted),
        more="-nnodes 4" if launch(plan)[0] == "jsrun" else f"-n {4 * fitted.ranks}",
        resources=resources(fitted),
        inits=MODULE_STARTS,
        imports=imports(planned),
        check_import=f"import {imports(planned)} as it; print(it.__name__, it.__version__)",
        nothing=f"what is to run? {plan.system.scheduler.kind} was given no program after {shape}.sh",
    )


def resources(fitted: Layout) -> tuple[str, ...]:
    """What jsrun gives each rank."""
    cores = ("--cpu_per_rs", str(fitted.cores), "--bind", f"packed:{fitted.cores}") if fitted.cores else ()
    gpus = ("--gpu_per_rs", str(max(fitted.gpus // fitted.ranks, 1))) if fitted.gpus else ()
    return (*cores, *gpus)


def size(fitted: Layout) -> str:
    """A layout in words."""
    parts = [
        counted(fitted.nodes, "node"),
        f"{counted(fitted.ranks, 'rank')} on {'each' if fitted.nodes > 1 else 'it'}",
    ]
    if fitted.cores:
        parts.append(
            f"{counted(fitted.cores, 'core')} for {'each' if fitted.nodes * fitted.ranks > 1 else 'it'}"
        )
    if fitted.gpus:
        parts.append(f"{counted(fitted.gpus, 'GPU')} a node")
    return ", ".join(parts)


def counted(count: int, noun: str) -> str:
    """A number of things."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def imports(planned: FrameworkPlan) -> str:
    """What a program imports to have the framework; empty where there is nothing."""
    return getattr(planned, "imports", "")
