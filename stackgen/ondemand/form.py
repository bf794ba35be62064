"""The form of an app: what of the system's partitions a user may choose, with OnDemand's dynamic limits."""

from stackgen.inside.launcher.offer import Offer, cores_beside
from stackgen.inside.launcher.times import clocked
from stackgen.jobs.script import counted
from stackgen.ondemand.cluster import cluster_name
from stackgen.ondemand.served import App
from stackgen.ondemand.texts import Value
from stackgen.plan import Plan

_DIRECTORIES = {
    "jupyter": ("Directory", "Where the notebooks are: below your home, or from / on. Empty: your home."),
    "tensorboard": ("Log directory", "What to look at: below your home, or from / on. Empty: your home."),
}
_GPUS = {"jupyter": 1, "tensorboard": 0}
"""As many as are usual on a node."""
_WEEK = 7 * 24
"""Hours that may be asked for where a partition has no limit: a slip of the pen is to be seen."""


def form(plan: Plan, app: App, found: tuple[Offer, ...]) -> dict[str, Value]:
    """`form.yml`: the cluster, and what is asked in order."""
    attributes: dict[str, Value] = {
        "framework": _framework(app),
        "job_partition": _partition(app, found),
        "bc_num_hours": {"label": "Hours", "value": 1, "min": 1, "max": max(map(_hours, found))},
        **_numbers(app, found),
        "bc_account": _account(plan),
        "directory": dict(zip(("label", "help"), _DIRECTORIES[app.kind], strict=True)),
    }
    return {"cluster": cluster_name(plan.system), "form": list(attributes), "attributes": attributes}


def _framework(app: App) -> Value:
    """A single one is no question."""
    first, *others = app.servers
    if not others:
        return first.framework
    options: list[Value] = [[server.label, server.framework] for server in app.servers]
    return {"label": "Framework", "widget": "select", "options": options, "value": first.framework}


def _partition(app: App, found: tuple[Offer, ...]) -> Value:
    usual = next((offer for offer in found if offer.default), found[0])
    options: list[Value] = [
        [label(offer), offer.name, *({key: value} for key, value in _limits(app, offer, found).items())]
        for offer in found
    ]
    return {"label": "Partition", "widget": "select", "options": options, "value": usual.name}


def label(offer: Offer) -> str:
    """A partition and its limits in words."""
    nodes = counted(offer.most, "node")
    parts = [nodes if offer.least == offer.most else f"{offer.least} to {nodes}"]
    parts += [counted(offer.cores, "core")] if offer.cores else []
    parts += [counted(offer.gpus, "GPU")] if offer.gpus else []
    parts += [f"{clocked(offer.seconds)} at most"] if offer.seconds else []
    return f"{offer.name}: {', '.join(parts)}"


def _limits(app: App, offer: Offer, found: tuple[Offer, ...]) -> dict[str, Value]:
    """What choosing a partition does to the fields beside it, by OnDemand's directives."""
    limits: dict[str, Value] = {
        "data-max-bc-num-hours": _hours(offer),
        "data-min-job-nodes": offer.least,
        "data-max-job-nodes": offer.most,
        "data-max-job-cores": offer.cores or max(one.cores for one in found),
        "data-max-job-gpus": offer.gpus,
        "data-set-job-gpus": min(offer.gpus, _GPUS[app.kind]),
    }
    if not offer.gpus:
        limits["data-hide-job-gpus"] = True
    asked = _numbers(app, found)
    return {key: value for key, value in limits.items() if _field(key) in {*asked, "bc_num_hours"}}


def _field(directive: str) -> str:
    return directive.split("-", 2)[2].replace("-", "_")


def _numbers(app: App, found: tuple[Offer, ...]) -> dict[str, Value]:
    """Fields for what some partition leaves open; TensorBoard has no use for a second node."""
    fields: dict[str, Value] = {}
    if app.kind == "jupyter" and any(offer.most > 1 for offer in found):
        least = min(offer.least for offer in found)
        fields["job_nodes"] = _number("Nodes", least, max(offer.most for offer in found), value=least)
    if (most := max(offer.cores for offer in found)) > 1:
        help_text = "Of each node. Empty: all, or with GPUs the share that goes with them."
        usual: dict[str, Value] = {} if app.kind == "jupyter" else {"value": min(most, 2)}
        fields["job_cores"] = _number("Cores", 1, most, help=help_text, **usual)
    if most := max(offer.gpus for offer in found):
        fields["job_gpus"] = _number("GPUs", 0, most, value=_GPUS[app.kind], help="Of each node.")
    return fields


def _number(label: str, least: int, most: int, **more: Value) -> Value:
    return {"label": label, "widget": "number_field", "min": least, "max": most, "step": 1, **more}


def _account(plan: Plan) -> Value:
    if plan.system.scheduler.account == "required":
        return {"label": "Account", "required": True, "help": "What the job is charged to."}
    return {"label": "Account", "help": "What the job is charged to. Empty: your usual one."}


def _hours(offer: Offer) -> int:
    """The whole hours that may be asked for; the job is no longer than its partition allows."""
    return -(-offer.seconds // 3600) or _WEEK


def table(found: tuple[Offer, ...]) -> dict[str, Value]:
    """What the submission looks up by partition: each number is kept within what it offers."""
    return {
        offer.name: {
            "kind": offer.kind,
            "queue": offer.queue,
            "nodes": [offer.least, offer.most],
            "cores": offer.cores,
            "gpus": offer.gpus,
            "shares": [cores_beside(offer, gpus) for gpus in range(offer.gpus + 1)],
            "seconds": offer.seconds,
            "options": list(offer.options),
        }
        for offer in found
    }
