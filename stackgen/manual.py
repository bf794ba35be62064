"""What `module help` tells of a framework: what it is, how to use it, what is inside, how to add to it."""

from collections import defaultdict
from itertools import zip_longest

from stackgen.effects import placeholders, release_variable, root_variable, shown
from stackgen.inside.threads import PLACEHOLDERS
from stackgen.plan import About, Plan
from stackgen.release import InstalledFramework
from stackgen.settings import decided

WIDTH = 78
"""Characters a line, so that nothing wraps in a terminal of 80."""

_SUBMIT = {
    "slurm": 'sbatch --wrap "module load {module} && srun python script.py"',
    "lsf": 'bsub "module load {module} && python script.py"',
}


def manual(plan: Plan, framework: InstalledFramework, about: About) -> str:
    """The help text of a framework's module."""
    module = framework.loaded_as(plan.namespace)
    sections = (
        _title(framework, about),
        _use(plan, framework, module),
        *((_inside(plan, framework),) if framework.image else ()),
        *((_extend(plan, framework, module),) if framework.python else ()),
        _lies(plan, framework),
        *((_sets(framework, about),) if framework.settings else ()),
        *((_packages(framework),) if framework.packages or not framework.image else ()),
    )
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def _title(framework: InstalledFramework, about: About) -> list[str]:
    summary = f": {about.summary}" if about.summary else ""
    lines = [f"{about.title} {framework.version}{summary}"]
    return [*lines, about.homepage] if about.homepage else lines


def _use(plan: Plan, framework: InstalledFramework, module: str) -> list[str]:
    lines = ["Use", f"  module load {module}"]
    if not framework.python:
        where = f"${root_variable(plan.namespace, framework)}/bin"
        if framework.image:
            where = f"${release_variable(plan.namespace)}/containers/{framework.name}/bin"
        return [*lines, "", f"Its programs lie in {where}."]
    lines.append("  python script.py")
    lines += _jobs(plan, framework, module)
    return [
        *lines,
        "",
        f"It has a Python {framework.python} of its own. Packages in ~/.local, in conda or in another",
        "virtual environment are not seen, nor is a PYTHONPATH set before loading;",
        "one that you set afterwards is.",
        *_builder(plan, framework),
    ]


def _inside(plan: Plan, framework: InstalledFramework) -> list[str]:
    """What is different in a container."""
    # The first is seen in every container.
    seen = ", ".join(dict.fromkeys(("/tmp", *plan.system.containers.binds)))  # noqa: S108
    return [
        "In a container",
        "Its programs run in an image, by Charliecloud; start them as any other,",
        f"also by mpirun and srun. Of this machine's files they see {seen},",
        "and find programs and libraries in the image alone. Any other program of the",
        "image, or of yours, runs there by",
        f"  {framework.module} PROGRAM [ARGUMENT]...",
    ]


def _jobs(plan: Plan, framework: InstalledFramework, module: str) -> list[str]:
    submit = _SUBMIT.get(plan.system.scheduler.kind)
    if submit is None:
        return []
    if not plan.system.scheduler.partitions:
        return ["as a job", f"  {submit.format(module=module)}"]
    run = f"{plan.namespace} run"
    return [
        "as a job of one process, and on two nodes",
        f"  {run} script.py",
        f"  {run} -N 2 script.py",
        f"{run} --help tells more. Job scripts, which run script.py or a check of their own:",
        f"  {plan.place}/jobs/{framework.name}",
    ]


def _builder(plan: Plan, framework: InstalledFramework) -> list[str]:
    built = any(planned.name == framework.name and planned.builds_python for planned in plan.wheels)
    return [f"Spack has built its Python for {plan.system.target}."] if built else []


def _extend(plan: Plan, framework: InstalledFramework, module: str) -> list[str]:
    venv = f"~/venvs/{framework.module}-{framework.version}"
    title = "Add packages of your own, or other versions, in a virtual environment on top"
    if framework.image:
        return [
            title,
            f"  module load {module}",
            f"  python -m venv --system-site-packages {venv}",
            f"  {framework.module} {venv}/bin/pip install PACKAGE",
            "and from then on, in every shell and job",
            f"  module load {module}",
            f"  {framework.module} {venv}/bin/python script.py",
            "Once activated, its python would be looked for outside of the container.",
        ]
    return [
        title,
        f"  module load {module}",
        f"  {plan.namespace} venv {venv}",
        f"  source {venv}/bin/activate",
        "  pip install PACKAGE",
        "and from then on, in every shell and job, loaded or not",
        f"  source {venv}/bin/activate",
        "or without that",
        f"  {venv}/bin/python script.py",
        "In tcsh and fish the file is called activate.csh and activate.fish.",
        f"{plan.namespace} venv --help tells of kernels, and how to move it to another release.",
    ]


def _lies(plan: Plan, framework: InstalledFramework) -> list[str]:
    root = f"  ${root_variable(plan.namespace, framework)} = {framework.prefix}"
    lines = ["Where it lies", root]
    if framework.image:
        lines = ["Where it lies", *([root] if framework.is_packed else []), f"  in {framework.image}"]
    return [*lines, f"  release {plan.release} of {plan.environment}"]


def _sets(framework: InstalledFramework, about: About) -> list[str]:
    """The settings by those whose they are, each as `module show` has it."""
    said = decided(about.said)
    origins: dict[str, list[str]] = defaultdict(list)
    for name, value in sorted(framework.settings.items()):
        origin = said[name].origin if name in said else "of the framework"
        origins[origin].append(f"  {name}={shown(value)}")
    lines = [line for origin in sorted(origins) for line in (origin, *origins[origin])]
    return ["Set where you have not set them yourself", *lines, *_placeholders(framework)]


def _placeholders(framework: InstalledFramework) -> list[str]:
    """What they stand for, of those that occur."""
    return [
        f"{{{name}}} stands for {meaning} in a job; elsewhere it is not set."
        for name, meaning in PLACEHOLDERS.items()
        if any(name in placeholders(value) for value in framework.settings.values())
    ]


def _packages(framework: InstalledFramework) -> list[str]:
    entries = [f"{name} {version}" for name, version in sorted(framework.packages.items())]
    built = ", built by Spack" if framework.source == "spack" else ""
    return [f"Packages ({len(entries)}{built})", *columns(entries, WIDTH)]


def columns(entries: list[str], width: int) -> list[str]:
    """The entries read down, then right, in as many even columns as fit."""
    widest = max((len(entry) for entry in entries), default=0) + 2
    count = max(1, (width - 2) // widest)
    height = -(-len(entries) // count)
    stacks = [entries[start : start + height] for start in range(0, len(entries), height or 1)]
    rows = zip_longest(*stacks, fillvalue="")
    return ["  " + "".join(entry.ljust(widest) for entry in row).rstrip() for row in rows]
