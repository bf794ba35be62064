"""A system's file as text: YAML that any reader takes for the same, whatever the values are."""

import re
from typing import List, Mapping

from stackgen.probe.reading import Facts

_ORDER = (
    *("name", "os", "glibc", "target", "nodes", "interconnect", "compilers", "externals", "pythons"),
    *("accelerators", "scheduler", "lmod", "user-namespaces"),
)
_WORDS_OF_YAML = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")


def document(facts: Facts, remarks: Mapping[str, List[str]], heading: List[str]) -> str:
    """The file: the heading and, above each key's place, what is remarked on it as comments."""
    lines = [_comment(line) for line in heading]
    for key in _ORDER:
        lines += [_comment(remark) for remark in remarks.get(key, [])]
        value = facts.get(key)
        if isinstance(value, list):
            lines += ["{}:".format(key)] + ["  - " + flow(entry) for entry in value] if value else []
        elif key == "scheduler" and isinstance(value, dict):
            lines += _scheduler_lines(value)
        elif value is not None:
            lines.append("{}: {}".format(key, flow(value)))
    return "\n".join(lines) + "\n"


def _scheduler_lines(scheduler: Facts) -> List[str]:
    lines = ["scheduler:", "  kind: {}".format(flow(scheduler["kind"]))]
    partitions = scheduler.get("partitions")
    if isinstance(partitions, dict) and partitions:
        lines.append("  partitions:")
        lines += ["    {}: {}".format(flow(name), flow(limits)) for name, limits in partitions.items()]
    return lines


def flow(value: object) -> str:
    """A value on one line, in the order that it has."""
    if isinstance(value, dict):
        return "{{{}}}".format(
            ", ".join("{}: {}".format(flow(key), flow(entry)) for key, entry in value.items())
        )
    if isinstance(value, (list, tuple)):
        return "[{}]".format(", ".join(flow(entry) for entry in value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _scalar(str(value))


def _scalar(text: str) -> str:
    """Bare where it can be nothing but this text, else in double quotes and ASCII."""
    bare = re.match(r"[A-Za-z/][A-Za-z0-9_./@+ -]*(?<! )$", text) and " ~" not in text
    if bare and "\n" not in text and text.lower() not in _WORDS_OF_YAML:
        return text
    return '"{}"'.format("".join(_escaped(character) for character in text))


def _escaped(character: str) -> str:
    number = ord(character)
    if character in '"\\':
        return "\\" + character
    if 0x20 <= number < 0x7F:
        return character
    if 0xD800 <= number < 0xE000:
        return "\\uFFFD"  # half a character: YAML has no way to write it
    return "\\u{:04X}".format(number) if number < 0x10000 else "\\U{:08X}".format(number)


def _comment(line: str) -> str:
    text = "".join(
        _escaped(character) if not 0x20 <= ord(character) < 0x7F else character for character in line
    )
    return ("# " + text).rstrip()
