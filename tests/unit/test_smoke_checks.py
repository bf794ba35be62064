"""Evidence as it was seen on real machines, and what `stackgen test` makes of it."""

from pathlib import Path

import pytest

from stackgen.model import Feature
from stackgen.release import InstalledFramework
from stackgen.run import Outcome
from stackgen.smoke.checks import (
    ending,
    hostile_fault,
    import_fault,
    isolation_fault,
    load_fault,
    packages_fault,
    proof_of,
    requirements_fault,
    script_fault,
    version_fault,
)
from stackgen.smoke.evidence import Evidence, read_evidence

GOOD = Outcome(status=0, stdout="", stderr="")


def framework(prefix: str = "/ai/pythons/six", **packages: str) -> InstalledFramework:
    return InstalledFramework(
        name="six",
        module="six",
        version="1.17.0",
        prefix=prefix,
        python="3.11",
        packages=packages or {"six": "1.17.0"},
        settings={},
    )


def by_spack(version: str = "2.9.0", **packages: str) -> InstalledFramework:
    return framework(**packages).model_copy(update={"source": "spack", "version": version})


def test_a_good_ending_says_nothing():
    assert not ending(GOOD)


@pytest.mark.parametrize(
    ("status", "stderr", "said"),
    [
        (-11, "half a word", "killed by SIGSEGV"),
        (-4, "", "killed by SIGILL, its binaries need instructions that this processor lacks"),
        (1, "first\nlast\n", "last"),
        (
            1,
            "Fatal Python error\nModuleNotFoundError: No module named 'encodings'\n\n<no Python frame>\n",
            "ModuleNotFoundError: No module named 'encodings'",
        ),
        (3, "", "exit status 3"),
    ],
)
def test_a_bad_ending_is_told_in_one_line(status: int, stderr: str, said: str):
    assert ending(Outcome(status=status, stdout="", stderr=stderr)) == said


def test_what_lmod_says_is_told_without_its_layout():
    said = """Lmod has detected the following error: The following module(s) are unknown:
"hpai/six"

Please check the spelling or version number.
While processing the following module(s):
    Module fullname  Module Filename
"""
    assert load_fault(Outcome(status=97, stdout="", stderr=said)) == (
        'The following module(s) are unknown: "hpai/six" Please check the spelling or version number.'
    )
    assert load_fault(Outcome(status=97, stdout="", stderr="bash: module: not found\n")) == (
        "bash: module: not found"
    )


def test_a_framework_that_raises_at_its_import():
    evidence = Evidence(step="end", faults={"imported": "ImportError: libcuda.so.1"})
    assert import_fault(evidence, GOOD) == "ImportError: libcuda.so.1"


def test_a_framework_that_dies_on_the_way():
    died = Outcome(status=-4, stdout="", stderr="")
    assert import_fault(Evidence(step="products"), died) == (
        "killed by SIGILL, its binaries need instructions that this processor lacks, at the step `products`"
    )
    assert import_fault(Evidence(), GOOD) == "ended, at the step `start`"
    assert not import_fault(Evidence(step="end"), GOOD)


def test_evidence_that_is_none_is_empty_evidence(tmp_path: Path):
    (tmp_path / "evidence").write_text('{"step": ')
    assert read_evidence(tmp_path / "evidence") == read_evidence(tmp_path / "nowhere") == Evidence()


@pytest.mark.parametrize(
    ("said", "found", "fault"),
    [
        (None, "1.17.0", ""),
        ("1.17", "1.17.0", ""),
        ("1.16.0", "1.17.0", "it is 1.16.0, and 1.17.0 is locked"),
        (None, "1.16.0", "it is 1.16.0, and 1.17.0 is locked"),
    ],
)
def test_the_version_is_the_locked_one(said: str | None, found: str, fault: str):
    evidence = Evidence(version=said, distributions={"six": found})
    assert version_fault(framework(), "six", evidence) == fault


def test_local_versions_count():
    evidence = Evidence(version="2.13.0", distributions={"torch": "2.13.0+cpu"})
    torch = framework().model_copy(update={"version": "2.13.0+cpu"})
    assert version_fault(torch, "torch", evidence) == "it is 2.13.0, and 2.13.0+cpu is locked"


def test_packages_are_exactly_the_locked_ones():
    wanted = framework(six="1.17.0", numpy="2.4.0", idna="3.1")
    found = {"six": "1.17", "numpy": "2.3.0", "strange": "1"}
    assert packages_fault(wanted, Evidence(distributions=found)) == (
        "idna 3.1 is missing, numpy is 2.3.0 instead of 2.4.0, strange 1 is not in the lock"
    )
    assert not packages_fault(framework(), Evidence(distributions={"six": "1.17.0"}))


