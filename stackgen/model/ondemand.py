"""What Open OnDemand knows of a system."""

from typing import Annotated

from stackgen.model.base import Strict
from stackgen.model.rules import matching, shown

_CLUSTER = r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$"

ClusterName = Annotated[
    str,
    matching(
        _CLUSTER, "name of a cluster in OnDemand", "write that of its file in /etc/ood/config/clusters.d"
    ),
    shown("NAME", pattern=_CLUSTER),
]


class OnDemand(Strict):
    """What a site's Open OnDemand calls its parts."""

    cluster: ClusterName
    """Its cluster: the file in `/etc/ood/config/clusters.d`, without `.yml`."""
