"""Products that are right, and products that only look right."""

import math
import struct

import pytest

from stackgen.smoke.products import DIGITS, ORDER, factors, product_fault

PRECISIONS = sorted(DIGITS)


def as_float32(number: float) -> float:
    return struct.unpack("f", struct.pack("f", number))[0]


def as_tf32(number: float) -> float:
    """Cut to the 11 digits that NVIDIA's TF32 keeps."""
    (bits,) = struct.unpack("I", struct.pack("f", number))
    return struct.unpack("f", struct.pack("I", bits & ~0x1FFF))[0]


def multiplied(left, right, rounded=float):
    """The product with every number and every sum rounded."""
    columns = [[rounded(entry) for entry in column] for column in zip(*right, strict=True)]
    rows = [[rounded(entry) for entry in row] for row in left]
    return [[summed(row, column, rounded) for column in columns] for row in rows]


def summed(row, column, rounded):
    total = 0.0
    for a, b in zip(row, column, strict=True):
        total = rounded(total + rounded(a * b))
    return total


def test_factors_are_the_same_each_time():
    assert factors("float32") == factors("float32")


def test_factors_of_float32_are_numbers_of_float32():
    assert all(entry == as_float32(entry) for matrix in factors("float32") for row in matrix for entry in row)


def test_plain_arithmetic_is_right():
    assert not product_fault("float64", multiplied(*factors("float64")))
    assert not product_fault("float32", multiplied(*factors("float32"), as_float32))


@pytest.mark.parametrize(
    ("precision", "rounded"), [("float64", as_float32), ("float32", as_tf32)], ids=["float32", "tf32"]
)
def test_a_lower_precision_is_found_out(precision, rounded):
    assert product_fault(precision, multiplied(*factors(precision), rounded))


@pytest.mark.parametrize("wrong", [math.nan, math.inf, 0.0])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_one_wrong_entry_is_named(precision, wrong):
    product = multiplied(*factors(precision), as_float32 if precision == "float32" else float)
    right, product[3][5] = product[3][5], wrong
    fault = product_fault(precision, product)
    assert fault.startswith(f"entry (3, 5) of the product is {wrong!r}, and ")
    assert math.isclose(float(fault.split()[-3]), right, rel_tol=1e-4)


@pytest.mark.parametrize("shape", [[], [[1.0]], [[1.0] * ORDER] * (ORDER - 1)])
def test_another_shape_is_refused(shape):
    assert product_fault("float32", shape) == "the product is not 48 x 48"
