"""The smaller problem that Spack is given has the same best solution as the whole one."""

from pathlib import Path

import pytest
import yaml

from stackgen.run import LoggedRunner
from stackgen.spack import SpackHome
from stackgen.spack.driver import Host, Solved, Spack, solve
from stackgen.spack.graph import graph

pytestmark = pytest.mark.spack

OPTION = "variant('more', default=False, description='More.')"
LONE = ("depends_on('lone-{0}', when='+more')", "depends_on('end', when='+more')")
RECIPES = {
    "end": (),
    # A choice of rules, one of which holds for the default.
    "choice": (OPTION, LONE[0], "requires('@2', '~more', policy='one_of')"),
    # The same by the configuration.
    "setting": (OPTION, LONE[0]),
    # A default that version 2 does not have.
    "default": (
        "variant('more', default='a', values=(conditional('a', when='@1'), 'b'), description='More.')",
        "depends_on('lone-{0}', when='more=b')",
    ),
    # What is asked for comes in another way too, with a worse version.
    "wanted": ("depends_on('end', when='@1')", "depends_on('middle', when='@2')"),
    "middle": (OPTION, *LONE),
    "ruled": (OPTION, *LONE, "requires('^end')", "depends_on('end', when='@1')"),
    "direct": (OPTION, *LONE, "depends_on('end', when='@1')", "depends_on('between')"),
    "between": ("depends_on('end')",),
}
"""Directives by package. Where `lone-*` is not to be had, version 1 is the best."""
ROOTS = ("choice", "setting", "default", "wanted ^end", "ruled", "direct %end")


def write_recipes(repository: Path) -> None:
    lone = {f"lone-{name}": () for name in RECIPES}
    for name, directives in (RECIPES | lone).items():
        title = "".join(word.capitalize() for word in name.split("-"))
        head = ['"""A package of nothing."""', "has_code = False", "build_system('generic')"]
        lines = [*head, "version('2')", "version('1')", *(text.format(name) for text in directives)]
        imports = "import spack.package\nfrom spack.package import *\n\n"
        text = f"{imports}class {title}(spack.package.PackageBase):\n"
        file = repository / "packages" / name.replace("-", "_") / "package.py"
        file.parent.mkdir(parents=True)
        file.write_text(text + "".join(f"    {line}\n" for line in lines))
    (repository / "repo.yaml").write_text("repo:\n  namespace: small\n  api: v2.2\n")


def test_what_only_another_value_gives_is_still_chosen(spack: SpackHome, run: LoggedRunner, tmp_path: Path):
    """Plain Spack takes version 2 of each, with the value that is not the default."""
    repository = tmp_path / "spack_repo/small"
    write_recipes(repository)
    compiler = {
        "spec": "gcc@12.3.0 languages=c,c++",
        "prefix": "/usr",
        "extra_attributes": {"compilers": {"c": "/usr/bin/gcc", "cxx": "/usr/bin/g++"}},
    }
    content = {
        "specs": list(ROOTS),
        "view": False,
        "concretizer": {"reuse": False, "unify": True},
        "repos": {"small": str(repository)},
        "packages": {
            "gcc": {"buildable": False, "externals": [compiler]},
            "setting": {"require": [{"one_of": ["@2", "~more"]}]},
        },
    }
    (tmp_path / "spack.yaml").write_text(yaml.safe_dump({"spack": content}))
    host = Host(os="sles15", target="zen3", glibc="2.31")
    tool = Spack(home=spack, run=run, scratch=tmp_path / "scratch")
    (answer,) = solve({"small": tmp_path}, host, tool)
    assert isinstance(answer, Solved), answer
    chosen = {node.name: node for node in graph(answer.lock_text).nodes.values()}
    values = {name: (chosen[name].version, chosen[name].parameters.get("more")) for name in RECIPES}
    assert values == {
        "end": ("2", None),
        "choice": ("2", True),
        "setting": ("2", True),
        "default": ("2", "b"),
        "wanted": ("2", None),
        "middle": ("2", True),
        "ruled": ("2", True),
        "direct": ("2", True),
        "between": ("2", None),
    }
