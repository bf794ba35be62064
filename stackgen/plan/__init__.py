"""Every default filled, every name resolved: what the later stages need, and nothing optional."""

from stackgen.plan.planning import plan
from stackgen.plan.values import About, ContainerPlan, FrameworkPlan, Plan, Platform, SpackPlan, WheelsPlan
from stackgen.plan.versions import fitting, is_numbered, ordered, specifier

__all__ = [
    "About",
    "ContainerPlan",
    "FrameworkPlan",
    "Plan",
    "Platform",
    "SpackPlan",
    "WheelsPlan",
    "fitting",
    "is_numbered",
    "ordered",
    "plan",
    "specifier",
]
