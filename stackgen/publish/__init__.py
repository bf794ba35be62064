"""Releases below a prefix: staged, published under `current` by one rename, listed, rolled back."""

from stackgen.publish.cache import Spider, find_spider
from stackgen.publish.history import Published
from stackgen.publish.staging import keep_report, place_of, refuse_other_content, stage, staged
from stackgen.publish.switching import current_release, publish, published, releases, rollback, show_again

__all__ = [
    "Published",
    "Spider",
    "current_release",
    "find_spider",
    "keep_report",
    "place_of",
    "publish",
    "published",
    "refuse_other_content",
    "releases",
    "rollback",
    "show_again",
    "stage",
    "staged",
]
