"""The sources in a lock: a line each without an address, and what is edited or hostile is refused."""

import dataclasses
import json

import pytest

from stackgen import files
from stackgen.errors import InputError
from stackgen.lock import (
    Lock,
    LockedSource,
    SpackLock,
    inputs,
    lock_tree,
    parse_sources,
    read_lock,
    sources_text,
)
from stackgen.model import Environment, System
from stackgen.plan import plan

SHA = "ab5a03176ee106d3f0fa90e381da478ddae405918153cca248e682cd0c4a2269"
BZIP2 = LockedSource(
    package="bzip2",
    version="1.0.8",
    kind="source",
    name="bzip2-1.0.8.tar.gz",
    sha256=SHA,
    commit="",
    path=f"_source-cache/archive/ab/{SHA}.tar.gz",
    manual=False,
)
HOROVOD = dataclasses.replace(
    BZIP2,
    package="horovod",
    version="0.28.1",
    name="horovod.git",
    sha256="",
    commit="0" * 40,
    path=f"_source-cache/git/horovod/horovod.git/{'0' * 40}.tar.gz",
)
SPACK = '{"_meta": {"file-type": "spack-lockfile"}, "roots": [], "concrete_specs": {}}'


def locked(*sources: LockedSource) -> Lock:
    environment = Environment.model_validate(
        {"name": "site", "release": "1", "system": "there", "prefix": "/site/ai", "packages": ["bzip2"]}
        | {"toolchain": {"compiler": "gcc@13.2.0"}, "frameworks": {}}
        | {"frameworks": {"zlib": {"from": "spack", "version": "1.3.1", "import": "zlib"}}}
    )
    system = System.model_validate(
        {"name": "there", "os": "rhel8", "glibc": "2.28", "target": "zen2"}
        | {"compilers": [{"spec": "gcc@13.2.0", "prefix": "/usr"}]}
    )
    spack = (
        SpackLock(name="toolchain", text=SPACK, sources=sources),
        SpackLock(name="zlib", text=SPACK),
    )
    return Lock(environment="site", inputs=inputs(plan(environment, system)), spack=spack)


def test_sources_are_a_line_each_and_come_back(tmp_path):
    tree = lock_tree(locked(BZIP2, HOROVOD))
    assert tree["spack/zlib.sources.json"].text == "[]\n"
    text = tree["spack/toolchain.sources.json"].text
    assert text.splitlines()[1] == (
        '{"package": "bzip2", "version": "1.0.8", "kind": "source", "name": "bzip2-1.0.8.tar.gz", '
        f'"sha256": "{SHA}", "commit": "", "path": "{BZIP2.path}", "manual": false}},'
    )
    assert len(text.splitlines()) == 4
    files.write_tree(tree, tmp_path / "site.lock")
    assert read_lock(tmp_path / "site.lock") == locked(BZIP2, HOROVOD)


def test_an_older_lock_without_sources_is_to_be_made_anew(tmp_path):
    files.write_tree(lock_tree(locked(BZIP2)), tmp_path / "site.lock")
    missing = tmp_path / "site.lock/spack/toolchain.sources.json"
    missing.unlink()
    with pytest.raises(InputError) as caught:
        read_lock(tmp_path / "site.lock")
    assert str(caught.value) == f"{missing}: is missing; run `stackgen lock {tmp_path}/site.yaml`"


FORGERIES = {
    "climbing": ({"path": "_source-cache/../../../etc/passwd", "sha256": ""}, "has no place in a mirror"),
    "absolute": ({"path": "/etc/passwd", "sha256": ""}, "has no place in a mirror"),
    "flat": ({"path": "passwd", "sha256": ""}, "has no place in a mirror"),
    "hidden": ({"path": "a/.lock", "sha256": ""}, "has no place in a mirror"),
    "backslash": ({"path": "a\\..\\b/c", "sha256": ""}, "has no place in a mirror"),
    "unfinished": ({"path": "a/b.part", "sha256": ""}, "has no place in a mirror"),
    "other digest": ({"path": f"_source-cache/archive/00/{'0' * 64}"}, "has no place in a mirror"),
    "no digest": ({"sha256": ""}, "has no place in a mirror"),
    "other folder": ({"path": f"_source-cache/archive/ac/{SHA}"}, "has no place in a mirror"),
    "upper case": ({"sha256": SHA.upper()}, "should match pattern"),
    "directory": ({"name": "../x"}, "should match pattern"),
    "control": ({"version": "1\n2"}, "should match pattern"),
    "kind": ({"kind": "binary"}, "should be 'source', 'patch' or 'resource'"),
    "address": ({"url": "https://host/x"}, "Extra inputs are not permitted"),
    "type": ({"package": 1}, "should be a valid string"),
}


@pytest.mark.parametrize("case", FORGERIES)
def test_a_forged_source_is_refused(case):
    changed, said = FORGERIES[case]
    entry = {**json.loads(sources_text((BZIP2,)))[0], **changed}
    with pytest.raises(ValueError, match=said):
        parse_sources(f"[\n{json.dumps(entry)}\n]\n")


def test_what_is_not_as_stackgen_writes_it_is_refused():
    line = sources_text((BZIP2,)).splitlines()[1]
    for text, said in {
        "": "is no JSON",
        "[" * 100_000: "is no JSON",
        "{}": "is no list of sources",
        f"[\n{line},\n{line}\n]\n": "does not list each source once, in order",
        f"[{line}]": "holds something that stackgen does not write",
    }.items():
        with pytest.raises(ValueError, match=said):
            parse_sources(text)
