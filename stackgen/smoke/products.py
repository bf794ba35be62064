"""Matrix products that can be judged: the exact result, and how far rounding may lead from it."""

import math
import random
from collections.abc import Sequence
from fractions import Fraction

ORDER = 48
DIGITS = {"float32": 24, "float64": 53}
"""Binary digits of a significand, the leading one included."""

Matrix = Sequence[Sequence[float]]


def factors(precision: str) -> tuple[Matrix, Matrix]:
    """Two matrices of numbers between -1/2 and 1/2 that use every digit of a precision; always the same."""
    unit = 2.0 ** -DIGITS[precision]
    left, right = _significands(precision)
    return [[entry * unit for entry in row] for row in left], [
        [entry * unit for entry in row] for row in right
    ]


def _significands(precision: str) -> tuple[list[list[int]], list[list[int]]]:
    source, half = random.Random(ORDER), 2 ** (DIGITS[precision] - 1)  # noqa: S311 - no secret
    left, right = (
        [[source.randrange(-half, half) for _ in range(ORDER)] for _ in range(ORDER)] for _ in "ab"
    )
    return left, right


def product_fault(precision: str, found: Matrix) -> str:
    """What is wrong with a product of the factors; empty where nothing is.

    In any order of summation, fused or not, an entry is off by at most n·u/(1-n·u) times the product of the
    factors' absolute values (Higham, Accuracy and Stability of Numerical Algorithms, section 3.5). A product
    in a lower precision, TF32 for float32 say, is further off.
    """
    if [len(row) for row in found] != [ORDER] * ORDER:
        return f"the product is not {ORDER} x {ORDER}"
    left, right = _significands(precision)
    columns = list(zip(*right, strict=True))
    unit = Fraction(1, 2 ** (2 * DIGITS[precision]))
    rounding = Fraction(ORDER, 2 ** DIGITS[precision])
    for i, row in enumerate(left):
        for j, column in enumerate(columns):
            terms = [a * b for a, b in zip(row, column, strict=True)]
            exact, tolerance = sum(terms) * unit, rounding / (1 - rounding) * sum(map(abs, terms)) * unit
            if not math.isfinite(found[i][j]) or abs(Fraction(found[i][j]) - exact) > tolerance:
                return f"entry ({i}, {j}) of the product is {found[i][j]!r}, and {float(exact)!r} is right"
    return ""
