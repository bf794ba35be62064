"""Locks as values and as files: the way there and back, what changed since, and what is not trusted."""

import dataclasses
import hashlib
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from stackgen.errors import InputError
from stackgen.lock import (
    Lock,
    LockedFile,
    LockedPackage,
    WheelLock,
    changes,
    digest,
    inputs,
    lock_tree,
    parse_lock,
    read_lock,
)
from stackgen.model import Environment, System
from stackgen.plan import Plan, plan
from stackgen.tree import Tree

SHA = "0123456789abcdef" * 4


def planned(glibc: str = "2.28", target: str = "zen2", prefix: str = "/site/ai", **frameworks) -> Plan:
    return plan(
        Environment.model_validate(
            {"name": "site", "release": "1", "system": "there", "prefix": prefix}
            | {"frameworks": {name: {"from": "wheels", **keys} for name, keys in frameworks.items()}}
        ),
        System.model_validate({"name": "there", "os": "rhel8", "glibc": glibc, "target": target}),
    )


ALPHA = {"version": "1.0.0", "python": "3.11"}


def package(name: str, version: str, suffix: str = "-py3-none-any.whl") -> LockedPackage:
    file = LockedFile(name=f"{name}-{version}{suffix}", size=7, sha256=SHA)
    return LockedPackage(name=name, version=version, file=file)


def locked(plan: Plan, *packages: LockedPackage) -> Lock:
    wheels = tuple(
        WheelLock(framework=framework.name, python=framework.python, packages=packages)
        for framework in plan.wheels
    )
    return Lock(environment=plan.environment, inputs=inputs(plan), wheels=wheels)


LOCK = locked(planned(alpha=ALPHA), package("alpha", "1.0.0"), package("pip", "26.0"))


def texts(tree: Tree) -> dict[str, str]:
    return {path: file.text for path, file in tree.items()}


def write(directory: Path, lock: Lock = LOCK) -> Path:
    directory.mkdir()
    for name, text in texts(lock_tree(lock)).items():
        (directory / name).write_text(text)
    return directory


