"""Job scripts of a system's partitions, and what its launcher knows of them."""

from stackgen.inside.launcher.offer import Offer
from stackgen.jobs.checks import check_tree
from stackgen.jobs.launcher import launcher_tree
from stackgen.jobs.offers import offers
from stackgen.jobs.script import directory_name, job_script, job_tree
from stackgen.jobs.shape import SHAPES, Layout, Shape, layout

__all__ = [
    "SHAPES",
    "Layout",
    "Offer",
    "Shape",
    "check_tree",
    "directory_name",
    "job_script",
    "job_tree",
    "launcher_tree",
    "layout",
    "offers",
]
