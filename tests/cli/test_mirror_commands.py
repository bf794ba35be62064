"""The commands about mirrors, on kits that were altered, cut short, made elsewhere, or hold too much."""

import json
from pathlib import Path

import pytest
from desk import Desk
from registry import HELLO, MORE, SMALL, Registry, digest
from sourcehouse import content, locked, source

from stackgen.lock import LockedSource, lock_tree
from stackgen.mirror import keep, mirror
from stackgen.progress import Silent
from stackgen.run import Command, Outcome
from stackgen.site import Site

MANY = tuple(source(f"many{number}", 64) for number in range(25))


def no_process(command: Command) -> Outcome:
    """A runner that fakes nothing and allows nothing."""
    raise AssertionError(f"{command} was started")


@pytest.fixture
def kit(desk: Desk) -> Path:
    """A kit with the lock of the environment `site`, and its sources."""
    for one in MANY:
        (desk.directory / "given").mkdir(exist_ok=True)
        (desk.directory / "given" / one.name).write_bytes(content(one.package, 64))
    lock, kit = locked(*MANY), desk.directory / "kit"
    tree = {f"environments/site.lock/{path}": file.text.encode() for path, file in lock_tree(lock).items()}
    keep(kit, {"README": b"read me\n", **tree}, ("site",), Silent())
    mirror({"site": lock}, kit, Site(), no_process, Silent(), given=[desk.directory / "given"])
    return kit


def path(one: LockedSource) -> str:
    return f"sources/{one.path}"


AGAIN = (
    "kit is not whole; copy it again, or, where there is a network, `stackgen mirror create ENV.yaml -d kit`"
    " mends what is needed; remove what is unknown"
)


def test_verify_names_the_first_of_many_and_counts_the_rest(kit: Path, desk: Desk):
    assert desk("mirror", "verify", "kit").stdout == "kit is whole\n"
    for one in MANY:
        (kit / path(one)).unlink()
    (kit / "README").write_text("red me!\n")
    outcome = desk("mirror", "verify", "kit")
    assert outcome.status == 1
    lines = outcome.stdout.splitlines()
    assert lines[0].startswith("altered: README (its SHA-256 is ")
    first = min(MANY, key=path)
    told = f"{first.package} 1.0, {first.name}, sha256 {first.sha256}"
    assert lines[1] == f"missing: {path(first)} ({told}), needed by site"
    assert len(lines) == 22
    assert lines[-1] == "missing: 5 files more; --json names all 25"
    assert outcome.stderr.splitlines()[-1] == AGAIN
    everything = json.loads(desk("mirror", "verify", "kit", "--json").stdout)
    assert [defect["kind"] for defect in everything] == ["altered"] + 25 * ["missing"]
    assert everything[1]["detail"] == told


def test_verify_tells_from_the_lock_alone_what_a_kit_never_had(kit: Path, desk: Desk):
    manifest = json.loads((kit / "manifest.json").read_text())
    manifest["files"] = [entry for entry in manifest["files"] if entry["path"] != path(MANY[0])]
    (kit / "manifest.json").write_text(json.dumps(manifest))
    (kit / path(MANY[0])).unlink()
    outcome = desk("mirror", "verify", "kit")
    assert (outcome.status, outcome.stdout) == (
        1,
        f"missing: {path(MANY[0])} (many0 1.0, many0-1.0.tar.gz, sha256 {MANY[0].sha256}), needed by site\n",
    )


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        (
            '{"format": 4, "contents": []}',
            2,
            "{kit} was made by a newer stackgen: its manifest has format 4, not 3; "
            "use that stackgen, or make the kit anew with this one",
        ),
        (
            "{",
            2,
            "{kit}/manifest.json: is damaged; "
            "copy the kit again; or, where it was made, remove this and run `stackgen mirror create`",
        ),
        (
            None,
            2,
            "{kit} is no mirror: it has no manifest.json; "
            "copy all of it again, or run `stackgen mirror create ENV.yaml -d {kit}`",
        ),
    ],
)
def test_a_manifest_that_is_not_ours_is_told_in_one_sentence(kit: Path, desk: Desk, text, status, said):
    (kit / "manifest.json").unlink()
    if text is not None:
        (kit / "manifest.json").write_text(text)
    outcome = desk("mirror", "verify", "kit")
    assert (outcome.status, outcome.stdout) == (status, "")
    assert outcome.stderr == f"{said.format(kit=kit)}\n"