def test_many_faults_are_counted():
    wanted = framework(**{f"p{n}": "1" for n in range(8)})
    missing = "p0 1 is missing, p1 1 is missing, p2 1 is missing, p3 1 is missing, p4 1 is missing"
    assert packages_fault(wanted, Evidence()) == f"{missing}, and 3 more"


@pytest.mark.parametrize(
    ("locked", "told", "fault"),
    [
        ("2.9.0", "2.9.0", ""),
        ("2.9.0", "2.9.0+cpu", ""),
        ("2.9.0", "2.9.1", "it is 2.9.1, and 2.9.0 is locked"),
        ("2.9.0", "2.9.0a0+gitabc", "it is 2.9.0a0+gitabc, and 2.9.0 is locked"),
        ("2.9.0", "0.0.0", ""),
        ("develop", "2.10.0a0", ""),
        ("2.9.0", None, ""),
    ],
)
def test_the_version_of_what_spack_builds_is_compared_where_it_can_be(locked, told, fault):
    assert version_fault(by_spack(locked), "torch", Evidence(version=told)) == fault
    found = {"torch": told} if told else {}
    assert version_fault(by_spack(locked), "torch", Evidence(distributions=found)) == fault


def test_of_what_spack_builds_those_packages_are_compared_that_python_knows():
    wanted = by_spack(torch="2.9.0", openblas="0.3.30", numpy="2.3.5")
    found = {"torch": "2.9.0", "numpy": "2.3.4", "functorch": "1.0"}
    assert packages_fault(wanted, Evidence(distributions=found)) == "numpy is 2.3.4 instead of 2.3.5"


def test_everything_comes_from_the_prefix(tmp_path: Path):
    inside = str(tmp_path / "lib/six.py")
    own = framework(str(tmp_path))
    good = Evidence(prefix=str(tmp_path), modules={"six": inside}, path=(str(tmp_path / "lib"),))
    assert not isolation_fault(own, good)
    bad = Evidence(prefix="/conda", modules={"numpy": "/home/numpy.py", "six": inside}, path=("/e",))
    assert isolation_fault(own, bad) == (
        "`python` is the one of /conda, numpy comes from /home/numpy.py, /e is searched"
    )


