"""The driver of uv's resolver: which files the indexes of a site offer to meet requirements."""

from stackgen.wheels.question import Question
from stackgen.wheels.refusals import no_wheel
from stackgen.wheels.resolver import Offer, OfferedFile, offers

__all__ = ["Offer", "OfferedFile", "Question", "no_wheel", "offers"]
