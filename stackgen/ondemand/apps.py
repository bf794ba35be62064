"""Interactive apps of OnDemand as directories: manifest, form, submission, view and what runs on the node.

Of a site's values ERB reads the table of partitions alone, as literals of Ruby. What a user has chosen comes
by `choices.sh.erb`; all else is plain shell, plain YAML, or the same everywhere.
"""

from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from stackgen.inside.launcher.kernelspec import KERNELSPECS
from stackgen.inside.launcher.offer import Offer
from stackgen.jobs.quoting import Words
from stackgen.jobs.script import TEMPLATES as JOBS
from stackgen.jobs.starting import MODULE_STARTS
from stackgen.ondemand.form import form, table
from stackgen.ondemand.served import App
from stackgen.ondemand.texts import document, ruby
from stackgen.plan import Plan
from stackgen.tree import File, Tree

_HERE = PackageLoader("stackgen.ondemand", "templates")
_SHELL = JOBS.overlay(loader=ChoiceLoader([_HERE, *([JOBS.loader] if JOBS.loader else [])]))
_RUBY = Environment(
    loader=_HERE,
    undefined=StrictUndefined,
    finalize=ruby,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - HTML is not what comes out; `finalize` makes every value a literal
)
_SAME_EVERYWHERE = Path(__file__).parent / "fixed"
_ABOUT = {
    "jupyter": (
        "Jupyter",
        "fa://book",
        "Notebooks on a node of your own, with the kernels of all frameworks",
    ),
    "tensorboard": ("TensorBoard", "fa://chart-line", "TensorBoard on a node of your own"),
}


def app_tree(plan: Plan, app: App, found: tuple[Offer, ...]) -> Tree:
    """The directory of an app, to be copied as it is."""
    return _fixed(app) | Tree(
        {
            "manifest.yml": File(document(_manifest(plan, app))),
            "form.yml": File(document(form(plan, app, found))),
            "submit.yml.erb": File(_submission(plan, found)),
            "template/script.sh": File(_script(plan, app), 0o755),
        }
    )


def _fixed(app: App) -> Tree:
    """The files that are the same at every site."""
    root = _SAME_EVERYWHERE / app.kind
    shared = _SAME_EVERYWHERE / "both"
    paths = {path.relative_to(base): path for base in (shared, root) for path in sorted(base.rglob("*"))}
    return Tree(
        {
            str(relative).removesuffix(".txt"): File(path.read_text(encoding="utf-8"))
            for relative, path in paths.items()
            if path.is_file()
        }
    )


def _manifest(plan: Plan, app: App) -> dict[str, str]:
    title, icon, what = _ABOUT[app.kind]
    return {
        "name": f"{title} ({plan.namespace})",
        "category": "Interactive Apps",
        "subcategory": "Servers",
        "icon": icon,
        "role": "batch_connect",
        "description": f"{what}, from the release {plan.release} of {plan.namespace}.",
    }


def _submission(plan: Plan, found: tuple[Offer, ...]) -> str:
    scheduler = plan.system.scheduler
    return _RUBY.get_template(f"submit_{scheduler.kind}.yml.erb.j2").render(
        partitions=table(found), gres=scheduler.gpus
    )


def _script(plan: Plan, app: App) -> str:
    return _SHELL.get_template(f"{app.kind}.sh.j2").render(
        scheduler=plan.system.scheduler.kind,
        servers=app.servers,
        modules=f"{plan.place}/modules/Core",
        module=Words('"$module"'),
        kernels=str(Path(plan.place, KERNELSPECS).parent),
        inits=MODULE_STARTS,
    )
