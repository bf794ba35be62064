"""A directory that holds every file of locked environments, each checked, with a manifest of them all."""

from stackgen.mirror.collect import mirror, take
from stackgen.mirror.flaws import Flaw, flaws
from stackgen.mirror.keep import Content, keep, put
from stackgen.mirror.lacking import IncompleteError, Lacking
from stackgen.mirror.manifest import Mirror
from stackgen.mirror.prune import prune
from stackgen.mirror.signature import Demand, check_signature, refuse_unsigned, sign
from stackgen.mirror.upstream import BlobSource, Upstream
from stackgen.mirror.verify import Defect, verify
from stackgen.mirror.wanted import Wanted

__all__ = [
    "BlobSource",
    "Content",
    "Defect",
    "Demand",
    "Flaw",
    "IncompleteError",
    "Lacking",
    "Mirror",
    "Upstream",
    "Wanted",
    "check_signature",
    "flaws",
    "keep",
    "mirror",
    "prune",
    "put",
    "refuse_unsigned",
    "sign",
    "take",
    "verify",
]
