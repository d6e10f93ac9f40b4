"""Functions of rows of numbers, compiled by numba so that they run on several numbers at once.

Compilers do so for loops along rows of one array, but neither for those over a few visits nor for
those that call exp, ln or cos. These are polynomials here, to 1e-15.

numba is loaded with this module, which therefore is imported where it is needed; what it compiles
is kept on disk.
"""

import numpy as np
from numba import njit

FAST = {"fastmath": {"contract", "nsz", "arcp"}, "error_model": "numpy", "cache": True,
        "nogil": True}  # fmt: skip
LANES = 128  # length of a row
LINE = 8  # numbers in a line of a cache
LN2 = float(np.log(2.0))
TWO_PI = 2 * np.pi
MANTISSA, ONE, MIDDLE = (1 << 52) - 1, 1023 << 52, 1023  # of a number's bits
LEAST = -700.0  # what exp takes for minus infinity


@njit(**FAST)
def aligned(rows):
    """An array whose rows begin where caches' lines do."""
    whole = np.empty(rows * LANES + LINE)
    first = (-whole.ctypes.data // 8) % LINE
    return whole[first : first + rows * LANES].reshape(rows, LANES)


@njit(**FAST)
def zero(work, first, last):
    for row in range(first, last):
        for lane in range(LANES):
            work[row, lane] = 0.0


@njit(**FAST)
def dot(work, first, second, rows, out):
    zero(work, out, out + 1)
    for row in range(rows):
        for lane in range(LANES):
            work[out, lane] += work[first + row, lane] * work[second + row, lane]


@njit(**FAST)
def ln(work, row, other):
    """ln of a row of positive numbers, in place; ``other`` is room for a row."""
    bits = work.view(np.int64)
    for lane in range(LANES):
        of = bits[row, lane]
        work[other, lane] = float((of >> 52) - MIDDLE)
        bits[row, lane] = (of & MANTISSA) | ONE
    for lane in range(LANES):
        x, exponent = work[row, lane], work[other, lane]
        large = x > 1.4142135623730951
        x = 0.5 * x if large else x
        exponent = exponent + 1.0 if large else exponent
        s = (x - 1) / (x + 1)
        z = s * s
        series = 1 / 21
        series = series * z + 1 / 19
        series = series * z + 1 / 17
        series = series * z + 1 / 15
        series = series * z + 1 / 13
        series = series * z + 1 / 11
        series = series * z + 1 / 9
        series = series * z + 1 / 7
        series = series * z + 1 / 5
        series = series * z + 1 / 3
        work[row, lane] = exponent * LN2 + 2 * (s + s * z * series)


@njit(**FAST)
def exp(work, row, other):
    """exp of a row of numbers below 700, in place; ``other`` is room for a row."""
    bits = work.view(np.int64)
    for lane in range(LANES):
        x = max(work[row, lane], LEAST)
        n = np.floor(x / LN2 + 0.5)
        work[other, lane] = n
        x -= n * LN2
        series = 1 / 479001600
        series = series * x + 1 / 39916800
        series = series * x + 1 / 3628800
        series = series * x + 1 / 362880
        series = series * x + 1 / 40320
        series = series * x + 1 / 5040
        series = series * x + 1 / 720
        series = series * x + 1 / 120
        series = series * x + 1 / 24
        series = series * x + 1 / 6
        series = series * x + 0.5
        work[row, lane] = 1 + x + x * x * series
    for lane in range(LANES):
        bits[other, lane] = (int(work[other, lane]) + MIDDLE) << 52
    for lane in range(LANES):
        work[row, lane] *= work[other, lane]


@njit(**FAST)
def turn(work, row, sine_row):
    """Cosine in place of a row of cycles, and sine in ``sine_row``."""
    for lane in range(LANES):
        cycles = work[row, lane]
        cycles -= np.floor(cycles + 0.5)
        quarter = np.floor(4 * cycles + 0.5)
        x = TWO_PI * (cycles - 0.25 * quarter)
        z = x * x
        s = -1 / 1307674368000
        s = s * z + 1 / 6227020800
        s = s * z - 1 / 39916800
        s = s * z + 1 / 362880
        s = s * z - 1 / 5040
        s = s * z + 1 / 120
        s = s * z - 1 / 6
        s = x + x * z * s
        c = 1 / 20922789888000
        c = c * z - 1 / 87178291200
        c = c * z + 1 / 479001600
        c = c * z - 1 / 3628800
        c = c * z + 1 / 40320
        c = c * z - 1 / 720
        c = c * z + 1 / 24
        c = 1 - 0.5 * z + z * z * c
        size = abs(quarter)  # 0, 1 or 2
        odd = size == 1.0
        cosine, sine = (s if odd else c), (c if odd else s)
        # a quarter to the right: (-s, c); to the left: (s, -c); half a turn: (-c, -s)
        work[row, lane] = -cosine if (size == 2.0 or quarter == 1.0) else cosine
        work[sine_row, lane] = -sine if (size == 2.0 or quarter == -1.0) else sine