def resealed(directory: Path) -> None:
    """Make hashes and digest fit again, as somebody would who edits a lock on purpose."""
    index = json.loads((directory / "lock.json").read_text())
    for path in directory.glob("pylock.*"):
        index["files"][path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    index["digest"] = digest({key: value for key, value in index.items() if key != "digest"})
    (directory / "lock.json").write_text(json.dumps(index, indent=2, sort_keys=True) + "\n")


def refusal(directory: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_lock(directory)
    return str(caught.value).replace(str(directory.parent), "DIR")


AGAIN = "; run `stackgen lock DIR/site.yaml`"


def test_a_lock_is_read_back_as_it_was_written(tmp_path):
    assert read_lock(write(tmp_path / "site.lock")) == LOCK


def test_the_text_of_a_framework_is_an_address_free_pylock():
    assert lock_tree(LOCK)["pylock.alpha.toml"].text == (
        'lock-version = "1.0"\n'
        'requires-python = "==3.11.*"\n'
        'created-by = "stackgen"\n'
        "\n"
        "[[packages]]\n"
        'name = "alpha"\n'
        'version = "1.0.0"\n'
        "\n"
        "[[packages.wheels]]\n"
        'path = "wheels/alpha-1.0.0-py3-none-any.whl"\n'
        "size = 7\n"
        "\n"
        "[packages.wheels.hashes]\n"
        f'sha256 = "{SHA}"\n'
        "\n"
        "[[packages]]\n"
        'name = "pip"\n'
        'version = "26.0"\n'
        "\n"
        "[[packages.wheels]]\n"
        'path = "wheels/pip-26.0-py3-none-any.whl"\n'
        "size = 7\n"
        "\n"
        "[packages.wheels.hashes]\n"
        f'sha256 = "{SHA}"\n'
    )


def test_what_a_build_needs_has_a_file_of_its_own():
    plan = planned(alpha={**ALPHA, "sdists": [{"name": "beta", "build-requires": ["setuptools"]}]})
    wheels = WheelLock(
        framework="alpha",
        python="3.11",
        packages=(package("alpha", "1.0.0"), package("beta", "2.0", ".tar.gz")),
        build_packages=(package("setuptools", "80.0"),),
    )
    lock = Lock(environment="site", inputs=inputs(plan), wheels=(wheels,))
    assert list(lock_tree(lock)) == ["lock.json", "pylock.alpha-build.toml", "pylock.alpha.toml"]
    assert parse_lock(texts(lock_tree(lock)), Path("site.lock")) == lock


def test_two_frameworks_that_would_share_a_file_are_refused():
    one = WheelLock(
        framework="a", python="3.11", packages=(package("a", "1"),), build_packages=(package("b", "1"),)
    )
    two = WheelLock(framework="a-build", python="3.11", packages=(package("a", "1"),))
    with pytest.raises(InputError) as caught:
        lock_tree(Lock(environment="site", inputs={}, wheels=(one, two)))
    assert str(caught.value) == "two frameworks would be locked in pylock.a-build.toml; rename one of them"


names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True).filter(
    lambda name: "--" not in name
)
versions = st.from_regex(r"[1-9][0-9]?(\.[0-9]{1,2}){0,3}(rc[0-9])?(\+cpu)?", fullmatch=True).map(
    lambda text: str(Version(text))
)


@st.composite
def packages(draw) -> tuple[LockedPackage, ...]:
    def one(name: str) -> LockedPackage:
        version = draw(versions)
        suffix = draw(
            st.sampled_from(["-py3-none-any.whl", "-cp311-abi3-manylinux_2_28_x86_64.whl", ".tar.gz"])
        )
        file = LockedFile(
            name=f"{name.replace('-', '_')}-{version}{suffix}",
            size=draw(st.integers(min_value=0, max_value=2**40)),
            sha256=draw(st.binary(min_size=32, max_size=32)).hex(),
        )
        return LockedPackage(name=name, version=version, file=file)

    return tuple(one(name) for name in sorted(draw(st.sets(names, min_size=1, max_size=5))))


@st.composite
def locks(draw) -> Lock:
    frameworks = sorted(draw(st.sets(st.sampled_from(["jax", "pytorch", "tensorflow"]), min_size=1)))
    asked = {}
    for name in frameworks:
        sdists = draw(st.sampled_from([[], [{"name": "beta"}], [{"name": "beta", "build-requires": []}]]))
        asked[name] = {
            "version": "newest",
            "python": draw(st.sampled_from(["3.9", "3.14"])),
            "sdists": sdists,
        }
    plan = planned(**asked)
    wheels = tuple(
        WheelLock(
            framework=framework.name,
            python=framework.python,
            packages=draw(packages()),
            build_packages=draw(packages()) if any(s.build_requires for s in framework.sdists) else (),
        )
        for framework in plan.wheels
    )
    return Lock(environment="site", inputs=inputs(plan), wheels=wheels)


@given(locks())
def test_any_lock_comes_back_from_its_text(lock):
    tree = lock_tree(lock)
    assert parse_lock(texts(tree), Path("site.lock")) == lock
    assert lock_tree(parse_lock(texts(tree), Path("site.lock"))) == tree


@given(locks(), st.data())
def test_no_changed_character_goes_unnoticed(lock, data):
    original = texts(lock_tree(lock))
    name = data.draw(st.sampled_from(sorted(original)))
    position = data.draw(st.integers(min_value=0, max_value=len(original[name]) - 1))
    character = data.draw(st.sampled_from("a0 \n\"'.{"))
    text = original[name][:position] + character + original[name][position + 1 :]
    with suppress(InputError):  # white space in lock.json means nothing
        assert parse_lock({**original, name: text}, Path("site.lock")) == lock


def test_where_there_is_no_lock(tmp_path):
    assert refusal(tmp_path / "site.lock") == f"DIR/site.lock: there is no lock here{AGAIN}"


def test_the_remedy_where_the_environment_is_not_known(tmp_path):
    assert refusal(tmp_path / "lock") == "DIR/lock: there is no lock here; run `stackgen lock ENV.yaml`"


def _append(text: str):
    return lambda path: path.write_text(path.read_text() + text)


_NO_MAPPING = "is not valid: Input should be a valid dictionary or instance of _Index"
DAMAGE = {
    "edited": ("pylock.alpha.toml", _append("# hello\n"), "was edited or damaged since it was locked"),
    "index edited": (
        "lock.json",
        lambda path: path.write_text(path.read_text().replace("2.28", "2.17")),
        "was edited or damaged since it was locked",
    ),
    "missing": ("pylock.alpha.toml", Path.unlink, "is missing"),
    "extra": ("pylock.beta.toml", Path.touch, "is not named in lock.json"),
    "directory": ("pylock.beta.toml", Path.mkdir, "is no file of a lock"),
    "not UTF-8": ("pylock.alpha.toml", lambda path: path.write_bytes(b"\xff\xfe"), "is not UTF-8"),
    "huge": (
        "pylock.alpha.toml",
        lambda path: path.write_bytes(b"#" * (2**24 + 1)),
        "is larger than any lock, 16 MiB",
    ),
    "no JSON": ("lock.json", _append("}"), "is no JSON"),
    "deep JSON": (
        "lock.json",
        lambda path: path.write_text("[" * 100_000),
        "is no JSON",
    ),
    "no object": (
        "lock.json",
        lambda path: path.write_text("[]"),
        _NO_MAPPING,
    ),
    "no key": (
        "lock.json",
        lambda path: path.write_text(path.read_text().replace('"format": 1', '"formal": 1')),
        "is not valid: format: Field required",
    ),
    "other format": (
        "lock.json",
        lambda path: path.write_text(path.read_text().replace('"format": 1', '"format": 2')),
        "is not valid: format: Input should be 1",
    ),
    "path out of it": (
        "lock.json",
        lambda path: path.write_text(path.read_text().replace('"pylock.alpha', '"../pylock.alpha')),
        "was edited or damaged since it was locked",
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_named(tmp_path, case):
    name, damage, what = DAMAGE[case]
    directory = write(tmp_path / "site.lock")
    damage(directory / name)
    assert refusal(directory) == f"DIR/site.lock/{name}: {what}{AGAIN}"


def test_damage_in_a_kit_is_mended_by_another_copy(tmp_path):
    """The machine without a network cannot lock."""
    (tmp_path / "environments").mkdir()
    directory = write(tmp_path / "environments/site.lock")
    (tmp_path / "manifest.json").touch()
    (directory / "pylock.alpha.toml").unlink()
    assert refusal(directory) == "DIR/site.lock/pylock.alpha.toml: is missing; copy the kit again"


FORGERIES = {
    "address": ('path = "wheels/', 'url = "https://example.org/', "names an address for alpha"),
    "address besides": ("size = 7", 'size = 7\nurl = "https://example.org/x"', "names an address for alpha"),
    "climbing": (
        "wheels/alpha",
        "wheels/../alpha",
        "has the path 'wheels/../alpha-1.0.0-py3-none-any.whl' for alpha, not wheels/ and a name",
    ),
    "absolute": (
        "wheels/alpha",
        "/wheels/alpha",
        "has the path '/wheels/alpha-1.0.0-py3-none-any.whl' for alpha, not wheels/ and a name",
    ),
    "negative size": ("size = 7", "size = -7", "has no right size for alpha"),
    "no size": ("size = 7\n", "", "has no right size for alpha"),
    "short hash": (SHA, "0123", "has no right SHA-256 for alpha"),
    "other hash": ("sha256 =", "md5 =", "has no right SHA-256 for alpha"),
    "two wheels": (
        '[[packages]]\nname = "pip"',
        '[[packages.wheels]]\npath = "wheels/alpha-1.0.0-cp311-abi3-linux_x86_64.whl"\nsize = 1\n\n'
        f'[packages.wheels.hashes]\nsha256 = "{SHA}"\n\n[[packages]]\nname = "pip"',
        "has not exactly one file for alpha",
    ),
    "other package": (
        'name = "alpha"',
        'name = "beta"',
        "is no valid pylock.toml: Name in 'alpha-1.0.0-py3-none-any.whl' is not consistent with "
        "package name 'beta' in 'packages[0].wheels[0]'",
    ),
    "upload time": (
        "size = 7",
        "size = 7\nupload-time = 2026-01-01T00:00:00Z",
        "holds something that stackgen does not write",
    ),
    "other Python": ("3.11", "3.12", "holds something that stackgen does not write"),
}


@pytest.mark.parametrize("case", [name for name, (*_, what) in FORGERIES.items() if what])
def test_a_lock_that_was_edited_with_care_is_refused_too(tmp_path, case):
    old, new, what = FORGERIES[case]
    directory = write(tmp_path / "site.lock")
    path = directory / "pylock.alpha.toml"
    path.write_text(path.read_text().replace(old, new, 1))
    resealed(directory)
    assert refusal(directory) == f"DIR/site.lock/pylock.alpha.toml: {what}{AGAIN}"


def test_a_file_of_no_framework_is_refused_even_where_it_is_listed(tmp_path):
    directory = write(tmp_path / "site.lock")
    (directory / "pylock.beta.toml").write_text((directory / "pylock.alpha.toml").read_text())
    resealed(directory)
    assert refusal(directory) == f"DIR/site.lock/pylock.beta.toml: belongs to no framework of the lock{AGAIN}"


def test_packages_have_to_be_listed_once_and_in_order(tmp_path):
    directory = write(tmp_path / "site.lock")
    path = directory / "pylock.alpha.toml"
    head, first, second = path.read_text().split("[[packages]]")
    path.write_text("[[packages]]".join([head, second + "\n", first.rstrip("\n") + "\n"]))
    resealed(directory)
    assert refusal(directory) == (
        f"DIR/site.lock/pylock.alpha.toml: does not list each package once, in order{AGAIN}"
    )


def test_hidden_files_beside_a_lock_do_no_harm(tmp_path):
    directory = write(tmp_path / "site.lock")
    (directory / ".gitattributes").write_text("* -text\n")
    assert read_lock(directory) == LOCK


def test_the_digest_follows_what_was_asked_and_what_it_came_to():
    def sealed(lock: Lock) -> str:
        return json.loads(lock_tree(lock)["lock.json"].text)["digest"]

    asked = locked(planned(glibc="2.31", alpha=ALPHA), *LOCK.wheels[0].packages)
    (wheels,) = LOCK.wheels
    came = dataclasses.replace(LOCK, wheels=(dataclasses.replace(wheels, packages=wheels.packages[:1]),))
    assert len({sealed(LOCK), sealed(asked), sealed(came)}) == 3
    assert sealed(LOCK) == sealed(locked(planned(prefix="/else/where", alpha=ALPHA), *wheels.packages))


CHANGES = {
    "nothing": (planned(alpha=ALPHA), ()),
    "prefix": (planned(prefix="/else/where", alpha=ALPHA), ()),
    "settings": (planned(alpha={**ALPHA, "settings": {"OMP_PROC_BIND": "true"}}), ()),
    "python": (planned(alpha={**ALPHA, "python": "3.12"}), ("frameworks.alpha.python: 3.11 -> 3.12",)),
    "version": (
        planned(alpha={**ALPHA, "version": "2.0.0"}),
        ("frameworks.alpha.requires: alpha==1.0.0 -> alpha==2.0.0",),
    ),
    "requirements": (
        planned(alpha={**ALPHA, "requires": ["beta>=2", "gamma"]}),
        ("frameworks.alpha.requires: beta>=2 added", "frameworks.alpha.requires: gamma added"),
    ),
    "sdists": (
        planned(alpha={**ALPHA, "sdists": [{"name": "beta"}]}),
        ("frameworks.alpha.sdists.beta: added",),
    ),
    "frameworks": (planned(beta=ALPHA), ("frameworks.alpha: removed", "frameworks.beta: added")),
    "system": (
        planned(glibc="2.31", target="power9le", alpha=ALPHA),
        ("system.architecture: x86_64 -> ppc64le", "system.glibc: 2.28 -> 2.31"),
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_changed_since_a_lock_was_made(case):
    plan, lines = CHANGES[case]
    assert changes(LOCK, plan) == lines


def test_a_requirement_that_is_gone_is_named():
    plan = planned(alpha={**ALPHA, "requires": ["beta>=2"]})
    assert changes(locked(plan), planned(alpha=ALPHA)) == ("frameworks.alpha.requires: beta>=2 removed",)
