"""What a mirror holds beside what locks name, so that it is all that the far side needs."""

from stackgen.kit.making import make_kit

__all__ = ["make_kit"]
