"""What the modules of versions do that users should leave: tell, or refuse to be loaded."""

import re

from stackgen.effects import variable_name
from stackgen.inside.launcher.deprecation import Deprecation, deprecation_sentence
from stackgen.lua import Source, call, literal
from stackgen.lua_templates import TEMPLATES

_BEGINS = Source("-- What the site says of this version: it depends on the day.")
_ENDS = Source("-- That is what the site says.")
_GONE = "-- Nothing of it is here;"
_ANYTIME, _NEVER = "9999-12-31", "0001-01-01"


def guarded(text: str, module: str, said: Deprecation | None) -> str:
    """The text of a module, with what is said of it now in the place of what was said before."""
    own = re.sub(rf"^{re.escape(_BEGINS)}\n.*^{re.escape(_ENDS)}\n", "", text, flags=re.DOTALL | re.MULTILINE)
    return _guard(module, said) + own if said else own


def _guard(module: str, said: Deprecation) -> str:
    namespace = module.partition("/")[0]
    plain = re.sub(r"[^A-Za-z0-9_.+-]", "-", module.partition("/")[2])
    return TEMPLATES.get_template("deprecation.lua.j2").render(
        BEGINS=_BEGINS,
        ENDS=_ENDS,
        withdrawn=said.state == "withdrawn",
        on=said.on,
        before=deprecation_sentence(said, module, _NEVER),
        after=deprecation_sentence(said, module, _ANYTIME),
        directory=f"/{namespace}/told",
        stamp=f"/{plain}",
        marker=f"__{variable_name(namespace)}_TOLD_{variable_name(plain)}",
    )


def hiding(module: str, said: Deprecation | None) -> tuple[Source, ...]:
    """The line for a `.modulerc.lua` that hides what is withdrawn, from its day on; nothing for others."""
    if said is None or said.state != "withdrawn":
        return ()
    hide = call("hide_version", module)
    return (Source(f'if os.date("%Y-%m-%d") >= {literal(said.on)} then {hide} end'),)


def is_gone(text: str) -> bool:
    """Whether a module file stands for a version that its release does not have."""
    return f"\n{_GONE}" in text
