"""What kernels and engines of a release run, each one file for the frameworks' own Pythons."""

from pathlib import Path

from stackgen.effects import variable_name
from stackgen.jobs.script import SCHEDULERS
from stackgen.one_file import joined
from stackgen.plan import Plan
from stackgen.tree import File, Tree

PLACE = "share/notebooks"
"""Where a release has them."""
PROGRAM = f"{PLACE}/kernel.py"
"""What a kernel runs."""
_INSIDE = Path(__file__).parents[1] / "inside"
_END = '\n\nif __name__ == "__main__":\n    main(sys.argv[1:])\n'


def program_tree(plan: Plan, *, engines: bool) -> Tree:
    """`share/notebooks/`, with the module that starts engines where there is a scheduler to ask for nodes."""
    kernel = _joined(("threads", "notebooks/kernel"), "What a kernel of this release runs.", _END)
    if not engines or plan.system.scheduler.kind not in SCHEDULERS:
        return Tree({PROGRAM: kernel})
    name = engines_module(plan.namespace)
    starting = _joined(("launcher/offer", "notebooks/engines"), "Engines on nodes, for notebooks.")
    engine = _joined(("notebooks/engine",), "What an engine of this release runs.", _END)
    return Tree({PROGRAM: kernel, f"{PLACE}/engine.py": engine, f"{PLACE}/modules/{name}.py": starting})


def engines_module(namespace: str) -> str:
    """What notebooks import to start engines, such as hpai_engines."""
    return f"{variable_name(namespace).lower()}_engines"


def _joined(modules: tuple[str, ...], about: str, end: str = "") -> File:
    return File(joined(_INSIDE, modules, f'"""{about}"""\n\n', end))
