"""Locking with the real uv, against an index that the test makes: what is chosen, and what is refused."""

import pytest
from package_index import Server, sdist, source_archive, wheel
from stages import locked, names, planned

from stackgen.errors import InputError, WorkError
from stackgen.lock import LockedFile, LockedPackage, lock_tree
from stackgen.progress import Silent
from stackgen.resolve import resolve
from stackgen.site import Site

ALPHA = {"version": "newest", "python": "3.11"}

ELSE = "; use `from: spack` or `from: container`, another Python or version, or name {} under `sdists:`"

pytestmark = pytest.mark.usefixtures("own_home")


def refused(plan, site: Site, run) -> str:
    with pytest.raises(InputError) as caught:
        resolve(plan, site, run, Silent())
    return str(caught.value)


def test_a_lock_names_one_file_for_each_package_by_size_and_hash(small_index, server: Server, run):
    content = wheel("alpha", "1.0", ("beta>=2",))
    sha256 = small_index.add("alpha-1.0-py3-none-any.whl", content)
    small_index.add_wheel("beta", "1.0")
    small_index.add_wheel("beta", "2.1")
    lock = locked(planned(alpha=ALPHA), Site(index=server.index), run)
    assert lock.python == "3.11"
    assert [(package.name, package.version) for package in lock.packages] == [
        ("alpha", "1.0"),
        ("beta", "2.1"),
        ("pip", "26.0"),
    ]
    file = LockedFile(name="alpha-1.0-py3-none-any.whl", size=len(content), sha256=sha256)
    assert lock.packages[0] == LockedPackage(name="alpha", version="1.0", file=file)


@pytest.mark.parametrize(
    ("target", "glibc", "chosen"),
    [
        ("x86_64_v3", "2.17", "manylinux2014_x86_64"),
        ("x86_64_v3", "2.28", "manylinux_2_28_x86_64"),
        ("x86_64_v3", "2.30", "manylinux_2_28_x86_64"),
        ("x86_64_v3", "2.34", "manylinux_2_34_x86_64"),
        ("neoverse_v2", "2.34", "manylinux_2_17_aarch64"),
        ("power9le", "2.34", "manylinux_2_26_ppc64le"),
    ],
)
def test_the_wheel_fits_the_system_and_not_this_machine(small_index, run, target, glibc, chosen):
    for platform in (
        *("manylinux2014_x86_64", "manylinux_2_28_x86_64", "manylinux_2_34_x86_64", "musllinux_1_2_x86_64"),
        *("manylinux_2_17_aarch64", "manylinux_2_26_ppc64le", "win_amd64"),
    ):
        small_index.add_wheel("alpha", "1.0", tag=f"cp311-cp311-{platform}")
    lock = locked(planned(target, glibc, alpha=ALPHA), Site(index=small_index.address), run)
    assert names(lock)[0] == f"alpha-1.0-cp311-cp311-{chosen}.whl"


def test_of_builds_of_one_wheel_the_last_is_taken(small_index, run):
    for build in ("2", "10"):
        small_index.add(f"alpha-1.0-{build}-py3-none-any.whl", wheel("alpha", "1.0"))
    assert (
        names(locked(planned(alpha=ALPHA), Site(index=small_index.address), run))[0]
        == "alpha-1.0-10-py3-none-any.whl"
    )


def test_where_uv_reckons_with_a_newer_glibc_no_unfit_wheel_gets_in(small_index, run):
    small_index.add_wheel("alpha", "1.0", tag="cp311-cp311-manylinux_2_39_riscv64")
    assert refused(planned("riscv64", "2.35", alpha=ALPHA), Site(index=small_index.address), run) == (
        "frameworks.alpha: alpha has no wheel for linux riscv64, glibc 2.35, Python 3.11 "
        f"(uv takes glibc 2.39 for granted there){ELSE.format('alpha')}"
    )


