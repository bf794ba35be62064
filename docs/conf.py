"""How Sphinx makes the pages: from Markdown, without anything of another server."""

import re
import sys
from pathlib import Path

from pygments.lexers.special import OutputLexer
from sphinx.application import Sphinx

from stackgen import __version__

sys.path.insert(0, str(Path(__file__).parent))

project = "stackgen"
release = __version__
extensions = ["myst_parser"]
exclude_patterns = ["_reference"]
myst_enable_extensions = ["colon_fence", "deflist", "smartquotes"]
myst_heading_anchors = 3
nitpicky = True

html_theme = "furo"
html_title = "stackgen"
html_copy_source = False
html_show_copyright = False
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["stackgen.css"]
pygments_style = "friendly"
pygments_dark_style = "monokai"

_REFERENCE = re.compile(r"<!-- reference: ([a-z]+) -->")


def _put_reference(_app: Sphinx, _name: str, source: list[str]) -> None:
    """Put the generated parts of a page in their places; the page itself holds what introduces them."""
    from _reference import PAGES  # noqa: PLC0415 - its place is known only now

    source[0] = _REFERENCE.sub(lambda found: PAGES[found[1]](), source[0])


def setup(app: Sphinx) -> None:
    """What Sphinx calls."""
    app.add_lexer("output", OutputLexer)
    app.connect("source-read", _put_reference)
