"""What a prefix holds that nobody needs any more, found and removed; who needs what is told."""

from stackgen.gc.collecting import Collected, collect
from stackgen.gc.keeping import Choice, all_releases
from stackgen.gc.pinned import pin, pins
from stackgen.gc.things import Thing

__all__ = ["Choice", "Collected", "Thing", "all_releases", "collect", "pin", "pins"]
