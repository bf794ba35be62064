"""A directory that holds every file of locked environments, each checked, with a manifest of them all."""

from stackgen.mirror.collect import mirror
from stackgen.mirror.flaws import Flaw, flaws
from stackgen.mirror.keep import keep
from stackgen.mirror.manifest import Mirror, missing
from stackgen.mirror.verify import Defect, verify

__all__ = ["Defect", "Flaw", "Mirror", "flaws", "keep", "mirror", "missing", "verify"]
