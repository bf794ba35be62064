"""What the admin of a site's Open OnDemand gets, in `ondemand/<site>/`: the apps, and one template.

The packages of the frameworks are made up, since what is locked is of no matter here.
"""

from pathlib import Path

import jobs

from stackgen import files
from stackgen.ondemand import ondemand_tree
from stackgen.tree import Tree

OUT = Path(__file__).parent / "ondemand"
SITES = {"perlmutter": "tensorflow"}
"""Each with the framework that serves its apps."""
_PACKAGES = {"jupyterlab": "4.4.10", "jupyter-server": "2.17.0", "tensorboard": "2.20.0"}


def rendered(site: str) -> Tree:
    """The apps of a site, and the first of its templates."""
    asked = jobs.planned(site)
    (framework,) = jobs.frameworks(asked, (SITES[site],))
    tree = ondemand_tree(asked, (framework.model_copy(update={"packages": _PACKAGES}),))
    templates = [path for path in tree if "/templates/" in path]
    kept = {path: file for path, file in tree.items() if path not in templates[2:]}
    return Tree(kept)


def regenerate() -> None:
    """Write what stackgen makes now in place of what it should make."""
    for site in SITES:
        files.remove(OUT / site)
        files.write_tree(rendered(site), OUT / site)


if __name__ == "__main__":
    regenerate()
