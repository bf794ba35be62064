"""Spack environments, built from a mirror alone into one install tree below an environment's prefix."""

from stackgen.store.cache import Cache, open_cache
from stackgen.store.fitting import unfit
from stackgen.store.installing import install
from stackgen.store.opening import open_store
from stackgen.store.place import Store

__all__ = ["Cache", "Store", "install", "open_cache", "open_store", "unfit"]
