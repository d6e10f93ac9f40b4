r"""Values and errors as papers print them.

Both errors are rounded to the decimals at which the smaller one has two significant digits, and the
value to the same: 0.0734 and 0.0812 about 12.3456 become 12.346 +0.081 -0.073. This is the Particle
Data Group's rule (Workman et al. 2022, PTEP 083C01, section 5.3) without its exception that errors
whose digits are above 354 keep one only. Errors that are then equal become one, with \pm. Very
large and very small numbers share a power of ten.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["MINUS", "Rounded", "rounded", "without_power"]

DIGITS = 2  # of the smaller error
LARGE, SMALL = 1e6, 1e-3  # at and below which numbers are given with a power of ten
MOST_DECIMALS = 15
MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True)
class Rounded:
    """A value and its errors as text, times ten to some power; the errors may be empty."""

    value: str
    minus: str = ""
    plus: str = ""
    power: int = 0

    def latex(self) -> str:
        """In TeX, with dollars."""
        joined = self._joined(r" \pm ", "^{+%s}_{-%s}", r" \times 10^{%d}")
        return f"${joined}$"

    def html(self) -> str:
        """In HTML."""
        joined = self._joined(" ± ", "<sup>+%s</sup><sub>-%s</sub>", f" {TIMES} 10<sup>%d</sup>")
        return joined.replace("-", MINUS)

    def text(self) -> str:
        """In plain characters."""
        return self._joined(" ± ", " +%s -%s", " e%d")

    def _joined(self, equal, unequal, power):
        if not self.plus:
            both = self.value
        elif self.plus == self.minus:
            both = f"{self.value}{equal}{self.plus}"
        else:
            both = self.value + unequal % (self.plus, self.minus)
        if not self.power:
            return both
        bare = not self.plus
        return (both if bare else f"({both})") + power % self.power


def rounded(value: float, minus: float | None = None, plus: float | None = None) -> Rounded:
    """A value with the distances to the ends of an interval, rounded to the smaller of these.

    Without errors it is rounded to six significant digits; what is not finite is an empty value.
    """
    if not np.isfinite(value):
        return Rounded("")
    errors = [float(e) for e in (minus, plus) if e is not None and np.isfinite(e)]
    known = [error for error in errors if error > 0]
    if not known:
        return _alone(value)
    largest = max(abs(value), *known)
    decimals = _decimals(min(known))
    power = 0
    if largest < SMALL or (largest >= LARGE and decimals < 0):
        power = int(np.floor(np.log10(largest)))
    shown, below, above = (_fixed(x, decimals, power) for x in (value, errors[0], errors[-1]))
    return Rounded(shown, below, above, power)


def without_power(said: str) -> str:
    """A number such as "3.84e+04" as "38400", unless it is so large that it needs its power."""
    large = "e+" in said and abs(float(said)) < LARGE
    return f"{float(said):.0f}" if large else said


def _alone(value):
    """A value without errors."""
    size = abs(value)
    if size == 0 or SMALL <= size < LARGE:
        return Rounded(f"{value:.6g}")
    mantissa, _, power = f"{value:.5e}".partition("e")
    return Rounded(mantissa.rstrip("0").rstrip("."), power=int(power))


def _decimals(error):
    """The number of decimals at which an error has two significant digits, once rounded."""
    decimals = DIGITS - 1 - int(np.floor(np.log10(error)))
    if round(error, decimals) >= 10.0 ** (DIGITS - decimals):  # 0.0996 is 0.10
        decimals -= 1
    return decimals


def _fixed(number, decimals, power):
    """A number rounded to some decimals, negative ones too, in units of a power of ten."""
    after = int(np.clip(decimals + power, 0, MOST_DECIMALS))
    text = f"{round(number, decimals) / 10.0**power:.{after}f}"
    return text.lstrip("-") if float(text) == 0 else text
