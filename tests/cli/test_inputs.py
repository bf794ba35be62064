import json
import os
import sys

import pytest
from desk import Desk

COMMANDS = (
    *("init", "check", "explain", "schema", "lock", "diff", "generate", "mirror", "build", "test"),
    *("publish", "rollback", "releases", "gc", "shell", "catalog", "bench", "probe", "bootstrap"),
    *("doctor", "completion"),
)


def test_help_lists_every_command_in_the_order_of_use(desk: Desk):
    outcome = desk("--help")
    assert outcome.status == 0
    listed = [line.split()[0] for line in outcome.stdout.partition("Commands:\n")[2].splitlines()]
    assert tuple(listed) == COMMANDS


@pytest.mark.parametrize("command", [*COMMANDS, "mirror create", "mirror verify"])
def test_every_command_has_help(desk: Desk, command: str):
    outcome = desk(*command.split(), "--help")
    assert outcome.status == 0
    assert outcome.stdout.startswith(f"Usage: python -m stackgen {command} ")
    assert outcome.stderr == ""


@pytest.mark.parametrize(
    "words", [("biuld",), ("build",), ("build", "a.yaml", "--until", "lunch"), ("--nope",)]
)
def test_wrong_words_end_with_2(desk: Desk, words: tuple[str, ...]):
    outcome = desk(*words)
    assert (outcome.status, outcome.stdout) == (2, "")
    assert "Error: " in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_check_tells_every_fault_of_every_file_with_its_place(desk: Desk):
    desk.write("one.yaml", "name: one\nrelese: 1\n")
    desk.small()
    outcome = desk("check", "one.yaml", "small.yaml", "gone.yaml")
    assert (outcome.status, outcome.stdout) == (2, "")
    lines = outcome.stderr.splitlines()
    assert "one.yaml:2:1: relese: unknown key; did you mean release?" in lines
    assert lines[-1].startswith("gone.yaml: ")


def test_check_for_machines(desk: Desk):
    desk.write("one.yaml", "name: one\nrelese: 1\n")
    outcome = desk("check", "one.yaml", "--json")
    assert outcome.status == 2
    fault = next(fault for fault in json.loads(outcome.stdout)["faults"] if fault["where"] == "relese")
    assert fault == {
        "file": "one.yaml",
        "line": 2,
        "column": 1,
        "where": "relese",
        "what": "unknown key",
        "remedy": "did you mean release?",
    }


def test_check_tells_what_is_good(desk: Desk):
    desk.small()
    outcome = desk("check", "small.yaml")
    assert (outcome.status, outcome.stdout) == (0, "small.yaml: good: six 1.17.0 for this machine\n")


def test_init_writes_an_environment_that_passes_and_overwrites_nothing(desk: Desk):
    written = desk("init", "environments/my.yaml", "--yes")
    assert written.status == 0
    assert written.stdout == "environments/my.yaml is written; next: stackgen build environments/my.yaml\n"
    assert (
        desk("check", "environments/my.yaml").stdout == "my.yaml: good: tensorflow newest for this machine\n"
    )
    before = (desk.directory / "environments/my.yaml").read_text()
    again = desk("init", "environments/my.yaml", "--yes")
    assert (again.status, again.stderr) == (2, "environments/my.yaml exists already; name another file\n")
    assert (desk.directory / "environments/my.yaml").read_text() == before


def test_init_asks_again_until_an_answer_fits(desk: Desk):
    answers = "ai\n/usr\n~/ai\n,\nTensorFlow\njax, six jax\n"
    words = f"printf '{answers}' | {sys.executable} -m stackgen init 'environments/My Stack+.yaml'"
    outcome = desk("-c", words, command=("bash",))
    assert outcome.status == 0, outcome.stderr
    assert [line.partition("Error: ")[2] for line in outcome.stderr.splitlines() if "Error: " in line] == [
        "the prefix 'ai' is not absolute; begin with / or ~/",
        "the prefix '/usr' belongs to the operating system; choose another directory, such as /opt/hpai",
        "no framework is named; name at least one",
        "'TensorFlow' is no name;"
        " use up to 63 small letters, digits, '-', '_' or '.', a letter or digit at both ends",
    ]
    assert (desk.directory / "environments/My Stack+.yaml").read_text() == (
        "# yaml-language-server: $schema=schema/environment.json\n"
        "#\n"
        "# What this site wants on this machine. `stackgen check` tells every fault with its place,\n"
        "# and editors that know the schema above complete and check this file as you write.\n"
        "name: my-stack\nrelease: 1\nsystem: this\nprefix: ~/ai\nmodules:\n  namespace: hpai\n"
        "frameworks:\n  jax:\n    version: newest\n    from: wheels\n"
        "  six:\n    version: newest\n    from: wheels\n"
    )
    assert desk("check", "environments/My Stack+.yaml").status == 0


def test_init_puts_the_schemas_for_editors_beside_the_file(desk: Desk):
    desk.write("schema/system.json", "kept")
    assert desk("init", "a.yaml", "--yes").status == 0
    assert (desk.directory / "schema/environment.json").read_text() == desk("schema").stdout
    assert (desk.directory / "schema/system.json").read_text() == "kept"
    assert "prefix: ~/hpai-a\n" in (desk.directory / "a.yaml").read_text()


def test_init_without_anybody_to_answer(desk: Desk):
    outcome = desk("init")
    assert outcome.status == 1
    assert outcome.stderr.splitlines()[-1] == "no answer was given; `--yes` takes the defaults"
    assert not (desk.directory / "environments").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed(desk: Desk, shell: str):
    outcome = desk("completion", shell)
    assert outcome.status == 0
    assert "_STACKGEN_COMPLETE" in outcome.stdout


def test_whoever_reads_only_the_first_line_sees_no_error(desk: Desk):
    outcome = desk("-c", f"{os.sys.executable} -m stackgen schema | head -1", command=("bash",))
    assert (outcome.stdout, outcome.stderr) == ("{\n", "")


def test_an_offline_build_without_a_lock(desk: Desk):
    desk.small()
    outcome = desk("build", "small.yaml", "--offline")
    assert (outcome.status, outcome.stdout) == (2, "")
    assert outcome.stderr == (
        f"{desk.directory}/small.lock is not there, and --offline forbids to make it;"
        f" run `stackgen lock {desk.directory}/small.yaml` where there is a network and carry it over\n"
    )


def test_diff_of_what_is_not_there(desk: Desk):
    outcome = desk("diff", "old", "new")
    assert outcome.status == 2
    assert outcome.stderr == (
        "old is not there; name a lock's directory, an environment file or a release's directory\n"
    )


def test_verify_of_what_is_no_mirror(desk: Desk):
    outcome = desk("mirror", "verify", "nothing")
    assert outcome.status == 2
    assert outcome.stderr.startswith(f"{desk.directory}/nothing")


def test_doctor_names_what_is_there(desk: Desk):
    outcome = desk("doctor", "--json")
    found = {finding["name"]: finding["state"] for finding in json.loads(outcome.stdout)}
    assert outcome.status == (1 if "missing" in found.values() else 0)
    names = {"system", "python", "uv", "patchelf", "sandbox", "lmod", "spack", "gpg", "space"}
    names |= {"apt", "charliecloud", "fuse", "namespaces", "skopeo", "squashfs"}
    assert found.keys() - {"munge"} == names | {"mpi", "scheduler"}
    assert found["uv"] == "good"
