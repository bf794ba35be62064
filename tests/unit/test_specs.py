"""What is read of specs without Spack."""

import pytest

from stackgen.model.specs import named_version, package_name, pinned, python_in, version_in


@pytest.mark.parametrize(
    ("spec", "package", "asked", "named"),
    [
        ("hdf5", "hdf5", "", ""),
        ("hdf5@1.14 +mpi", "hdf5", "1.14", "1.14"),
        ("hdf5 +mpi @1.14", "hdf5", "1.14", "1.14"),
        ("gcc@=13.2.0+nls", "gcc", "13.2.0", "13.2.0"),
        ("gcc @12:", "gcc", "12:", ""),
        ("gcc@11,13", "gcc", "11,13", ""),
        ("hdf5 %gcc@13", "hdf5", "", ""),
        ("hdf5 ^zlib@1.3", "hdf5", "", ""),
        ("hdf5@develop", "hdf5", "develop", "develop"),
        ("hdf5@git.main=1.14", "hdf5", "1.14", "1.14"),
        ("builtin.hdf5@1.14", "hdf5", "1.14", "1.14"),
        ("intel-oneapi-mpi@2021.12.1", "intel-oneapi-mpi", "2021.12.1", "2021.12.1"),
        ("+mpi", "", "", ""),
        ("", "", "", ""),
    ],
)
def test_a_spec_names_its_package_and_its_version(spec: str, package: str, asked: str, named: str) -> None:
    assert (package_name(spec), version_in(spec), named_version(spec)) == (package, asked, named)


@pytest.mark.parametrize(
    ("spec", "whole"),
    [
        ("caffe", "caffe@1.0 ^python@3.11"),
        ("caffe@0.9 ~cuda", "caffe@0.9 ~cuda ^python@3.11"),
        ("builtin.caffe ^python", "builtin.caffe@1.0 ^python@3.11"),
        ("caffe ^python@3.9", "caffe@1.0 ^python@3.9"),
        ("caffe ^python-venv", "caffe@1.0 ^python-venv ^python@3.11"),
    ],
)
def test_what_a_spec_leaves_open_is_filled_in(spec: str, whole: str) -> None:
    assert pinned(spec, "1.0", "3.11") == whole
    assert python_in(whole) == whole.rpartition("@")[2]
