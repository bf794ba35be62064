"""All that a release has for Open OnDemand."""

from stackgen.inside.launcher.offer import Offer
from stackgen.jobs import offers
from stackgen.jobs.script import SCHEDULERS
from stackgen.ondemand.apps import app_tree
from stackgen.ondemand.cluster import cluster_name
from stackgen.ondemand.composer import template_tree
from stackgen.ondemand.served import apps
from stackgen.plan import Plan
from stackgen.release import InstalledFramework
from stackgen.tree import File, Tree

PLACE = "share/ondemand"
"""Where a release has it."""

_README = """\
For the admin of Open OnDemand. Copy these directories as they are, or link to those below
{prefix}/current/{place}: then OnDemand offers each release from its publication on.

    apps/*         /var/www/ood/apps/sys/
    templates/*    /etc/ood/config/apps/myjobs/templates/

They are for the cluster `{cluster}`, the name of a file in /etc/ood/config/clusters.d. Where yours is called
otherwise, write `ondemand: {{cluster: NAME}}` into the system's file, and give the release a new name.

The apps are reached at /node/HOST/PORT, so `host_regex` and `node_uri` have to be set in ood_portal.yml.
"""


def ondemand_tree(plan: Plan, frameworks: tuple[InstalledFramework, ...]) -> Tree:
    """Directories to copy; nothing where there are no job scripts for the system's scheduler."""
    found: tuple[Offer, ...] = offers(plan.system)
    if plan.system.scheduler.kind not in SCHEDULERS or not found:
        return Tree()
    tree = template_tree(plan, frameworks).below("templates")
    for app in apps(plan, frameworks):
        tree |= app_tree(plan, app, found).below(f"apps/{app.directory}")
    readme = Tree(
        {"README": File(_README.format(prefix=plan.prefix, place=PLACE, cluster=cluster_name(plan.system)))}
    )
    return (tree | readme).below(PLACE)
