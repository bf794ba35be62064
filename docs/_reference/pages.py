"""What stands in a page for a line such as `<!-- reference: environment -->`."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal

from _reference.commands import commands_page
from _reference.examples import Examples
from _reference.keys import keys_page, members_page
from _reference.launcher import launcher_page
from _reference.sites import sites_page
from stackgen.config import schema
from stackgen.config.schema import outline
from stackgen.model.framework import Feature
from stackgen.site import SiteFile

_FILES = Path(__file__).parents[2] / "environments"
_OURS = Path(__file__).parent / "samples"
_ENVIRONMENT = {
    "WheelsFramework": "A framework from wheels",
    "SpackFramework": "A framework from Spack",
    "ContainerFramework": "A framework in a container",
}
_SITE_EXAMPLE = {
    "wheels": {
        "index": "https://index.site.example/simple",
        "extra-indexes": ["https://lab.site.example/simple"],
        "directories": ["/srv/wheels"],
    },
    "sources": {"mirrors": ["/srv/sources", "https://sources.site.example"], "upstream": "yes"},
    "images": {
        "registries": {"docker.io": "registry.site.example/mirror"},
        "insecure": ["localhost:5000"],
    },
    "distributions": {
        "debian": {
            "mirrors": ["https://debian.site.example/debian"],
            "keyring": "/usr/share/keyrings/debian-archive-keyring.gpg",
        }
    },
}


def _of_schema(
    kind: Literal["environment", "system"], files: Iterable[Path], titles: Mapping[str, str]
) -> str:
    written = json.loads(schema(kind))
    return keys_page(kind, written, Examples(written, files, [{"include": "common.yaml"}]), titles)


def _files(directory: str) -> Iterable[Path]:
    return [path for place in (_OURS, _FILES) for path in (place / directory).glob("*.yaml")]


def _environment() -> str:
    return _of_schema("environment", _files("."), _ENVIRONMENT)


def _system() -> str:
    return _of_schema("system", _files("systems"), {})


def _site() -> str:
    written = outline(SiteFile)
    return keys_page("site", written, Examples(written, (), [_SITE_EXAMPLE]), {})


def _features() -> str:
    return members_page(Feature)


PAGES: Mapping[str, Callable[[], str]] = {
    "commands": commands_page,
    "environment": _environment,
    "features": _features,
    "launcher": launcher_page,
    "site": _site,
    "sites": sites_page,
    "system": _system,
}
"""By their names."""
