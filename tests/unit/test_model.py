"""The rules of single values, and what may be built from Python."""

import pytest
from pydantic import ValidationError

from stackgen import targets
from stackgen.model import Compiler, Environment, Interpreter, System

SYSTEM = {"name": "Grid", "os": "rhel8", "glibc": "2.28", "target": "zen3"}
ENVIRONMENT = {
    "name": "quickstart",
    "release": "1",
    "system": "this",
    "prefix": "/opt/hpai",
    "frameworks": {"tensorflow": {"from": "wheels", "version": "newest"}},
}


def faults(model, **changed):
    base = SYSTEM if model is System else ENVIRONMENT
    with pytest.raises(ValidationError) as refused:
        model.model_validate({**base, **changed})
    return [error["msg"] for error in refused.value.errors()]


def framework(**changed):
    given = {**ENVIRONMENT["frameworks"]["tensorflow"], **changed}
    return Environment.model_validate({**ENVIRONMENT, "frameworks": {"tensorflow": given}}).frameworks[
        "tensorflow"
    ]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("newest", "newest"),
        ("2.21", "2.21"),
        ("2.21.0+cpu", "2.21.0+cpu"),
        ("v2.21", "2.21"),
        (" 2.21 ", "2.21"),
        ("2.0-rc1", "2.0rc1"),
        (">=2.20, <3", ">=2.20, <3"),
        ("==2.*", "==2.*"),
        (2.21, "2.21"),
        (2, "2"),
    ],
)
def test_versions(written, kept):
    assert framework(version=written).version == kept


@pytest.mark.parametrize("version", ["", " ", "2.*", "two", "=>2", "2.21;", True, None, ["2"]])
def test_no_versions(version):
    with pytest.raises(ValidationError):
        framework(version=version)


@pytest.mark.parametrize(
    "python", ["3", "3.8", "2.7", "3.11.2", "4.0", "3.x", "3.1\u0661", "3.11\n", ">=3.9"]
)
def test_no_pythons(python):
    with pytest.raises(ValidationError):
        framework(python=python)


@pytest.mark.parametrize("name", ["a", "py-torch", "tensorflow2.21", "a" * 63, "3d"])
def test_names(name):
    assert Environment.model_validate({**ENVIRONMENT, "name": name}).name == name


@pytest.mark.parametrize("name", ["", "A", "-a", "a-", "a/b", "..", ".", "a b", "a\n", "é", "a" * 64, "a+b"])
def test_no_names(name):
    assert faults(Environment, name=name) == [f"{name!r} is no name"]


@pytest.mark.parametrize("release", ["1", "2026.11", "2026-11-01", "V2+fix", 2026.11])
def test_releases(release):
    assert Environment.model_validate({**ENVIRONMENT, "release": release}).release == str(release)


@pytest.mark.parametrize("release", ["", ".", "..", ".hidden", "a/b", "current", "a b", "1\n"])
def test_no_releases(release):
    assert len(faults(Environment, release=release)) == 1


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("/opt/hpai", "/opt/hpai"),
        ("/opt//hpai/./x/", "/opt/hpai/x"),
        ("//opt/hpai", "/opt/hpai"),
        ("~/hpai", "/home/admin/hpai"),
        ("$HOME/hpai", "/home/admin/hpai"),
        ("${HOME}/hpai", "/home/admin/hpai"),
        ("/usr/local/hpai", "/usr/local/hpai"),
        ("/tmp/hpai", "/tmp/hpai"),
    ],
)
def test_prefixes(monkeypatch, written, kept):
    monkeypatch.setenv("HOME", "/home/admin")
    assert Environment.model_validate({**ENVIRONMENT, "prefix": written}).prefix == kept


@pytest.mark.parametrize(
    "prefix",
    [
        *("", ".", "hpai", "./hpai", "~root/hpai", "$PROJECT/hpai", "/opt/$HOME", "${HOME}X/a"),
        *("/", "//", "///", "/.", "/opt/..", "/opt/../opt/hpai", "~", "~/", "$HOME", "/home/admin/."),
        *(
            "/usr",
            "/usr/",
            "/usr/lib",
            "/etc",
            "/etc/hpai",
            "/bin/x",
            "/dev/shm",
            "/proc/1",
            "/home",
            "/var/lib",
        ),
        *(
            "/opt/a b",
            "/opt/a\tb",
            "/opt/a\nb",
            "/opt/a:b",
            "/opt/a;b",
            "/opt/a'b",
            "/opt/ä",
            "/opt/*",
            "/opt/a\\b",
        ),
    ],
)
def test_no_prefixes(monkeypatch, prefix):
    monkeypatch.setenv("HOME", "/home/admin")
    monkeypatch.setenv("PROJECT", "/dss/project")
    assert len(faults(Environment, prefix=prefix)) == 1


