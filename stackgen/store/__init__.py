"""Spack environments, built from a mirror alone into one install tree below an environment's prefix."""

from stackgen.store.cache import Cache, open_cache
from stackgen.store.fitting import unfit
from stackgen.store.installing import install
from stackgen.store.opening import open_store
from stackgen.store.place import Store, tree_below
from stackgen.store.whole import is_installed

__all__ = ["Cache", "Store", "install", "is_installed", "open_cache", "open_store", "tree_below", "unfit"]
