"""
From velocities to a paper's table of elements
==============================================

Six stars with companions on eccentric orbits of 71 days to 34 years: 297 velocities from the
California Legacy Survey (Rosenthal et al. 2021, ApJS 255, 8).
"""

# %%
# The velocities and the published orbits, as two tables with units, lie in
# ``eccentric_binaries``, beside the folder of the APOGEE binaries that the variable
# ``ASTRO_HIER_DATA`` names. The instruments ``k`` and ``j`` are one spectrograph before and after
# it got a new detector, and each has its own zero point.

import os
import warnings
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astro_hier import SB1Binary, datasets, priors

folder = Path(os.environ[datasets.DATA_FOLDER]).parent / "eccentric_binaries"
velocities = QTable.read(folder / "velocities.ecsv")
published = QTable.read(folder / "published_orbits.ecsv")
velocities[:3]

# %%
# A circle first
# --------------
#
# HD 65430 has 56 visits. Nothing is assumed of its period, from a day to 82 years. The zero points
# of the instruments differ by Normal(0, 100 m/s), and velocities scatter by a jitter beyond their
# stated errors, for stars do. The velocity due to a companion of a given mass falls with the
# period: the widths of both amplitudes' :class:`~astro_hier.priors.PeriodScaled` prior are 5 km/s
# at a year and half of that at eight, enough for light stars and brown dwarfs.

ms, kms = u.m / u.s, u.km / u.s
options = {
    "P": priors.LogUniform(1 * u.day, 30_000 * u.day),
    "amplitude": priors.PeriodScaled(5 * kms, period=1 * u.yr),
    "v0": priors.Normal(0 * kms, 10 * kms),
    "instrument": "instrument",
    "offset": priors.Normal(0 * ms, 100 * ms),
    "jitter": priors.LogUniform(0.1 * ms, 100 * ms),
}
one = velocities[velocities["star"] == "HD 65430"]
circle = SB1Binary(**options, shared_jitter=True)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    circle.fit(one, random_state=1, progressbar=False)
for name in ("P", "K", "jitter"):
    draws = circle.samples(name)
    print(f"{name} = {draws.mean():.5g} +- {draws.std():.2g}")

# %%
# That looks like a result, and is none: K is 15 of its own standard errors too low, as will be
# seen. The jitter lies at the upper end of its prior, eighty times the errors, and the warnings
# say what it stands for.

for warning in caught:
    print(f"- {warning.message}\n")

# %%
# The orbit is eccentric
# ----------------------
#
# ``eccentricity=True`` has the prior Beta(0.867, 3.03) of Kipping (2013), cut at 0.95. Each
# instrument now has its own jitter.

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    star = SB1Binary(eccentricity=True, **options)
    star.fit(one, random_state=1, progressbar=False)
star.summary()

# %%
# The jitters are 2 to 3 m/s, as of a quiet star, and the semi-amplitude is 1.47 km/s instead of
# the circle's 1.13. One warning is left:

for warning in caught:
    print(warning.message)

# %%
# That visit is the last before the steep fall of the velocity at periastron, where the figure
# has it. Against the phase since periastron the orbit leaves no pattern in the residuals, whose
# error bars include the jitter.

star.plot_phase()

# %%
# All periods from a day to 82 years were searched with all eccentricities, and one mode has all the
# probability: elsewhere in the periodogram ln p is lower by a thousand or more.

star.modes()

# %%
star.plot_periodogram()

# %%
# How much better is the ellipse than the circle, a constant velocity, or any of these without a
# jitter? ``compare`` computes the evidence of each. The eccentric orbit with a jitter has all the
# probability: the jitter, too, is needed, by 92 in ln of the evidence.

SB1Binary(shared_jitter=True, **options).compare(one, trend=0)

# %%
# ``elements()`` has the median and the ends of the central 68 percent of each element, and of what
# follows from them. ``omega`` is that of the star, and ``T_conj`` the conjunction with the
# companion in front of it.

star.elements()

# %%
# Six stars, one table
# --------------------
#
# The other stars are fitted with the same priors. The orbit of HD 4747 takes longer than the 22
# years it was observed for, so its periods go to 100,000 d.

longer = {"HD 4747": {"P": priors.LogUniform(1 * u.day, 100_000 * u.day)}}
found = {}
for name in published["star"]:
    one = velocities[velocities["star"] == name]
    model = SB1Binary(eccentricity=True, **options | longer.get(name, {}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(one, random_state=1, progressbar=False)
    found[name] = model.elements()
    best = model.modes()["probability"][0]
    print(f"{name}: probability of the best mode {best:.3f}")

# %%
# Each element is printed to two digits of its error, half the interval.


def quoted(column):
    """The median of an element and its error, as papers print them."""
    median, low, high = column.value
    digits = column.info.format
    return f"{median:{digits}} ± {0.5 * (high - low):{digits}}"


paper = QTable({"star": list(found)})
for name in ("P", "e", "omega", "K", "T_peri", "a1_sini"):
    unit = str(found["HD 4747"][name].unit)
    paper[f"{name} [{unit}]" if unit else name] = [
        quoted(of[name]) for of in found.values()
    ]
paper

# %%
# Against the published orbits
# ----------------------------
#
# P, e, K and omega minus the published ones, in combined errors: all agree. The published omega
# of three stars differs by half a turn (column ``turns``) and is that of the companion: their
# published times of conjunction are those found here, to less than a hundredth of a period, and
# would be nearly half a period off if that omega were the star's.


def difference(name, elements, row, offset=0):
    """An element minus the published one and an offset, in combined errors."""
    median, low, high = u.Quantity(elements[name])
    before = [u.Quantity(row[name + end]) for end in ("", "_low", "_high")]
    error = 0.5 * np.hypot(high - low, before[2] - before[1])
    return ((median - before[0] - offset) / error).to_value(u.one)


rows = []
for elements, row in zip(found.values(), published, strict=True):
    angle = elements["omega"][0] - row["omega"]
    turns = 0.5 * np.round(angle / (np.pi * u.rad))
    cycles = (elements["T_conj"][0] - row["T_conj"]) / row["P"]
    rows.append(
        (
            row["star"],
            *(difference(name, elements, row) for name in ("P", "e", "K")),
            difference("omega", elements, row, turns * 2 * np.pi * u.rad),
            np.abs(turns.value),
            (cycles - np.round(cycles)).value,
        )
    )
names = ("star", "P", "e", "K", "omega", "turns", "T_conj / P")
against = QTable(rows=rows, names=names)
for name in ("P", "e", "K", "omega", "T_conj / P"):
    against[name].info.format = ".2f" if name != "T_conj / P" else ".3f"
against

# %%
# Every fit had nothing to start from but the velocities: no period, no guess of the orbit.
