"""Who may use a prefix's store, and with what: the choice of the sandbox and of what it shows."""

import re
import sys
import sysconfig
from pathlib import Path

from stackgen.mirror import Mirror
from stackgen.plan import Plan
from stackgen.programs import patchelf_program
from stackgen.run import Runner, succeed
from stackgen.sandbox import Sandbox, choose, is_emptied
from stackgen.spack.home import SpackHome
from stackgen.store.cache import Cache
from stackgen.store.machine import login_shell
from stackgen.store.place import Store, upstream_of

_MODULE_VARIABLES = "MODULESHOME|MODULEPATH(_ROOT)?|LOADEDMODULES|_LMFILES_|(LMOD|MODULES)_[A-Za-z_]+"
_STACKGEN = Path(__file__).parents[1]


def open_store(  # noqa: PLR0913, PLR0917 - the stages share the order of their arguments
    plan: Plan,
    mirror: Mirror,
    home: SpackHome,
    run: Runner,
    sandbox: Sandbox | None,
    cache: Cache | None = None,
    scratch: Path | None = None,
) -> Store:
    """The store below a plan's prefix; WorkError where the machine allows no such sandbox."""
    shown = (
        *(mirror.root, home.spack.parent, patchelf_program(), _STACKGEN.parent),
        *(Path(sys.prefix), Path(sys.base_prefix), Path(sysconfig.get_path("stdlib"))),
        *(Path(one.prefix) for one in (*plan.system.compilers, *plan.system.externals)),
        *((Path(plan.extends.prefix),) if plan.extends else ()),
    )
    return Store(
        prefix=Path(plan.prefix),
        home=home,
        run=run,
        sandbox=choose(sandbox, run),
        readable=tuple(path for path in dict.fromkeys(shown) if _is_hidden(path)),
        cache=cache,
        scratch=scratch,
        upstream=upstream_of(plan),
        modules=_module_variables(run) if any(one.modules for one in plan.system.externals) else {},
    )


def _module_variables(run: Runner) -> dict[str, str]:
    """What `module` needs in the environment, as a new login shell has it: externals may name modules."""
    outcome = succeed(run, login_shell("env -0"), "no login shell can be started")
    pairs = (entry.partition("=") for entry in outcome.stdout.split("\0"))
    return {name: text for name, _, text in pairs if re.fullmatch(_MODULE_VARIABLES, name)}


def _is_hidden(path: Path) -> bool:
    """Whether the sandbox would not show it; all the rest of the machine is there to be read."""
    return path.exists() and (is_emptied(path) or is_emptied(path.resolve()))
