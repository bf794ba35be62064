"""Packages of distributions that images stand on: locked by apt, put together without running any of them."""

from stackgen.distribution.base import base_sources
from stackgen.distribution.locking import lock_base
from stackgen.distribution.sources import archives

__all__ = ["archives", "base_sources", "lock_base"]
