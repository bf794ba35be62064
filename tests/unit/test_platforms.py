"""Which wheels run where, and what uv calls such a place."""

import platform as host
import sys

import pytest
from packaging.tags import sys_tags

from stackgen.errors import InputError
from stackgen.plan import Platform
from stackgen.platforms import Target, taken_for_granted, uv_platform, wheel_tags


def target(architecture: str, glibc: str, python: str = "3.11") -> Target:
    return Target(platform=Platform(architecture=architecture, glibc=glibc), python=python)


@pytest.mark.parametrize(
    ("architecture", "glibc", "name"),
    [
        ("x86_64", "2.17", "x86_64-manylinux_2_17"),
        ("x86_64", "2.27", "x86_64-manylinux_2_17"),
        ("x86_64", "2.28", "x86_64-manylinux_2_28"),
        ("x86_64", "2.30", "x86_64-manylinux_2_28"),
        ("aarch64", "2.34", "aarch64-manylinux_2_34"),
        ("aarch64", "2.99", "aarch64-manylinux_2_40"),
        ("ppc64le", "2.17", "powerpc64le-unknown-linux-gnu"),
        ("riscv64", "2.39", "riscv64-unknown-linux"),
    ],
)
def test_uvs_platform_is_the_nearest_that_is_not_above(architecture, glibc, name):
    assert uv_platform(Platform(architecture=architecture, glibc=glibc)) == name


def test_a_glibc_below_all_that_uv_knows_is_refused():
    with pytest.raises(InputError) as caught:
        uv_platform(Platform(architecture="x86_64", glibc="2.16"))
    assert str(caught.value) == (
        "system.glibc: no wheels can be chosen for glibc 2.16; uv knows 2.17 and newer; "
        "use `from: spack` or `from: container`"
    )


def test_where_uv_reckons_with_a_newer_glibc():
    assert taken_for_granted(Platform(architecture="ppc64le", glibc="2.17")) == "2.28"
    assert taken_for_granted(Platform(architecture="ppc64le", glibc="2.28")) is None
    assert taken_for_granted(Platform(architecture="x86_64", glibc="2.17")) is None


@pytest.mark.skipif(
    host.libc_ver()[0] != "glibc" or sys.implementation.name != "cpython",
    reason="packaging's own list is for another kind of machine here",
)
def test_for_this_machine_the_tags_are_packagings_own():
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert wheel_tags(target(host.machine(), host.libc_ver()[1], python)) == tuple(sys_tags())


def test_older_names_of_manylinux_and_none_of_musl():
    tags = {str(tag) for tag in wheel_tags(target("x86_64", "2.28", "3.10"))}
    for platform in (
        "manylinux_2_28",
        "manylinux_2_5",
        "manylinux1",
        "manylinux2010",
        "manylinux2014",
        "linux",
    ):
        assert f"cp310-cp310-{platform}_x86_64" in tags
    assert "cp310-cp310-manylinux_2_29_x86_64" not in tags
    assert "cp38-abi3-manylinux2014_x86_64" in tags
    assert "py3-none-any" in tags
    assert not any("musl" in tag for tag in tags)
    assert not any("manylinux1_" in str(tag) for tag in wheel_tags(target("aarch64", "2.28")))


def test_a_target_in_words():
    assert str(target("ppc64le", "2.28")) == "linux ppc64le, glibc 2.28, Python 3.11"
