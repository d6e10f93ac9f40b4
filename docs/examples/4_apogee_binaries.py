"""
Fourteen binaries from APOGEE
=============================

The published velocities of Price-Whelan (2022): 321 visits to 14 single-lined binaries from APOGEE,
DR17.
"""

# %%
# The file is downloaded once and verified by its hash. It has no units: ``columns.APOGEE`` gives
# the role and the unit of each column.

import warnings

import astropy.units as u
from astro_hier import BinaryPopulation, SB1Binary, columns, datasets, priors

visits = datasets.fetch_apogee_binaries()
visits[:5]

# %%
# The first star
# --------------

first = visits[visits["APOGEE_ID"] == "2M01282954+8522331"]
star = SB1Binary(columns=columns.APOGEE)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    star.fit(first, random_state=1, progressbar=False)
star.summary()

# %%
# The fit comes with a warning that should not be ignored. The stated errors are some hundred m/s or
# less, and the scatter about a circular orbit is many times that:

print(caught[0].message)

# %%
star.plot_phase()

# %%
# The original gets P = 2.841 d, a = 5.220 +- 0.042, b = -22.749 +- 0.024 and
# v0 = -58.794 +- 0.015 km/s, in 220 s.
#
# All stars
# ---------

population = BinaryPopulation(columns=columns.APOGEE)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    population.fit(visits, random_state=1, progressbar=False)
print(caught[0].message)
population.summary()

# %%
# The original gets mu = 1.813 +- 0.194 and lnsigma = -0.377 +- 0.203, in 502 s.

population.plot_phase()

# %%
population.plot_corner()

# %%
population.plot_population()

# %%
# The column ``p_chi2`` shows that 9 of the 14 stars have errors too small for a circular orbit, and
# ``chi2_per_dof`` that those of six are far too small. The population is not affected, since every
# period is known far better than the population is wide, but do not believe the stars' own errors.

population.star_table()

# %%
# A scatter beyond the stated errors
# ----------------------------------
#
# With a jitter inferred for each star, chi2 is near 1 per degree of freedom, and the errors of
# those six periods grow as their velocities' scatter demands. The log evidence tells whether that
# is worth one more parameter for each star. There is a warning about jitters of so many times the
# errors: they stand in for whatever is not a circular orbit.

jitter = priors.LogUniform(0.01 * u.km / u.s, 10 * u.km / u.s)
jittered = BinaryPopulation(columns=columns.APOGEE, jitter=jitter)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    jittered.fit(visits, random_state=1, progressbar=False)
print(caught[0].message)
for model in (population, jittered):
    print(f"ln p(data) = {model.posterior.attrs['log_evidence']:.0f}")
jittered.star_table()["star", "P", "P_sd", "jitter", "chi2_per_dof"]
