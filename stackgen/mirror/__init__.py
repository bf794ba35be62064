"""A directory that holds every file of locked environments, each checked, with a manifest of them all."""

from stackgen.mirror.collect import mirror
from stackgen.mirror.manifest import Mirror, missing
from stackgen.mirror.verify import Defect, verify

__all__ = ["Defect", "Mirror", "mirror", "missing", "verify"]
