"""Claims about what the words of a command line mean."""

import argparse

import astropy.units as u
import pytest

from astro_hier import populations, priors, profiles
from astro_hier.cli.values import read_setting


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("outliers=True", ("outliers", True)),
        ("outliers=none", ("outliers", None)),
        ("profile=profiles.CoreHalo()", ("profile", profiles.CoreHalo())),
        ("error_scale=Uniform(0.5, 2)", ("error_scale", priors.Uniform(0.5, 2))),
        ("trend = 2", ("trend", 2)),
        ("zero_point=-0.029 mas", ("zero_point", -0.029 * u.mas)),
        ("zero_point=zpt", ("zero_point", "zpt")),
        ("error_scale=1.2", ("error_scale", 1.2)),
        ("parallax_covariance=Lindegren+20", ("parallax_covariance", "Lindegren+20")),
        ("period_range=1 d, 2 yr", ("period_range", (1 * u.day, 2 * u.yr))),
        ("profile=CoreHalo", ("profile", profiles.CoreHalo())),
        ("amplitude=PeriodScaled(30 km/s, 1 yr, -0.33)",
         ("amplitude", priors.PeriodScaled(30 * u.km / u.s, 1 * u.yr, -0.33))),
        ("trend=(Normal(0 km/s/yr, 1 km/s/yr),)",
         ("trend", (priors.Normal(0 * u.km / u.s / u.yr, 1 * u.km / u.s / u.yr),))),
        ("period_range=(1 d, 2 yr)", ("period_range", (1 * u.day, 2 * u.yr))),
        ("selection=3 stars.csv", ("selection", "3 stars.csv")),
        ("e=Beta(1, 3, 0, 0.9)", ("e", priors.Beta(1, 3, upper=0.9))),
        ("jitter=LogNormalJitter", ("jitter", populations.LogNormalJitter())),
    ],
)  # fmt: skip
def test_arguments_are_numbers_quantities_or_words(text, expected):
    families = {"profile": (profiles.CoreHalo,), "jitter": (populations.LogNormalJitter,)}
    assert read_setting(text, families) == expected


def test_families_that_the_shell_does_not_know_are_listed():
    with pytest.raises(argparse.ArgumentTypeError, match="expected one of Normal, LogNormal"):
        read_setting("population=Lognormal", {"population": populations.OF_ANY_QUANTITY})
