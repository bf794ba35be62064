"""Templates of OnDemand's Job Composer: the job scripts of a release, each in a directory with its name."""

from stackgen.inside.launcher.offer import Offer
from stackgen.jobs import SHAPES, Shape, job_script, layout, offers
from stackgen.jobs.checks import is_distributed
from stackgen.jobs.script import size
from stackgen.ondemand.cluster import cluster_name
from stackgen.ondemand.texts import distinct, document, plain_name
from stackgen.plan import Plan
from stackgen.release import InstalledFramework
from stackgen.tree import File, Tree


def template_tree(plan: Plan, frameworks: tuple[InstalledFramework, ...]) -> Tree:
    """`<namespace>-<framework>-<partition>-<shape>/` with a manifest and the job script."""
    pairs = {
        f"{framework.name} {offer.name}": (framework, offer)
        for framework in frameworks
        for offer in offers(plan.system)
    }
    tree: dict[str, File] = {}
    for text, name in distinct(pairs).items():
        for shape in Shape:
            place = f"{plain_name(plan.namespace)}-{name}-{shape}"
            tree |= _template(plan, *pairs[text], shape).below(place)
    return Tree(tree)


def _template(plan: Plan, framework: InstalledFramework, offer: Offer, shape: Shape) -> Tree:
    """Nothing where the partition takes no job of this shape."""
    script = job_script(plan, framework, offer, shape)
    if not script:
        return Tree()
    file = f"{shape}.sh"
    manifest = document(_manifest(plan, framework, offer, shape) | {"script": file})
    return Tree({"manifest.yml": File(manifest), file: File(script, 0o755)})


def _manifest(plan: Plan, framework: InstalledFramework, offer: Offer, shape: Shape) -> dict[str, str]:
    """Its notes may be read as Markdown, so what others have written is in its name alone."""
    about = next(one.about for one in plan.frameworks if one.name == framework.name)
    fitted = layout(offer, shape, distributed=is_distributed(about))
    asked = f"{size(fitted)}." if fitted else ""
    account = " Name the account in the job's options." if plan.system.scheduler.account == "required" else ""
    return {
        "name": f"{about.title} {framework.version}: {SHAPES[shape]}, {offer.name}",
        "host": cluster_name(plan.system),
        "notes": f"{asked} As it is, it proves that the release works. To run a program of yours, write"
        f" a line such as 'set -- train.py --epochs 3' below the comments.{account}",
    }
