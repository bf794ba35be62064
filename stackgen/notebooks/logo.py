"""The picture of a kernel: letters on a colour, which are nobody's trademark."""

import colorsys
import hashlib
import re
from xml.sax.saxutils import escape

_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64" viewBox="0 0 64 64">
<rect width="64" height="64" rx="12" fill="{colour}"/>
<text x="32" y="42" font-family="sans-serif" font-size="28" font-weight="bold" text-anchor="middle" \
fill="#ffffff">{letters}</text>
</svg>
"""


def logo(name: str, title: str) -> str:
    """The picture of a framework, as SVG; one name has one colour, wherever it is."""
    return _SVG.format(colour=_colour(name), letters=escape(letters(title)))


def letters(title: str) -> str:
    """Two letters for a title: its capitals, or else what it begins with."""
    plain = re.findall(r"[^\W_]", title)
    capitals = [letter for letter in plain if letter.isupper()]
    return "".join((capitals if len(capitals) > 1 else plain)[:2]) if plain else "?"


def _colour(name: str) -> str:
    """Dark enough for white letters, whatever its hue."""
    hue = hashlib.sha256(name.encode()).digest()[0] / 256
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue, 0.28, 0.55))
    return f"#{red:02x}{green:02x}{blue:02x}"
