"""The test of a staged release: through its modules, by a user's means, with a report that stays in it."""

from stackgen.lmod import lmod_start
from stackgen.smoke.stage import site_scripts, smoke

__all__ = ["lmod_start", "site_scripts", "smoke"]