def test_every_target_of_archspec_is_known_with_its_family():
    assert {"x86_64", "zen3", "skylake_avx512", "aarch64", "power9le"} <= set(targets.NAMES)
    for target in targets.NAMES:
        if targets.family(target) in targets.FAMILIES:
            assert System.model_validate({**SYSTEM, "target": target}).architecture == targets.family(target)
        else:
            assert faults(System, target=target) == [
                f"the target {target} is of the family {targets.family(target)}"
            ]


def test_the_family_is_what_wheels_are_named_by():
    assert System.model_validate({**SYSTEM, "target": "power9le"}).architecture == "ppc64le"
    assert System.model_validate({**SYSTEM, "target": "neoverse_v2"}).architecture == "aarch64"


@pytest.mark.parametrize("prefix", ["usr", "/usr/../etc", "/a b", ""])
def test_directories_of_other_machines_are_absolute_and_plain(prefix):
    with pytest.raises(ValidationError):
        Interpreter(version="3.11", prefix=prefix)


@pytest.mark.parametrize("memory", ["96", "96 gb", "lots", "96 GB of it"])
def test_no_memory(memory):
    assert faults(System, nodes={"cores": 1, "memory": memory}) == [f"{memory!r} is no amount of memory"]


def test_values_are_frozen():
    system = System.model_validate(SYSTEM)
    with pytest.raises(ValidationError):
        system.name = "other"


def test_packages_are_named_as_indexes_normalize_them():
    assert framework(package="Tensorflow_CPU").package == "tensorflow-cpu"


def test_the_home_is_the_callers(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert faults(Environment, prefix=str(tmp_path)) == [f"the prefix {str(tmp_path)!r} is a home"]


@pytest.mark.parametrize("prefix", ["~/hpai", "$HOME/hpai", "${HOME}/hpai", "~"])
def test_without_a_home_there_is_none_to_begin_with(monkeypatch, prefix):
    monkeypatch.delenv("HOME", raising=False)
    assert faults(Environment, prefix=prefix) == [
        f"the prefix {prefix!r} begins with the home, and HOME is not set"
    ]


def test_who_writes_the_directory_itself_needs_no_home(monkeypatch):
    monkeypatch.delenv("HOME", raising=False)
    assert Environment.model_validate(ENVIRONMENT).prefix == "/opt/hpai"


@pytest.mark.parametrize(
    ("spec", "programs"),
    [
        ("gcc@13.2.0", ["/opt/x/bin/gcc", "/opt/x/bin/g++", "/opt/x/bin/gfortran"]),
        ("intel-oneapi-compilers@2024.1.0", ["/opt/x/bin/icx", "/opt/x/bin/icpx", "/opt/x/bin/ifx"]),
        ("xl@16.1.1 target=power9le", ["/opt/x/bin/xlc", "/opt/x/bin/xlC", "/opt/x/bin/xlf"]),
        ("llvm@17 +flang", ["/opt/x/bin/clang", "/opt/x/bin/clang++", "/opt/x/bin/flang"]),
    ],
)
def test_compilers_lie_below_the_prefix_by_their_usual_names(spec, programs):
    compiler = Compiler(spec=spec, prefix="/opt/x")
    assert [compiler.program(language) for language in compiler.languages] == programs


def test_a_compiler_lies_where_the_system_says():
    compiler = Compiler(spec="gcc@12.3.0", prefix="/usr", programs={"c": "/usr/bin/gcc-12"})
    assert [compiler.program("c"), compiler.program("c++")] == ["/usr/bin/gcc-12", "/usr/bin/g++"]


@pytest.mark.parametrize(("given", "kept"), [(True, "true"), ("false", "false"), ("unknown", "unknown")])
def test_whether_users_may_make_namespaces(given, kept):
    assert System.model_validate({**SYSTEM, "user-namespaces": given}).user_namespaces == kept
