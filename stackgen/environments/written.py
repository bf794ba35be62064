"""The files of Spack below `spack/`, usable by hand with plain `spack -e spack/<environment>`."""

from collections.abc import Mapping

from stackgen.environments.documents import Document, document
from stackgen.environments.packages import packages
from stackgen.environments.recipes import recipe_tree
from stackgen.environments.roots import SpackEnvironment, python_environment, spack_environments
from stackgen.environments.settings import concretizer, config, modules, repos
from stackgen.plan import Plan
from stackgen.tree import File, Tree


def environment_tree(plan: Plan) -> Tree:
    """`spack/<environment>/spack.yaml`, the configuration that all include, and our recipes.

    Empty where the plan needs no Spack. It names no place of its own, so it can be moved.
    """
    environments = spack_environments(plan)
    if not environments:
        return Tree()
    head = f"Written by stackgen for {plan.environment} on {plan.system.name}: change its YAML file instead."
    own = {python_environment(version): _own_python(plan) for version in plan.pythons}
    own |= {one.name: _own_mpi(one.mpi) for one in environments if one.mpi}
    written = {
        f"{name}/spack.yaml": File(
            document(head, {"spack": {**_environment(environment), **own.get(name, {})}})
        )
        for environment in environments
        for name in (environment.name,)
    }
    for section, content in _sections(plan).items():
        name = section.rstrip(":")
        written[f"config/{name}.yaml"] = File(document(head, {section: content}))
    return (Tree(written) | recipe_tree().below("repos")).below("spack")


def _environment(environment: SpackEnvironment) -> Mapping[str, Document]:
    return {
        "concretizer": {"unify": True},
        "include": ["../config"],
        "specs": list(environment.specs),
        "view": False,
    }


def _own_python(plan: Plan) -> Mapping[str, Document]:
    """Built for the target, also where the system has that version."""
    own: Document = {"buildable": True, "require": [f"target={plan.system.target}"]}
    return {"packages": {"python:": own}}


def _own_mpi(spec: str) -> Mapping[str, Document]:
    """In the place of the toolchain's."""
    return {"packages": {"mpi:": {"require": [spec]}}}


def _sections(plan: Plan) -> Mapping[str, Document]:
    """The files of configuration by section; a colon at the end leaves nothing of what others configure."""
    return {
        "concretizer": concretizer(),
        "config": config(plan),
        "mirrors:": {},
        "modules": modules(plan),
        "packages": packages(plan),
        "repos": repos(),
    }