def test_prune_removes_an_environment_and_what_only_it_needs(kit: Path, desk: Desk):
    mirror({"other": locked(MANY[0])}, kit, Site(), no_process, Silent())
    assert desk("mirror", "prune", "kit").stdout == ""
    outcome = desk("mirror", "prune", "kit", "--without", "site", "--json")
    removed = json.loads(outcome.stdout)["removed"]
    assert path(MANY[1]) in removed
    assert path(MANY[0]) not in removed
    assert "environments/site.lock/lock.json" in removed
    assert desk("mirror", "verify", "kit").stdout == "kit is whole\n"
    wrong = desk("mirror", "prune", "kit", "--without", "sight")
    assert (wrong.status, wrong.stderr) == (
        2,
        f"{kit} holds nothing for an environment sight; it has other\n",
    )


def test_prune_of_what_is_no_mirror(desk: Desk):
    outcome = desk("mirror", "prune", "nothing")
    assert outcome.status == 2
    assert outcome.stderr == (
        f"{desk.directory}/nothing is no mirror: it has no manifest.json; "
        f"copy all of it again, or run `stackgen mirror create ENV.yaml -d {desk.directory}/nothing`\n"
    )
    assert not (desk.directory / "nothing").exists()


@pytest.mark.network
@pytest.mark.usefixtures("index")
def test_an_image_is_planned_and_goes_into_a_kit(desk: Desk, hub: Registry):
    hub.push("copies/vendor/six", SMALL)
    desk.write(
        "home/.config/stackgen/site.yaml",
        f"images: {{registries: {{docker.io: '{hub.host}/copies'}}, insecure: ['{hub.host}']}}\n",
    )
    image = f"from: container\n    image: vendor/six@{SMALL.digest}\n    files: {{/etc/site.conf: site.conf}}"
    desk.write("site.conf", "one\n")
    desk.write("small.yaml", desk.small().read_text().replace("from: wheels", image))
    assert desk("lock", "small.yaml").status == 0
    planned = desk("mirror", "plan", "small.yaml").stdout.splitlines()
    assert [line.partition("  sha256")[0] for line in planned] == [
        "six docker.io/vendor/six  image configuration  291 bytes",
        f"six docker.io/vendor/six  image layer 1 of 2  {len(HELLO)} bytes",
        f"six docker.io/vendor/six  image layer 2 of 2  {len(MORE)} bytes",
        f"six docker.io/vendor/six  image manifest  {len(SMALL.manifest)} bytes",
        "six local  image added.tar  10240 bytes",
    ]
    outcome = desk("mirror", "create", "small.yaml", "-d", "made")
    assert (outcome.status, outcome.stdout) == (0, f"{desk.directory}/made is complete for small\n")
    assert desk("mirror", "verify", "made").stdout == "made is whole\n"
    blob = desk.directory / "made/images/sha256" / digest(HELLO).removeprefix("sha256:")
    blob.write_bytes(HELLO[:-1] + b"x")
    mended = desk("build", "small.yaml", "--mirror", "made", "--until", "mirror")
    assert (mended.status, blob.read_bytes()) == (0, HELLO), mended.stderr
    desk.write("site.conf", "two\n")
    changed = desk("mirror", "create", "small.yaml", "-d", "made")
    assert (changed.status, changed.stderr) == (
        2,
        f"{desk.directory}/small.lock no longer fits small.yaml: frameworks.six: the files that are added "
        f"changed; run `stackgen lock {desk.directory}/small.yaml` where there is a network\n",
    )


def test_a_directory_to_take_from_that_is_not_there_is_named_before_anything_is_made(desk: Desk):
    outcome = desk("mirror", "create", "small.yaml", "-d", "early", "--from", "nothing")
    assert (outcome.status, outcome.stderr) == (
        2,
        f"--from: {desk.directory}/nothing is no directory; name one that is there\n",
    )
    assert not (desk.directory / "early").exists()


@pytest.mark.network
@pytest.mark.usefixtures("index")
def test_an_environment_in_a_kit_is_built_from_that_kit(desk: Desk):
    desk.small()
    assert desk("lock", "small.yaml").status == 0
    assert desk("mirror", "create", "small.yaml", "-d", "made").status == 0
    outcome = desk("build", "made/environments/small.yaml", "--offline")
    assert outcome.status == 0, outcome.stderr
    assert not (desk.directory / "prefix/mirror").exists()
