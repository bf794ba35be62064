"""Kernels, all-reduces and imports: what is computed of rounds, and what people see."""

import pytest

from stackgen.bench.alternating import measured, paired, result
from stackgen.bench.collectives import BARE, HOROVOD, Collectives, Message, collectives_table, messages, turns
from stackgen.bench.kernels import MACHINE, OURS, PIP, Kernels, Rate, kernels_table, rates
from stackgen.bench.startup import Start, Startup, counted, startup_table
from stackgen.errors import WorkError
from stackgen.progress import Silent
from stackgen.run import Outcome


def outcome(stdout: str, status: int = 0, stderr: str = "") -> Outcome:
    return Outcome(status=status, stdout=stdout, stderr=stderr)


def test_sides_run_in_turn_and_the_last_line_is_the_result():
    order: list[str] = []

    def side(name: str, value: str):
        def run() -> Outcome:
            order.append(name)
            return outcome(f'a warning\n{{"rates": {{"GEMM": {value}}}}}\n')

        return run

    found = measured({"a": side("a", "1.0"), "b": side("b", "2.0")}, 2, "rates", "title", Silent())
    assert order == ["a", "b", "b", "a"]
    assert found == {"a": [{"GEMM": 1.0}] * 2, "b": [{"GEMM": 2.0}] * 2}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (outcome("", 1, "Traceback\nImportError: no torch\n"), "(exit status 1): ImportError: no torch"),
        (outcome("no JSON\n"), "(exit status 0): no JSON"),
        (outcome(""), "(exit status 0): it said nothing"),
    ],
)
def test_a_program_that_measures_nothing_is_told(given: Outcome, said: str):
    with pytest.raises(WorkError) as error:
        result(given, "pip")
    assert str(error.value) == f"pip cannot be measured {said}"


def test_ratios_are_of_the_same_round():
    ours, theirs = [{"x": 1.0}, {"x": 10.0}, {"x": 2.0}], [{"x": 1.0}, {"x": 10.0}, {"x": 1.0}]
    assert paired(ours, theirs, "x") == 1.0
    assert paired(ours, [], "x") is None


def test_rates_against_pip_and_the_machine():
    found = {
        OURS: [{"GEMM float32": 80e9, "GEMM bfloat16": 300e9}],
        PIP: [{"GEMM float32": 80e9, "GEMM bfloat16": 150e9}],
        MACHINE: [{"GEMM float32": 100e9, "copy": 20e9}],
    }
    made = Kernels(
        title="kernels of pytorch 2.13.0",
        rates=rates(found),
        peak=100e9,
        copy=20e9,
        notes=(),
        raw=found,
    )
    assert made.rates[1] == Rate(kernel="GEMM bfloat16", delivered=300e9, pip=150e9, ratio=2, share=None)
    assert kernels_table(made) == (
        "kernels of pytorch 2.13.0\n\n"
        "kernel         delivered GFLOP/s  pip GFLOP/s  ratio  of the peak\n"
        "GEMM float32                80.0         80.0  1.000       80.0 %\n"
        "GEMM bfloat16              300.0        150.0  2.000            -\n"
        "the machine: 100.0 GFLOP/s by a bare BLAS, copies 20.0 GB/s"
    )


def test_without_a_peer_only_what_is_delivered_is_told():
    note = "not compared with pip's wheel: there is none"
    found = {OURS: [{"GEMM float32": 80e9}]}
    made = Kernels(title="kernels", rates=rates(found), peak=None, copy=None, notes=(note,), raw=found)
    assert kernels_table(made).splitlines()[-2:] == [
        "GEMM float32               80.0            -      -            -",
        note,
    ]


def test_messages_against_bare_mpi():
    found = {HOROVOD: [{"1024": 20e-6}], BARE: [{"1024": 10e-6}]}
    assert messages(found, (1024,)) == (
        Message(way=HOROVOD, size=1024, seconds=20e-6, reference=10e-6, ratio=2.0),
    )
    made = Collectives(title="all-reduce", ranks=2, messages=messages(found, (1024,)), notes=(), raw=found)
    assert collectives_table(made) == (
        "all-reduce\n\n"
        "     by  bytes  µs  MB/s   against  µs   MB/s  time ratio\n"
        "Horovod   1024  20  51.2  bare MPI  10  102.4       2.000"
    )


def test_large_messages_are_sent_less_often():
    assert [turns(size, 300) for size in (1 << 10, 1 << 20, 1 << 26)] == [300, 64, 7]


def test_files_opened_and_looked_up_are_counted_in_a_trace():
    calls = """\
17 execve("/usr/bin/python3", ["python3"], 0x7f /* 3 vars */) = 0
17 openat(AT_FDCWD, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3
17 openat(AT_FDCWD, "/lib/libx.so", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory)
17 newfstatat(AT_FDCWD, "/usr/lib", {st_mode=S_IFDIR|0755}, 0) = 0
17 +++ exited with 0 +++
"""
    assert counted(calls) == (1, 4)


def test_starts_are_told_with_what_is_not_known():
    starts = (
        Start(who=OURS, warm=1.5, cold=None, opened=100, looked_up=None),
        Start(who=PIP, warm=1.5, cold=None, opened=101, looked_up=None),
    )
    made = Startup(title="start of pytorch 2.13.0", starts=starts, ratio=1.0, notes=("a note",), raw={})
    assert startup_table(made) == (
        "start of pytorch 2.13.0\n\n"
        "           warm s  cold s  files opened  looked up\n"
        "delivered     1.5       -           100          -\n"
        "pip           1.5       -           101          -\n"
        "delivered / pip, warm: 1.000\n"
        "a note"
    )
