"""The pages as files: HTML that holds its style and its script, and asks for nothing else."""

import base64
import hashlib
from collections.abc import Sequence
from functools import partial
from importlib.resources import files
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from stackgen.catalog.choices import choices, older_modules, releases_with, searched
from stackgen.catalog.picture import picture
from stackgen.catalog.values import SOURCES, UNKNOWN, Catalog, FrameworkPage, ReleasePage
from stackgen.host import THIS, spoken
from stackgen.jobs.script import counted
from stackgen.tree import File, Tree

STANDING = ("<!-- standing -->", "<!-- /standing -->")
"""What is between them in a page tells whether its release is current: it changes when that is gone."""
TOOLCHAIN = {
    "compiler": "Compiler",
    "mpi": "MPI",
    "math": "Math library",
    "cuda": "CUDA",
    "base": "Base of containers",
}

TEMPLATES = Environment(
    loader=PackageLoader("stackgen.catalog", "templates"),
    undefined=StrictUndefined,
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
TEMPLATES.filters["part"] = lambda text: quote(text, safe="")
"""A text as a part of a link."""
TEMPLATES.filters |= {"counted": counted, "spoken": spoken}
TEMPLATES.globals |= {
    "sources": SOURCES,
    "toolchain": TOOLCHAIN,
    "this": THIS,
    "unknown": UNKNOWN,
    "standing": tuple(map(Markup, STANDING)),
}


def site_tree(catalog: Catalog, kept: Sequence[str] = ()) -> Tree:
    """`index.html`, and `releases/<release>/` with a page of its own and one for each framework.

    `kept` are releases of which there are pages alone.
    """
    files = {"index.html": _overview(catalog, kept)}
    for release in catalog.releases:
        place = f"releases/{release.name}"
        files[f"{place}/index.html"] = _release(catalog, release)
        for framework in release.frameworks:
            files[f"{place}/frameworks/{framework.name}.html"] = _framework(catalog, release, framework)
    return Tree({path: File(text) for path, text in files.items()})


def _overview(catalog: Catalog, kept: Sequence[str]) -> str:
    return _page(
        "overview.html.j2",
        catalog,
        up="",
        release=catalog.current,
        older=older_modules(catalog),
        choices=choices(catalog),
        searched=searched(catalog),
        with_module=partial(releases_with, catalog),
        kept=kept,
        **_hierarchy(catalog.current),
    )


def _release(catalog: Catalog, release: ReleasePage) -> str:
    return _page("release.html.j2", catalog, up="../../", release=release, **_hierarchy(release))


def _framework(catalog: Catalog, release: ReleasePage, framework: FrameworkPage) -> str:
    now = [one for one in catalog.current.frameworks if one.name == framework.name]
    return _page(
        "framework.html.j2",
        catalog,
        up="../../../",
        release=release,
        framework=framework,
        now=now[0] if now and not release.current else None,
        core=f"{catalog.prefix}/current/modules/Core",
    )


def _hierarchy(release: ReleasePage) -> dict[str, object]:
    modules = [one.module for one in release.frameworks]
    whole = len(release.levels) > 1 or release.levels[0].modules
    return {"picture": picture(modules, release.levels) if whole else None}


def _page(template: str, catalog: Catalog, **values: object) -> str:
    return TEMPLATES.get_template(template).render(
        catalog=catalog,
        title=_title(catalog),
        style=Markup(STYLE),  # noqa: S704 - our own file, which holds no `<`
        script=Markup(SCRIPT),  # noqa: S704 - the same
        policy=POLICY,
        **values,
    )


def _title(catalog: Catalog) -> str:
    return f"AI software on {spoken(catalog.current.system)}"


def _asset(name: str) -> str:
    return files("stackgen.catalog").joinpath("templates", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


STYLE, SCRIPT = _asset("style.css"), _asset("page.js")
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_hash(STYLE)}'; script-src 'sha256-{_hash(SCRIPT)}'; "
    "base-uri 'none'; form-action 'none'"
)
"""What a browser lets a page do: what it holds itself, and nothing that somebody may have put into it."""
