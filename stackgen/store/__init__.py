"""Spack environments, built from a mirror alone into one install tree below an environment's prefix."""

from stackgen.store.cache import Cache, open_cache
from stackgen.store.fitting import has_locks, unfit
from stackgen.store.installing import Work, finish, install, is_done, told_of
from stackgen.store.opening import open_store
from stackgen.store.place import Store, tree_below
from stackgen.store.remainder import found_below, mirrors_below, remainder
from stackgen.store.together import (
    begin_together,
    common_locks,
    has_common_locks,
    install_beside_others,
    useful_nodes,
)
from stackgen.store.told import Told
from stackgen.store.whole import is_installed

__all__ = [
    "Cache",
    "Store",
    "Told",
    "Work",
    "begin_together",
    "common_locks",
    "finish",
    "found_below",
    "has_common_locks",
    "has_locks",
    "install",
    "install_beside_others",
    "is_done",
    "is_installed",
    "mirrors_below",
    "open_cache",
    "open_store",
    "remainder",
    "told_of",
    "tree_below",
    "unfit",
    "useful_nodes",
]
