"""Durations, as users say them and as schedulers take them."""

import re

from stackgen.inside.launcher.words import LauncherError


def duration(text: str) -> int:
    """Seconds of `24`, which are hours, of `02:30:00` and of `2-00:00:00`."""
    whole = re.match(r"(?:([0-9]{1,3})-)?([0-9]{1,4}):([0-9]{2}):([0-9]{2})\Z", text)
    if whole:
        days, hours, minutes, rest = (int(part or 0) for part in whole.groups())
        total = days * 86400 + hours * 3600 + minutes * 60 + rest
    elif re.match(r"[0-9]{1,4}\Z", text):
        total = int(text) * 3600
    else:
        raise LauncherError("{} is no time; write hours, such as 2, or 00:30:00".format(text or "nothing"))
    if not total:
        raise LauncherError("a job of no time does nothing; write hours, such as 2, or 00:30:00")
    return total


def clocked(duration_in_seconds: int) -> str:
    """Seconds as schedulers take them."""
    minutes, rest = divmod(duration_in_seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest:02d}"


def lsf_time(seconds: int) -> str:
    """Hours and minutes, as `bsub -W` takes them; a begun minute is a whole one."""
    minutes = -(-seconds // 60)
    return f"{minutes // 60}:{minutes % 60:02d}"
