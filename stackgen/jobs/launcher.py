"""The launcher of a release, as a file that any machine with a Python from 3.6 on starts."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from stackgen import cuda
from stackgen.effects import root_variable
from stackgen.host import spoken
from stackgen.inside.launcher.description import DESCRIPTION
from stackgen.jobs.checks import is_distributed
from stackgen.jobs.offers import offers
from stackgen.jobs.quoting import words
from stackgen.jobs.starting import MODULE_STARTS, launch
from stackgen.modules import default_version
from stackgen.one_file import joined
from stackgen.plan import About, Plan
from stackgen.release import InstalledFramework
from stackgen.tree import File, Tree

_PACKAGE = Path(__file__).parents[1] / "inside" / "launcher"
_MODULES = (
    *("../ranks", "../rendezvous", "../threads"),
    *("words", "times", "offer", "deprecation", "description", "asking", "allocation", "slurm", "lsf"),
    *("kernelspec", "kernels"),
    *("running", "batching", "queueing", "rank"),
    *("surroundings", "listing", "overview", "importing", "whence", "portrait"),
    *("troubles", "troubles_release", "troubles_python", "troubles_paths", "troubles_gpu"),
    *("troubles_machine", "troubles_import", "doctor"),
    *("venv_record", "venv_scripts", "venv_activating", "venv_making", "venv_packages", "venv_installing"),
    *("venv_kernel", "venv", "command"),
)
"""In the order of their needs."""
_FIRST = ("words", "offer", "deprecation", "description", "surroundings", "command")
"""What every command needs; of all else, these import functions alone."""
_LATER = ("difflib", "hashlib", "shutil", "subprocess", "tempfile")
"""What takes long to import, and is seldom needed."""
_BEGINNING = """\
#!/bin/sh
''':'
# A shell reads this part: it finds a Python that is not led astray by what the user has set.
# Of srun's ranks it stays the parent. For srun ends with the largest status of all, and the ranks that it
# ends because one has failed would have 143; from here they get 1, and the one that failed is named.
watched= ended=
if [ "$1" = rank ] && [ "${{SLURM_STEP_NUM_TASKS:-1}}" -gt 1 ] &&
    [ -z "$OMPI_COMM_WORLD_SIZE$MPI_LOCALRANKID$PALS_RANKID" ]; then
    watched=yes
    trap ended=yes TERM
    trap : HUP INT USR1 USR2 # these go to every process of a step
fi
for python in /usr/bin/python3 python3 /usr/libexec/platform-python python {pythons}; do
    "$python" -I -S -c 'import sys; sys.exit(sys.version_info < (3, 6))' 2>/dev/null || continue
    [ "$watched" ] || exec "$python" -I -S "$0" "$@"
    exec 3>&2 2>/dev/null # what the shell itself says of signals is not to be seen
    /bin/sh -c 'exec "$@" 2>&3 3>&-' sh "$python" -I -S "$0" "$@"
    status=$?
    [ $status = 0 ] && exit 0
    [ $status = 143 ] && sleep 1 # ours may still be on its way
    [ "$ended" ] && exit 1
    how="ended with status $status"
    [ $status -gt 128 ] && how="was ended by SIG$(kill -l $((status - 128)))"
    echo "rank $SLURM_PROCID of $SLURM_STEP_NUM_TASKS on $SLURMD_NODENAME $how" >&3
    exit $status
done
[ "$ended" ] && exit 1
echo "$0: there is no Python from 3.6 on here" >&2
exit 127
'''

__doc__ = "Run programs as jobs: `{namespace} --help`."

"""
_END = """

if __name__ == "__main__":
    sys.exit(main(os.path.realpath(__file__), sys.argv[1:]))
"""


def launcher_tree(plan: Plan, frameworks: tuple[InstalledFramework, ...]) -> Tree:
    """`bin/<namespace>`, and `share/launcher.json` with what it knows."""
    program = joined(_PACKAGE, _MODULES, _beginning(plan, frameworks), _END, later=_LATER, first=_FIRST)
    described = json.dumps(description(plan, frameworks), indent=1) + "\n"
    return Tree({f"bin/{plan.namespace}": File(program, 0o755), DESCRIPTION: File(described)})


def _beginning(plan: Plan, frameworks: tuple[InstalledFramework, ...]) -> str:
    pythons = (f"{framework.prefix}/bin/python" for framework in frameworks if framework.python)
    return _BEGINNING.format(pythons=words(tuple(pythons)), namespace=plan.namespace)


def description(plan: Plan, frameworks: tuple[InstalledFramework, ...]) -> dict[str, object]:
    """What the launcher knows of its system and its release: `stackgen.inside.launcher.description.Site`."""
    scheduler = plan.system.scheduler
    return {
        "namespace": plan.namespace,
        "release": plan.release,
        "environment": plan.environment,
        "prefix": plan.prefix,
        "extends": str(plan.extends.directory) if plan.extends else "",
        "system": spoken(plan.system.name),
        "site": plan.system.site or "",
        "unsupported": dict(plan.unsupported),
        "modules": f"{plan.place}/modules/Core",
        "lmod": MODULE_STARTS,
        "scheduler": scheduler.kind,
        "launch": launch(plan),
        "account": scheduler.account == "required",
        "gpus": scheduler.gpus,
        "queues": [offer._asdict() for offer in offers(plan.system)],
        "wheelhouse": plan.wheelhouse,
        "deprecations": [one._asdict() for one in plan.deprecations],
        "frameworks": [*_loadable(plan, frameworks)],
    }


def _loadable(plan: Plan, frameworks: tuple[InstalledFramework, ...]) -> Iterator[dict[str, object]]:
    planned = {framework.name: framework.about for framework in plan.frameworks}
    defaults = _defaults(plan, frameworks)
    for framework in frameworks:
        yield {
            **_about(planned[framework.name]),
            "name": framework.name,
            "version": framework.version,
            "module": framework.loaded_as(plan.namespace),
            "default": defaults[framework.module] == framework.version,
            "root": root_variable(plan.namespace, framework),
            "prefix": framework.prefix,
            "source": framework.source,
            "python": framework.python,
            "image": framework.image,
            **_gpus(plan, framework),
            "settings": framework.settings,
        }


def _about(about: About) -> dict[str, object]:
    return {
        "title": about.title,
        "summary": about.summary,
        "homepage": about.homepage,
        "features": about.features,
        "distributed": is_distributed(about),
    }


def _gpus(plan: Plan, framework: InstalledFramework) -> dict[str, object]:
    """The CUDA that a framework has; not known of others' images, nor of Spack's where it is the system's."""
    found = cuda.delivered(framework.packages)
    is_known = found or framework.source == "wheels" or not plan.system.accelerators
    return {"cuda": found if is_known else None, "driver": cuda.oldest_driver(found)}


def _defaults(plan: Plan, frameworks: tuple[InstalledFramework, ...]) -> Mapping[str, str]:
    """The version that each module is loaded with where none is named."""
    versions: dict[str, list[str]] = {}
    for framework in frameworks:
        versions.setdefault(framework.module, []).append(framework.version)
    return {module: default_version(plan, module, found) for module, found in versions.items()}
