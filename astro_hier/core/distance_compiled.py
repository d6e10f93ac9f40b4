"""The loops of `distance_expansion`, compiled by numba.

numba is loaded with this module, which therefore is imported where it is needed; what it compiles
is kept on disk.
"""

from numba import njit

from astro_hier.core import distance_expansion

# not "nnan" and "ninf": where the series does not hold, anything may come out
FAST = {"fastmath": {"reassoc", "contract", "arcp", "nsz"}, "error_model": "numpy", "nogil": True}

_peak, _is_good, _log_integral, _moments = (
    njit(function, inline="always", **FAST)
    for function in (
        distance_expansion.peak,
        distance_expansion.is_good,
        distance_expansion.log_integral,
        distance_expansion.moments,
    )
)


@njit(cache=True, **FAST)
def integrate(q, Cx, Cy, value, argument, good):
    """`distance_expansion.log_integral` and `distance_expansion.is_good`, into the last three."""
    for k in range(len(q)):
        X, Y, f_1, f_2, f_3, S = _peak(q[k], Cx[k], Cy[k])
        good[k] = _is_good(q[k], Cx[k], Cy[k], f_1, f_2, f_3, S)
        value[k], argument[k] = _log_integral(X, Y, Cx[k], Cy[k], f_1, f_2, f_3, S)


@njit(cache=True, **FAST)
def describe(q, Cx, Cy, mean, variance, good):
    """`distance_expansion.moments` and `distance_expansion.is_good`, into the last three."""
    for k in range(len(q)):
        X, _, f_1, f_2, f_3, S = _peak(q[k], Cx[k], Cy[k])
        good[k] = _is_good(q[k], Cx[k], Cy[k], f_1, f_2, f_3, S)
        mean[k], variance[k] = _moments(X, f_1, f_2, f_3, S)
