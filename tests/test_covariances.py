"""Claims about covariances of parallaxes: those published, and angles between stars."""

import astropy.units as u
import numpy as np
import pytest
from test_sky import field

from astro_hier import covariances


@pytest.mark.parametrize(
    ("name", "at_zero", "at_one_degree"),
    [
        # 285 exp(-1 / 14) and 142 exp(-1 / 16), in 1e-6 mas^2
        ("Lindegren+18", 285e-6, 265.3523e-6),
        ("Lindegren+20", 142e-6, 133.3967e-6),
        # 300 + 2000 sin(pi / 4) / (pi / 4); at 1 deg sin(2.25 pi) / (2.25 pi) = 0.100035
        ("Vasiliev+19", 2100.63e-6, 485.44e-6),
        # 50 + 70; 50 / (1 + 1 / 0.3) + 70 exp(-1 / 30 - 1 / 2500)
        ("Vasiliev & Baumgardt 21", 120e-6, 79.216e-6),
    ],
)
def test_published_covariances(name, at_zero, at_one_degree):
    function = covariances.COVARIANCES[name]
    found = function([0, 60] * u.arcmin).to_value(u.mas**2)
    np.testing.assert_allclose(found, [at_zero, at_one_degree], rtol=2e-5)


def test_covariances_are_of_the_angles_between_stars():
    from astropy.coordinates import SkyCoord

    ra, dec, _ = field(30, 90, seed=2)
    stars = SkyCoord(ra, dec, unit="deg")
    angles = stars[:4, None].separation(stars)
    between = covariances.as_covariance(lambda angle: (1 + angle.to_value(u.deg)) * u.mas**2)
    found = between(ra[:4], dec[:4], ra, dec)
    np.testing.assert_allclose(found, 1 + angles.deg, atol=1e-9)
