"""The pins, by their old name."""

from stackgen.pins import PINS, Pin, Pins

__all__ = ["PINS", "Pin", "Pins"]
