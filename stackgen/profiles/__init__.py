"""What a site's login shells read, so that all of its users find the modules and the launcher."""

from stackgen.jobs.quoting import shell_templates
from stackgen.lmod import RC
from stackgen.plan import Plan
from stackgen.tree import File, Tree

SHELLS = ("sh", "csh", "fish")
"""`profile.sh` is for bash, zsh and other shells of POSIX, `profile.csh` for csh and tcsh."""


def profile_tree(plan: Plan) -> Tree:
    """`profile.sh` and the like of a release; they name what is current, whatever that will be."""
    templates, current = shell_templates("stackgen.profiles"), f"{plan.prefix}/current"
    places = {
        "core": f"{current}/modules/Core",
        "programs": f"{current}/bin",
        "rc": f"{current}/{RC}",
        "current": current,
    }
    return Tree(
        {
            f"profile.{shell}": File(templates.get_template(f"profile.{shell}.j2").render(**places))
            for shell in SHELLS
        }
    )
