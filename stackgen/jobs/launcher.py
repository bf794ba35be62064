"""The launcher of a release, as a file that any machine with a Python from 3.6 on starts."""

import json
from pathlib import Path

from stackgen.effects import root_variable
from stackgen.jobs.checks import is_distributed
from stackgen.jobs.offers import offers
from stackgen.jobs.quoting import words
from stackgen.jobs.starting import MODULE_STARTS, launch
from stackgen.one_file import joined
from stackgen.plan import Plan
from stackgen.release import InstalledFramework
from stackgen.tree import File, Tree

_PACKAGE = Path(__file__).parents[1] / "inside" / "launcher"
_MODULES = (
    *("../ranks", "../rendezvous", "../threads"),
    *("words", "times", "offer", "description", "asking", "allocation", "slurm", "lsf"),
    *("running", "batching", "queueing", "rank", "command"),
)
"""In the order of their needs."""
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
    sh -c 'exec "$@" 2>&3 3>&-' sh "$python" -I -S "$0" "$@"
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
    program = joined(_PACKAGE, _MODULES, _beginning(plan, frameworks), _END)
    described = json.dumps(description(plan, frameworks), indent=1) + "\n"
    return Tree({f"bin/{plan.namespace}": File(program, 0o755), "share/launcher.json": File(described)})


def _beginning(plan: Plan, frameworks: tuple[InstalledFramework, ...]) -> str:
    pythons = (f"{framework.prefix}/bin/python" for framework in frameworks if framework.python)
    return _BEGINNING.format(pythons=words(tuple(pythons)), namespace=plan.namespace)


def description(plan: Plan, frameworks: tuple[InstalledFramework, ...]) -> dict[str, object]:
    """What the launcher knows of its system and its release: `stackgen.inside.launcher.description.Site`."""
    scheduler = plan.system.scheduler
    planned = {framework.name: framework.about for framework in plan.frameworks}
    return {
        "namespace": plan.namespace,
        "release": plan.release,
        "system": plan.system.name,
        "modules": f"{plan.place}/modules/Core",
        "lmod": MODULE_STARTS,
        "scheduler": scheduler.kind,
        "launch": launch(plan),
        "account": scheduler.account == "required",
        "gpus": scheduler.gpus,
        "queues": [offer._asdict() for offer in offers(plan.system)],
        "frameworks": [
            {
                "module": f"{plan.namespace}/{framework.module}/{framework.version}",
                "root": root_variable(plan.namespace, framework),
                "prefix": framework.prefix,
                "distributed": is_distributed(planned[framework.name]),
                "settings": framework.settings,
            }
            for framework in frameworks
        ],
    }
