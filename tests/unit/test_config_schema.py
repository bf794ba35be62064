"""The JSON schemas in the repository: current, and true of every file that is shipped."""

import json
import re
import subprocess
from pathlib import Path
from typing import ClassVar

import pytest
import yaml
from jsonschema import Draft202012Validator

from stackgen.config import load, load_system, schema
from stackgen.model import WheelsFramework
from stackgen.plan import plan

ENVIRONMENTS = Path(__file__).parents[2] / "environments"


def shipped() -> list[Path]:
    """The files that git knows, for users write their own beside them; all where there is no git."""
    present = {*ENVIRONMENTS.glob("*.yaml"), *ENVIRONMENTS.glob("systems/*.yaml")}
    try:
        words = ("git", "-C", ENVIRONMENTS, "ls-files", "-z")
        listed = subprocess.run(words, capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return sorted(present)
    return sorted(present & {ENVIRONMENTS / name for name in listed.split("\0")})


class Core(yaml.SafeLoader):
    """Types scalars as YAML 1.2 and so as editors do: 48:00:00 and `yes` are text."""

    yaml_implicit_resolvers: ClassVar = {}


for tag, pattern, first in (
    ("null", r"~|null|", [None, "~", "n", ""]),
    ("bool", r"true|false", list("tf")),
    ("int", r"[-+]?\d+", list("-+0123456789")),
    ("float", r"[-+]?\d+\.\d*", list("-+0123456789")),
):
    Core.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"(?:{pattern})\Z"), first)


def faults(kind, text):
    validator = Draft202012Validator(json.loads(schema(kind)))
    return [error.message for error in validator.iter_errors(yaml.load(text, Core))]


@pytest.mark.parametrize("kind", ["environment", "system"])
def test_the_committed_schema_is_current(kind):
    assert (ENVIRONMENTS / f"schema/{kind}.json").read_text(encoding="utf-8") == schema(kind)


@pytest.mark.parametrize("kind", ["environment", "system"])
def test_it_is_a_schema(kind):
    Draft202012Validator.check_schema(json.loads(schema(kind)))


@pytest.mark.parametrize("kind", ["environment", "system"])
def test_every_key_of_a_file_is_described(kind):
    document = json.loads(schema(kind))
    for key, rules in document["properties"].items():
        described = document["$defs"].get(rules.get("$ref", "").rpartition("/")[2], rules)
        assert described.get("description") or "anyOf" in rules, key


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)
def test_shipped_files_are_right(path):
    kind = "system" if path.parent.name == "systems" else "environment"
    text = path.read_text(encoding="utf-8")
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
    assert named, "the first line names the schema"
    assert (path.parent / named[1]).resolve() == ENVIRONMENTS / f"schema/{kind}.json"
    assert faults(kind, text) == []
    if kind == "system":
        load_system(path)
    else:
        load(path)


@pytest.mark.parametrize("path", sorted(ENVIRONMENTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_environments_can_be_planned(path):
    loaded = load(path)
    asked = {
        framework.python.version
        for framework in loaded.environment.frameworks.values()
        if isinstance(framework, WheelsFramework) and framework.python and framework.python.source == "system"
    }
    lacking = asked - {None} - {python.version for python in loaded.system.pythons}
    if loaded.environment.system == "this" and lacking:
        pytest.skip(f"this machine has no Python {' and '.join(sorted(lacking))}")
    assert plan(loaded.environment, loaded.system).environment == path.stem


ENVIRONMENT = (
    "{name: x, release: 1, system: this, prefix: /x, frameworks: {jax: {from: wheels, version: 0.4}}}"
)


@pytest.mark.parametrize(
    "text",
    [
        ENVIRONMENT,
        "{include: base.yaml}",
        "{include: [base.yaml, other.yaml], release: 2026.11}",
        ENVIRONMENT.replace("0.4", "0.4, python: 3.10"),
        ENVIRONMENT.replace("0.4", "0.4, python: ~, settings: {A: 1, B: true, C: x}"),
        ENVIRONMENT.replace("0.4", "0.4, sdists: [horovod, {name: mpi4py, build-requires: [cython]}]"),
        ENVIRONMENT.replace("wheels, version: 0.4", "spack, version: develop"),
        ENVIRONMENT.replace(
            "wheels, version: 0.4", f"container, version: 24.05-py3, image: x@sha256:{'0' * 64}"
        ),
    ],
)
def test_editors_accept(text):
    assert faults("environment", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "{name: x}",
        ENVIRONMENT.replace("jax:", "JAX:"),
        ENVIRONMENT.replace("jax:", "jax.gpu:"),
        ENVIRONMENT.replace("wheels, version: 0.4", "spack, version: '>=1'"),
        ENVIRONMENT.replace(
            "wheels, version: 0.4", f"container, version: newest, image: x@sha256:{'0' * 64}"
        ),
        ENVIRONMENT.replace("name:", "nam:"),
        ENVIRONMENT.replace("wheels", "wheel"),
        ENVIRONMENT.replace("0.4", "0.4, python: '2.7'"),
        ENVIRONMENT.replace("0.4", "0.4, source: wheels"),
        ENVIRONMENT.replace("0.4", "0.4, settings: {A-B: 1}"),
    ],
)
def test_editors_refuse(text):
    assert faults("environment", text) != []
