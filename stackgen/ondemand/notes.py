"""What a site that has Open OnDemand should know of what it gets."""

from stackgen.errors import Fault
from stackgen.jobs.script import SCHEDULERS
from stackgen.jobs.starting import launch
from stackgen.ondemand.served import apps
from stackgen.plan import Plan
from stackgen.release import InstalledFramework


def ondemand_notes(plan: Plan, frameworks: tuple[InstalledFramework, ...]) -> tuple[Fault, ...]:
    """Why there is no app; nothing where the system's file does not speak of OnDemand."""
    if plan.system.ondemand is None:
        return ()
    scheduler = plan.system.scheduler
    if scheduler.kind not in SCHEDULERS or not scheduler.partitions:
        what = f"Open OnDemand gets nothing: {plan.system.name} has no partitions of Slurm or LSF"
        return (Fault(what=what, remedy="name them in the system's file, below `scheduler`"),)
    if launch(plan)[0] == "jsrun":
        what = "Open OnDemand gets templates and no apps: under jsrun a job's script runs on no node of it"
        return (Fault(what=what, remedy="users start notebooks by hand"),)
    if "jupyter" in {app.kind for app in apps(plan, frameworks)}:
        return ()
    what = "Open OnDemand gets no Jupyter: no framework has a server"
    remedy = "add one below `frameworks`, such as `jupyterlab: {version: newest, from: wheels}`"
    return (Fault(what=what, remedy=remedy),)
