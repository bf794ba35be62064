"""From YAML files to a validated environment and its system; every fault has its place."""

from stackgen.config.load import Loaded, load, load_model, load_system
from stackgen.config.schema import schema

__all__ = ["Loaded", "load", "load_model", "load_system", "schema"]
