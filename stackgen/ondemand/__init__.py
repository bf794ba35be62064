"""What Open OnDemand's admin copies: templates for its Job Composer, and interactive apps."""

from stackgen.ondemand.notes import ondemand_notes
from stackgen.ondemand.release import ondemand_tree

__all__ = ["ondemand_notes", "ondemand_tree"]
