"""Results that stay: below PREFIX/bench/<release>, for people and for what shows them later."""

import json

from stackgen import files
from stackgen.bench.subject import Subject, writable
from stackgen.lock import Json


def keep(subject: Subject, kind: str, content: dict[str, Json]) -> dict[str, Json]:
    """Write `<kind>/<framework>.json` with what was measured, and of what; the whole of it."""
    release, framework = subject.release, subject.framework
    whole: dict[str, Json] = {
        "format": 1,
        "release": release.name,
        "request": release.request,
        "environment": release.environment,
        "system": release.system,
        "framework": framework.name,
        "version": framework.version,
        **content,
    }
    place = subject.directory / kind / f"{framework.name}.json"
    with writable(place.parent):
        files.write(place, json.dumps(whole, indent=1) + "\n")
    subject.tools.progress.say(f"kept in {place}")
    return whole
