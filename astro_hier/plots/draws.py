"""What figures of draws show: which quantities, and the draws of each."""

from dataclasses import dataclass, replace

import numpy as np

from astro_hier.plots.limits import power_of, with_power
from astro_hier.plots.strokes import NothingToDraw
from astro_hier.plots.style import verbatim
from astro_hier.posterior import label_of, scales_of

__all__ = ["MANY_PANELS", "Shown", "chosen_of", "count_from"]

MAX_DIGITS = 3.5  # of ticks, above which a reference is subtracted
MANY_PANELS = 9  # quantities from which text is smaller and rows are lower


@dataclass(frozen=True)
class Shown:
    """One quantity in a figure of draws: its parameter, the element of it, labels, and draws.

    Draws are in the unit times a power of ten.
    """

    name: str
    element: int
    symbol: str
    unit: str
    draws: np.ndarray
    power: int = 0

    @property
    def label(self) -> str:
        """The unit as it follows a symbol on an axis."""
        return with_power(self.unit, self.power)

    def say(self, number: str) -> str:
        """A number in TeX, such as a mean with its error, with the unit."""
        factor = rf" \times 10^{{{self.power}}}" if self.power else ""
        number = f"({number})" if factor and "pm" in number else number
        return f"${number}{factor}$ {self.unit.strip(' []')}".rstrip()


def chosen_of(model, var_names, units):
    """What to show: parameters, every varying element of those with several, and quantities."""
    others = {quantity.name: (quantity, draws) for quantity, draws in model.drawn_quantities()}
    if var_names is None:
        scales = scales_of(model)
        each = (p.name for p in model.parameters if p.dims == ("instrument",))
        names = [*(scales.get(name, name) for name in model.drawn_names()), *each]
        names = names or [p.name for p in model.parameters_of_summary() if p.dims]
    else:
        names = [var_names] if isinstance(var_names, str) else list(var_names)
        if not names:
            model.parameters_named(names)  # raises an error that lists them
    chosen = []
    for name in names:
        if name in others:
            chosen.append(_whole(*others[name], units))
        else:
            chosen += _elements(model, model.parameter(name), units)
    if not chosen:
        raise NothingToDraw("no parameter was inferred, so there is no distribution to draw")
    return chosen


def _elements(model, parameter, units):
    """One parameter, or each element of it that varies."""
    if model.item in parameter.dims:
        raise ValueError(
            f"{parameter.name} has a value for each {model.item}; this figure is for"
            f" {[p.name for p in model.parameters if model.item not in p.dims]}"
        )
    draws = model.posterior[parameter.name]
    if not parameter.dims:
        yield _whole(parameter, draws.values, units)
        return
    (dim,) = parameter.dims
    for i, label in enumerate(draws[dim].values):
        each = draws.isel({dim: i}).values
        if np.ptp(each) > 0:  # the offset of the first instrument does not vary
            shown, place = _whole(parameter, each, units), verbatim(label_of(label))
            place = f"({place})" if draws[dim].dtype.kind == "f" else f" {place}"
            yield replace(shown, element=i, symbol=shown.symbol + place)


def _whole(parameter, draws, units):
    own, name = parameter.unit, parameter.name
    shown = replace(parameter, unit=units.of(own, name))
    draws = draws * units.factor(own, name)
    power = power_of(draws)
    draws = draws / 10.0**power if power else draws
    return Shown(name, 0, f"${shown.symbol}$", shown.unit_label, draws, power)


def count_from(axis, draws) -> str:
    """Let ticks count from a value near the draws if they had many digits; returns what to add.

    That is what the label has to say, such as " - 7.3", or nothing.
    """
    reference, formatter = _reference(draws), axis.get_major_formatter()
    formatter.set_useOffset(reference)
    formatter.set_scientific(False)
    axis.get_offset_text().set_visible(False)
    return f" - {reference:.15g}".replace("- -", "+ ") if reference else ""


def _reference(draws) -> float:
    """What to subtract from ticks that would have too many digits to be read, or zero."""
    step = np.ptp(draws) / 3
    if not 0 < step < np.abs(draws.mean()) * 10.0**-MAX_DIGITS:
        return 0.0
    return float(np.round(draws.mean(), int(-np.floor(np.log10(3 * step)))))