def test_locking_twice_gives_the_same_bytes(small_index, server, run):
    small_index.add_wheel("alpha", "1.0")
    plan, site = planned(alpha=ALPHA), Site(index=server.index)
    first = lock_tree(resolve(plan, site, run, Silent()))
    assert lock_tree(resolve(plan, site, run, Silent())) == first
    assert server.address not in "".join(file.text for file in first.values())


def test_a_pre_release_is_taken_only_where_asked_for(small_index, run):
    small_index.add_wheel("alpha", "1.0")
    small_index.add_wheel("alpha", "2.0rc1")
    site = Site(index=small_index.address)
    assert locked(planned(alpha=ALPHA), site, run).version("alpha") == "1.0"
    asked = planned(alpha={**ALPHA, "version": "2.0rc1"})
    assert locked(asked, site, run).version("alpha") == "2.0rc1"


def test_a_pre_release_that_a_package_needs_is_named(small_index, run):
    small_index.add_wheel("alpha", "1.0", ("beta>=2.0rc1",))
    small_index.add_wheel("beta", "2.0rc1")
    site = Site(index=small_index.address)
    assert refused(planned(alpha=ALPHA), site, run) == (
        "frameworks.alpha: a pre-release is needed, beta==2.0rc1, and none is taken unasked; "
        "add beta==2.0rc1 to `requires:`, or ask for a finished version"
    )
    assert names(locked(planned(alpha={**ALPHA, "requires": ["beta==2.0rc1"]}), site, run))[1] == (
        "beta-2.0rc1-py3-none-any.whl"
    )


def test_a_source_distribution_is_taken_only_where_named(small_index, run):
    small_index.add_wheel("alpha", "1.0", ("beta", "gamma"))
    small_index.add("beta-1.0.tar.gz", sdist("beta", "1.0", ("delta",)))
    small_index.add_wheel("gamma", "1.0")
    small_index.add("gamma-2.0.tar.gz", sdist("gamma", "2.0"))
    for name in ("delta", "setuptools", "cmake"):
        small_index.add_wheel(name, "3.0")
    small_index.add_wheel("cmake", "4.0")
    site = Site(index=small_index.address)
    assert refused(planned(alpha=ALPHA), site, run) == (
        f"frameworks.alpha: beta has no wheel for linux x86_64, glibc 2.28, Python 3.11{ELSE.format('beta')}"
    )
    sdists = [{"name": "beta", "build-requires": ["setuptools", "cmake<4"]}]
    lock = locked(planned(alpha={**ALPHA, "sdists": sdists}), site, run)
    assert names(lock) == [
        "alpha-1.0-py3-none-any.whl",
        "beta-1.0.tar.gz",
        "delta-3.0-py3-none-any.whl",
        "gamma-1.0-py3-none-any.whl",
        "pip-26.0-py3-none-any.whl",
    ]
    assert [package.file.name for package in lock.build_packages] == [
        "cmake-3.0-py3-none-any.whl",
        "setuptools-3.0-py3-none-any.whl",
    ]


def test_a_source_distribution_whose_build_fails_is_named(small_index, run):
    backend = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    texts = {"pyproject.toml": backend, "backend.py": "raise SystemExit('no compiler')\n"}
    small_index.add("alpha-1.0.tar.gz", source_archive("alpha-1.0", texts))
    plan = planned(alpha={**ALPHA, "sdists": [{"name": "alpha", "build-requires": []}]})
    with pytest.raises(WorkError) as caught:
        resolve(plan, Site(index=small_index.address), run, Silent())
    assert str(caught.value) == (
        "frameworks.alpha: alpha==1.0 does not say what it requires without a build, and that fails; "
        "see the log for what the build lacks"
    )
    assert "no compiler" in caught.value.details


