"""What Spack is told at the far side: its own places, one mirror, our recipes, nothing to fetch."""

from collections.abc import Mapping
from pathlib import Path

from stackgen.environments import environment_tree
from stackgen.environments.documents import Document, document
from stackgen.environments.recipes import NAMESPACE
from stackgen.environments.settings import PADDED_LENGTH
from stackgen.lock import Lock
from stackgen.mirror import Mirror
from stackgen.plan import Plan
from stackgen.store.place import PROJECTION, Store
from stackgen.tree import File, Tree

_OURS = ("config", "mirrors", "repos")
"""Sections that say at the far side what a generated tree, which names no place, cannot."""


def store_tree(plan: Plan, lock: Lock, mirror: Mirror, store: Store, *, locks: bool) -> Tree:
    """The files below `Store.root`: a configuration, and every Spack environment with its lock, verbatim.

    `locks` says whether the file system has any.
    """
    generated = environment_tree(plan)
    dropped = {f"spack/config/{section}.yaml" for section in _OURS}
    environments = {
        path.removeprefix("spack/"): file for path, file in generated.items() if path not in dropped
    }
    solved = {f"{one.name}/spack.lock": File(one.text) for one in lock.spack}
    return Tree({**environments, **solved}).below("environments") | _configuration(mirror, store, locks=locks)


def _configuration(mirror: Mirror, store: Store, *, locks: bool) -> Tree:
    head = "Written by stackgen for its own builds; read by no other Spack."
    return Tree(
        {
            f"config/{section.rstrip(':')}.yaml": File(document(head, {section: content}))
            for section, content in _sections(mirror, store, locks=locks).items()
        }
    )


def _sections(mirror: Mirror, store: Store, *, locks: bool) -> Mapping[str, Document]:
    recipes = store.root / "environments/repos/spack_repo" / NAMESPACE
    return {
        # Switched off altogether, Spack could not relocate what it takes from a build cache.
        "bootstrap": {
            "enable": True,
            "root": str(store.root / "bootstrap"),
            "sources:": [],
            "trusted:": {},
        },
        "config": {**_config(store), "locks": locks},
        "mirrors:": _mirrors(mirror, store),
        "repos:": {NAMESPACE: str(recipes), "builtin": str(store.home.packages)},
        **({"upstreams:": {"site": {"install_tree": str(store.upstream)}}} if store.upstream else {}),
    }


def _mirrors(mirror: Mirror, store: Store) -> Mapping[str, Document]:
    sources = (mirror.root / "sources").resolve()
    kit: Document = {"url": sources.as_uri(), "source": True, "binary": False}
    if not store.cache:
        return {"kit": kit}
    url = store.cache.directory.resolve().as_uri()
    return {"cache": {"url": url, "source": False, "binary": True, "signed": False}, "kit": kit}


def _config(store: Store) -> Mapping[str, Document]:
    return {
        "build_stage:": [str(store.workplace)],
        "ccache": False,
        "checksum": True,
        "install_tree": {
            "padded_length": PADDED_LENGTH,
            "projections:": {"all": PROJECTION},
            "root": str(store.prefix / "store"),
        },
        "license_dir": str(store.root / "licenses"),
        "misc_cache": str(store.index),
        "source_cache": str(store.root / "cache/sources"),
        "test_stage": str(store.root / "tests"),
    }


def furniture() -> tuple[Path, ...]:
    """The directories, below `Store.root`, that have to be there before Spack starts."""
    return tuple(Path(name) for name in ("cache", "home", "logs", "tools"))
