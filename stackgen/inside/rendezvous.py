"""Where the ranks of a parallel program meet, as its launcher tells: for Python 3.6, no effects."""

import json
import re
import sys
import zlib
from typing import Dict, List, Mapping, MutableMapping, Tuple

from stackgen.inside.ranks import Ranks, ranks

MARK = "STACKGEN_RENDEZVOUS"
"""Says which of the variables are ours, so that a launcher below us is not taken for the one above."""

_LOWEST_PORT, _SLOTS, _PORTS_A_SLOT = 20000, 375, 32
"""Above what services use, below 32768, where Linux takes ports for outgoing connections."""
_LONGEST = 65536
"""Characters of a variable; Linux starts no program whose environment has one of 128 KiB."""


def variables(environ: Mapping[str, str], *, alone: bool = False) -> Dict[str, str]:
    """What is to be set in the environment of a rank; of one that is `alone`, only where that is asked for.

    What somebody else has set stays, and nothing is added where that contradicts the launcher.
    """
    found = ranks(environ)
    if found is None or (found.size == 1 and not alone):
        return {}
    own = _ours(environ)
    given = {name: text for name, text in environ.items() if name not in own}
    wanted = {
        "RANK": str(found.rank),
        "LOCAL_RANK": str(found.local_rank),
        "WORLD_SIZE": str(found.size),
        "LOCAL_WORLD_SIZE": str(found.local_size),
    }
    if any(given.get(name, text) != text for name, text in wanted.items()):
        return {}
    wanted["MASTER_PORT"] = given.get("MASTER_PORT") or str(port(found.job))
    if found.nodes:
        wanted["MASTER_ADDR"] = given.get("MASTER_ADDR") or found.nodes[0]
    workers = _workers(found, wanted["MASTER_PORT"])
    if workers:
        wanted["TF_CONFIG"] = workers
    added = {name: text for name, text in wanted.items() if name not in given}
    if added:
        added[MARK] = _mark(added)
    return added


def join(environ: MutableMapping[str, str]) -> None:
    """Set them; the start of every Python of a framework does so, and fails for no reason of ours."""
    try:
        environ.update(variables(environ))
    except Exception as error:
        sys.stderr.write("stackgen_rendezvous: {}: {}\n".format(type(error).__name__, error))


def port(job: str) -> int:
    """A port for a job; those with neighbouring numbers never share one, nor do steps of one job."""
    number, _, step = job.partition(".")
    slot = (_ordinal(number) + 101 * _ordinal(step)) % _SLOTS
    return _LOWEST_PORT + _PORTS_A_SLOT * slot


def _workers(found: Ranks, first_port: str) -> str:
    """TF_CONFIG with every rank; empty where their nodes are not known, or are too many for a variable."""
    if not found.places or not first_port.isdigit():
        return ""
    locals_ = [0] * len(found.nodes)
    places: List[str] = []
    for place in found.places:
        node = found.nodes[min(place, len(found.nodes) - 1)]
        places.append("{}:{}".format(node, int(first_port) + locals_[place]))
        locals_[place] += 1
    task = {"type": "worker", "index": found.rank}
    text = json.dumps({"cluster": {"worker": places}, "task": task})
    return text if len(text) <= _LONGEST else ""


def _ours(environ: Mapping[str, str]) -> Tuple[str, ...]:
    """The variables that were set by us; none any more where somebody has changed one of them."""
    names = tuple(environ.get(MARK, "").split(" ")[0].split(","))
    values = {name: environ.get(name, "") for name in names if name}
    return names if values and environ[MARK] == _mark(values) else ()


def _mark(added: Mapping[str, str]) -> str:
    names = sorted(added)
    text = "\n".join("{}={}".format(name, added[name]) for name in names)
    return "{} {:08x}".format(",".join(names), zlib.crc32(text.encode("utf-8", "surrogateescape")))


def _ordinal(text: str) -> int:
    return int(text) if re.match("^[0-9]{1,18}$", text) else zlib.crc32(text.encode("utf-8", "replace"))
