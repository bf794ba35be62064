"""The system as a site's Open OnDemand knows it."""

from stackgen.model import System
from stackgen.ondemand.texts import plain_name


def cluster_name(system: System) -> str:
    """What the system's file says, else its name as a file in `clusters.d` may have it."""
    if system.ondemand:
        return system.ondemand.cluster
    return plain_name(system.name).lower() or "cluster"
