"""What `hpai` says of itself, on the small cluster that comes with stackgen."""

import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

from stackgen.config import load
from stackgen.inside.launcher.command import COMMANDS, launch
from stackgen.inside.launcher.description import Site, site_from
from stackgen.jobs.launcher import description
from stackgen.plan import Plan, plan
from stackgen.release import InstalledFramework

_SITE = Path(__file__).parents[2] / "environments/training.yaml"


def launcher_page() -> str:
    """Markdown with a heading for each command."""
    site = _site()
    return "\n\n".join(_commands(site)) + "\n"


def _commands(site: Site) -> Iterator[str]:
    for name, entry in COMMANDS.items():
        title = f"{site.namespace} {name}"
        yield f"({title.replace(' ', '-')})=\n\n## {title}\n\n{entry[2][0].upper()}{entry[2][1:]}."
        yield f"```text\n{_said(site, name, '--help')}```"


def _said(site: Site, *words: str) -> str:
    said = io.StringIO()
    with redirect_stdout(said):
        launch(site, words)
    return said.getvalue()


def _site() -> Site:
    loaded = load(_SITE)
    asked = plan(loaded.environment, loaded.system)
    return site_from(description(asked, _installed(asked)), "/site/bin/hpai")


def _installed(asked: Plan) -> tuple[InstalledFramework, ...]:
    return tuple(
        InstalledFramework(
            name=one.name,
            module=one.about.module,
            version=str(one.about.version),
            prefix=f"/site/pythons/{one.name}",
            python="3.11",
            packages={},
            settings=dict(one.about.settings),
        )
        for one in asked.frameworks
    )
