"""What Jupyter gets of a site's frameworks, in `kernelspecs/<site>/`: all but what kernels run."""

from pathlib import Path

import jobs

from stackgen import files
from stackgen.notebooks import kernel_tree
from stackgen.tree import Tree

OUT = Path(__file__).parent / "kernelspecs"
SITES = {"perlmutter": "tensorflow"}
_PACKAGES = {"ipykernel": "7.4.0"}


def rendered(site: str) -> Tree:
    """The kernelspec of a site's framework, whose packages are of no matter here."""
    asked = jobs.planned(site)
    (framework,) = jobs.frameworks(asked, (SITES[site],))
    tree = kernel_tree(asked, (framework.model_copy(update={"packages": _PACKAGES}),))
    return Tree({path: file for path, file in tree.items() if "/kernels/" in path})


def regenerate() -> None:
    """Write what stackgen makes now in place of what it should make."""
    for site in SITES:
        files.remove(OUT / site)
        files.write_tree(rendered(site), OUT / site)


if __name__ == "__main__":
    regenerate()
