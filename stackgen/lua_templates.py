"""The templates of module files."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from stackgen.lua import literal

TEMPLATES = Environment(
    loader=PackageLoader("stackgen", "modulefiles"),
    undefined=StrictUndefined,
    finalize=literal,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - HTML is not what comes out; `finalize` makes every value a Lua literal
)
"""Of module files: every value in them is a Lua literal."""