def test_a_prefix_behind_a_link_is_the_same_prefix(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    real = str(tmp_path / "real")
    evidence = Evidence(prefix=real, modules={"six": f"{real}/six.py"})
    assert not isolation_fault(framework(str(tmp_path / "link")), evidence)


def test_a_hostile_caller_may_keep_python_from_starting():
    died = Outcome(status=1, stdout="", stderr="ModuleNotFoundError: No module named 'encodings'\n")
    assert hostile_fault(framework(), Evidence(), died) == (
        "ModuleNotFoundError: No module named 'encodings', at the step `start`"
    )


ONEDNN_INFO = """\
onednn_verbose,v1,info,oneDNN v3.7.3 (commit N/A)
onednn_verbose,v1,info,cpu,isa:Intel AVX-512 with Intel DL Boost and bfloat16 support
onednn_verbose,v1,primitive,info,template:operation,engine,primitive,implementation,prop_kind,exec_time
"""
TENSORFLOW_ON = (
    "I0000 port.cc:153] oneDNN custom operations are on. You may see slightly different results.\n"
    f"{ONEDNN_INFO}onednn_verbose,v1,primitive,exec,cpu,convolution,brg_conv_fwd:avx512_core,"
    "forward_training,src:f32::blocked:acdb::f0 dst:f32::blocked:acdb::f0,,,mb8,0.1\n"
)
TENSORFLOW_OFF = (
    f"{ONEDNN_INFO}onednn_verbose,v1,primitive,exec,cpu,gemm_api,,undef,"
    "src_f32::blocked:ab:f0 wei_f32::blocked:ab:f0 dst_f32::blocked:ab:f0,,,132x300:300x60,44.2781\n"
)
OLDER = "dnnl_verbose,exec,cpu,matmul,gemm:jit,undef,src_f32::blocked:ab:f0,,,2x3:3x2,0.01\n"
REORDER = "onednn_verbose,v1,primitive,exec,cpu,reorder,jit:blk,undef,src:f32::blocked:abcd::f0,,,8x16,15.1\n"
TORCH = """\
MKL_VERBOSE oneMKL 2024.0 Update 2 Product build 20240605 for Intel(R) 64 architecture, Lnx 2.60GHz lp64
MKL_VERBOSE SGEMM(N,N,48,48,48,0x7ffd,0x2fe9,48,0x2fe9,48,0x7ffd,0x2fea,48) 76.03ms CNR:OFF Dyn:1 NThr:2
MKL_VERBOSE DGEMM(N,N,48,48,48,0x7ffd,0x2feb,48,0x2feb,48,0x7ffd,0x2feb,48) 30.26ms CNR:OFF Dyn:1 NThr:2
"""


@pytest.mark.parametrize(
    ("streams", "proof"),
    [
        (TENSORFLOW_ON, "convolution by brg_conv_fwd:avx512_core"),
        (TENSORFLOW_OFF, ""),
        (OLDER, "matmul by gemm:jit"),
        (REORDER, ""),
        (ONEDNN_INFO, ""),
        (TORCH, ""),
    ],
)
def test_only_work_that_onednn_did_proves_it(streams: str, proof: str):
    assert proof_of(Feature.ONEDNN, streams) == proof


@pytest.mark.parametrize(
    ("streams", "proof"),
    [
        (TORCH, "DGEMM and SGEMM"),
        (TORCH.partition("MKL_VERBOSE DGEMM")[0], ""),
        (TORCH.partition("MKL_VERBOSE SGEMM")[0], ""),
        (TENSORFLOW_ON, ""),
    ],
)
def test_only_products_of_both_precisions_prove_mkl(streams: str, proof: str):
    assert proof_of(Feature.MKL, streams) == proof


def test_every_broken_requirement_is_named():
    said = "a 1 requires b, which is not installed.\nc 1 has requirement d>=2, but you have d 1.\n"
    fault = "a 1 requires b, which is not installed., c 1 has requirement d>=2, but you have d 1."
    assert requirements_fault(Outcome(status=1, stdout=said, stderr="")) == fault
    assert not requirements_fault(Outcome(status=0, stdout="No broken requirements found.\n", stderr=""))
    assert requirements_fault(Outcome(status=1, stdout="", stderr="no pip\n")) == "no pip"


OWN_IMPORT = """\
Traceback (most recent call last):
  File "/ai/bin/tool", line 6, in <module>
    from tool.cli import main
  File "/ai/lib/python3.11/site-packages/tool/cli.py", line 3, in <module>
    numpy.float
AttributeError: module 'numpy' has no attribute 'float'
"""
LATER_IMPORT = """\
Traceback (most recent call last):
  File "/ai/bin/tool", line 10, in <module>
    sys.exit(main())
             ^^^^^^
  File "/ai/lib/python3.11/site-packages/tool/cli.py", line 9, in main
    import tensorboard
ModuleNotFoundError: No module named 'tensorboard'
"""
NO_SUCH_FILE = """\
Traceback (most recent call last):
  File "/ai/bin/tool", line 10, in <module>
    sys.exit(main())
             ^^^^^^
FileNotFoundError: [Errno 2] No such file or directory: '--help'
"""
FOR_MORE = """\
Traceback (most recent call last):
  File "/ai/lib/python3.11/site-packages/tool/hub.py", line 3, in <module>
    from {missing} import serve
ModuleNotFoundError: No module named '{missing}'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/ai/bin/tool", line 6, in <module>
    from tool.hub import main
  File "/ai/lib/python3.11/site-packages/tool/hub.py", line 5, in <module>
    raise ImportError(text) from error
ImportError: this wants more.

To fix this issue, install it
"""


@pytest.mark.parametrize(
    ("missing", "fault"),
    [
        ("jupyterhub", ""),
        ("Six", "ImportError: this wants more."),
        ("tool._core", "ImportError: this wants more."),
    ],
)
def test_a_script_may_say_that_it_is_for_those_who_have_more(missing: str, fault: str):
    outcome = Outcome(status=1, stdout="", stderr=FOR_MORE.format(missing=missing))
    assert script_fault(outcome, {"six": "1.17.0"}) == fault


@pytest.mark.parametrize(
    ("status", "stderr", "fault"),
    [
        (0, "", ""),
        (1, "FATAL Flags parsing error\nPass --helpshort or --helpfull to see help on flags.\n", ""),
        (2, "usage: tool FILE\n", ""),
        (0, "tool.py:30: UserWarning: pkg_resources is deprecated\n  import pkg_resources\n", ""),
        (1, NO_SUCH_FILE, ""),
        (1, OWN_IMPORT, "AttributeError: module 'numpy' has no attribute 'float'"),
        (1, LATER_IMPORT, "ModuleNotFoundError: No module named 'tensorboard'"),
        (127, "env: 'tool': No such file or directory\n", "env: 'tool': No such file or directory"),
        (126, "bash: tool: Permission denied\n", "bash: tool: Permission denied"),
        (124, "did not end within 120 s", "did not end within 120 s"),
        (-11, "", "killed by SIGSEGV"),
    ],
)
def test_a_script_starts_or_says_why_not(status: int, stderr: str, fault: str):
    assert script_fault(Outcome(status=status, stdout="", stderr=stderr)) == fault