def test_a_source_distribution_that_nothing_needs_is_refused(small_index, run):
    small_index.add_wheel("alpha", "1.0")
    plan = planned(alpha={**ALPHA, "sdists": [{"name": "beta", "build-requires": []}]})
    assert refused(plan, Site(index=small_index.address), run) == (
        "frameworks.alpha.sdists: nothing needs beta; take it out"
    )


def test_a_source_distribution_that_does_not_exist_is_refused(small_index, run):
    small_index.add_wheel("alpha", "1.0")
    plan = planned(alpha={**ALPHA, "sdists": [{"name": "alpha", "build-requires": []}]})
    assert refused(plan, Site(index=small_index.address), run) == (
        "frameworks.alpha: alpha is under `sdists:` and has no source distribution; take it out there"
    )


def test_what_cannot_be_had_is_named_for_all_frameworks_at_once(small_index, run):
    small_index.add_wheel("alpha", "1.0", tag="cp311-cp311-manylinux_2_34_x86_64")
    small_index.add_wheel("beta", "1.0", tag="cp310-cp310-manylinux_2_17_x86_64")
    frameworks = dict.fromkeys(("alpha", "beta", "gamma"), ALPHA)
    assert refused(planned(**frameworks), Site(index=small_index.address), run).splitlines() == [
        "frameworks.alpha: alpha has no wheel for linux x86_64, glibc 2.28, Python 3.11 "
        f"(alpha 1.0 has them for manylinux_2_34_x86_64){ELSE.format('alpha')}",
        "frameworks.beta: beta has no wheel for linux x86_64, glibc 2.28, Python 3.11 "
        f"(beta 1.0 has them for Python 3.10){ELSE.format('beta')}",
        "frameworks.gamma: there is no package gamma on the index; "
        "check the name, or name another index in site.yaml",
    ]


def test_requirements_that_exclude_each_other_are_named(small_index, run):
    small_index.add_wheel("alpha", "1.0", ("beta>=2",))
    small_index.add_wheel("beta", "1.0")
    small_index.add_wheel("beta", "2.0")
    plan = planned(alpha={**ALPHA, "requires": ["beta<2"]})
    assert refused(plan, Site(index=small_index.address), run) == (
        "frameworks.alpha: alpha and beta<2 cannot be had together for linux x86_64, glibc 2.28, "
        "Python 3.11; loosen one of them; the log has uv's reasoning"
    )


def test_a_version_that_is_not_there_is_named(small_index, run):
    small_index.add_wheel("alpha", "1.0")
    plan = planned(alpha={**ALPHA, "version": "9.0.0"})
    assert refused(plan, Site(index=small_index.address), run) == (
        "frameworks.alpha: there is no version of alpha==9.0.0 on the index; ask for another version"
    )


def test_a_package_for_other_pythons_is_named(small_index, run):
    small_index.add("alpha-1.0-py3-none-any.whl", wheel("alpha", "1.0", python=">=3.12"))
    assert refused(planned(alpha=ALPHA), Site(index=small_index.address), run) == (
        "frameworks.alpha: alpha==1.0 needs Python >=3.12, not Python 3.11; "
        "name another `python:` or another version"
    )


def test_a_glibc_that_no_wheel_is_made_for_is_refused(small_index, run):
    assert refused(planned(glibc="2.12", alpha=ALPHA), Site(index=small_index.address), run) == (
        "system.glibc: no wheels can be chosen for glibc 2.12; uv knows 2.17 and newer; "
        "use `from: spack` or `from: container`"
    )


def test_two_frameworks_may_exclude_each_other(small_index, run):
    small_index.add_wheel("alpha", "1.0", ("gamma<2",))
    small_index.add_wheel("beta", "1.0", ("gamma>=2",))
    small_index.add_wheel("gamma", "1.0")
    small_index.add_wheel("gamma", "2.0")
    lock = resolve(planned(alpha=ALPHA, beta=ALPHA), Site(index=small_index.address), run, Silent())
    assert [wheels.version("gamma") for wheels in lock.wheels] == ["1.0", "2.0"]
