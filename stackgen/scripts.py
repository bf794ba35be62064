"""Python scripts of Spack's packages, made to start the Python beside them, wherever they were built for."""

import re

_BESIDE = b"""#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")"/'python'%b "$0" "$@"
' '''
"""
"""As uv writes the console scripts of what comes as wheels."""
_PYTHON = rb"(?:[^\s\"']*/)?python(?:3(?:\.\d+)?)?"
_OPTIONS = rb"(?P<options>(?: +-[^\s\"']+)*)"
_STARTS = tuple(
    re.compile(rule)
    for rule in (
        # `#!` holds 127 bytes on older Linux: what is longer pip starts by a shell, Spack by its `sbang`.
        rb"#! *%b%b *\r?\n" % (_PYTHON, _OPTIONS),
        rb"#! */usr/bin/env +(?:-S +)?%b%b *\r?\n" % (_PYTHON, _OPTIONS),
        rb"#!/bin/sh\n'''exec' \"?%b\"?%b \"\$0\" \"\$@\"\n' '''\n" % (_PYTHON, _OPTIONS),
        rb"#!/bin/sh [^\n]*/sbang\n#! *%b%b *\r?\n" % (_PYTHON, _OPTIONS),
    )
)
LONGEST_START = 4096
"""Bytes at the beginning of a file that tell what it is."""


def is_python_script(start: bytes) -> bool:
    """Whether a file that begins like this is started by a Python 3."""
    return any(rule.match(start) for rule in _STARTS)


def beside(script: bytes) -> bytes:
    """A Python script as one that starts the `python` in its own directory; others stay as they are."""
    for rule in _STARTS:
        if found := rule.match(script):
            return _BESIDE % found["options"] + script[found.end() :]
    return script
