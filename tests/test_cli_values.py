"""Claims about what the words of a command line mean."""

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
        ("jitter=LogNormalJitter", ("jitter", populations.LogNormalJitter())),
    ],
)
def test_arguments_are_numbers_quantities_or_words(text, expected):
    families = {"profile": (profiles.CoreHalo,), "jitter": (populations.LogNormalJitter,)}
    assert read_setting(text, families) == expected
