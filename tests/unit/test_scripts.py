"""Scripts as pip, Spack and people begin them, and what becomes of them in a framework."""

import os
import subprocess
from pathlib import Path

import pytest

from stackgen.scripts import beside, is_python_script

LONG = f"/ai/store/{'__spack_path_placeholder__/' * 4}linux-x86_64_v3/python-venv-1.0-abc/bin/python3"
BODY = b"import sys\nprint(sys.argv[1:], sys.flags.no_user_site)\n"
PYTHONS = [
    b"#!/usr/bin/python3.11\n",
    b"#! /usr/bin/python\n",
    b"#!/opt/python/bin/python3 -s\n",
    b"#!/usr/bin/env python3\n",
    b"#!/usr/bin/env -S python3 -s\n",
    b"#!/bin/sh\n'''exec' %b \"$0\" \"$@\"\n' '''\n" % LONG.encode(),
    b"#!/bin/sh\n'''exec' \"%b\" -s \"$0\" \"$@\"\n' '''\n" % LONG.encode(),
    b"#!/bin/sh /ai/store/bin/sbang\n#!%b\n" % LONG.encode(),
]
OTHERS = [
    b"#!/bin/sh\nexec python3 -m x\n",
    b"#!/usr/bin/perl\n",
    b"#!/usr/bin/python2.7\n",
    b"#!/usr/bin/pythonic\n",
    b"#!/bin/sh /ai/store/bin/sbang\n#!/ai/store/perl/bin/perl\n",
    b"\x7fELF\x02\x01\x01",
    b"",
]


@pytest.mark.parametrize("start", PYTHONS, ids=range(len(PYTHONS)))
def test_every_python_script_starts_the_python_beside_it(start: bytes, tmp_path: Path):
    assert is_python_script(start + BODY)
    directory = tmp_path / "a place"
    directory.mkdir()
    script = directory / "greet"
    script.write_bytes(beside(start + BODY))
    script.chmod(0o755)
    python = directory / "python"
    python.write_text('#!/bin/sh\nexec python3 "$@"\n')
    python.chmod(0o755)
    link = tmp_path / "link"
    link.symlink_to(script)
    run = subprocess.run((link, "a b"), env={"PATH": os.defpath}, capture_output=True, text=True, check=True)
    assert run.stdout == f"['a b'] {int(b' -s' in start)}\n"


@pytest.mark.parametrize("start", OTHERS, ids=range(len(OTHERS)))
def test_what_is_no_python_script_stays_as_it_is(start: bytes):
    assert not is_python_script(start + BODY)
    assert beside(start + BODY) == start + BODY
