r"""Published covariances of Gaia's parallaxes, as functions of the angle between two stars.

The errors of neighbouring stars have a common part, which does not average out over a cluster. It
was measured with quasars and stars of known distance. Each function takes a separation and returns
a covariance, both Quantities; in the formulas, :math:`\theta` is in degrees and the result in
mas\ :sup:`2`.
"""

import astropy.units as u
import numpy as np

__all__ = [
    "COVARIANCES",
    "lindegren18",
    "lindegren20",
    "vasiliev19",
    "vasiliev_baumgardt21",
]


def __dir__() -> list[str]:
    """What completion shows."""
    return sorted(__all__)


def lindegren18(separation: u.Quantity) -> u.Quantity:
    r"""Data release 2, :math:`285 \times 10^{-6} \exp(-\theta / 14)`.

    Lindegren et al. (2018, A&A 616, A2), equation 16.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import covariances
    >>> sd = covariances.lindegren18(0 * u.deg) ** 0.5
    >>> print(f"{sd.to(u.uas):.1f}")
    16.9 uas
    """
    theta = separation.to_value(u.deg)
    return 285e-6 * np.exp(-theta / 14) * u.mas**2


def lindegren20(separation: u.Quantity) -> u.Quantity:
    r"""Early data release 3, :math:`142 \times 10^{-6} \exp(-\theta / 16)`.

    Lindegren et al. (2021, A&A 649, A2), equation 24.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import covariances
    >>> sd = covariances.lindegren20(0 * u.deg) ** 0.5
    >>> print(f"{sd.to(u.uas):.1f}")
    11.9 uas
    """
    theta = separation.to_value(u.deg)
    return 142e-6 * np.exp(-theta / 16) * u.mas**2


def vasiliev19(separation: u.Quantity) -> u.Quantity:
    r"""Data release 2, with the half-degree ripple that the scanning left in the parallaxes.

    Vasiliev (2019, MNRAS 484, 2832):
    :math:`0.0003 \exp(-\theta / 20) + 0.002\,\mathrm{sinc}(\theta / 0.5 + 0.25)` with
    :math:`\mathrm{sinc}(x) = \sin(\pi x) / (\pi x)`. It is not positive definite: negative
    eigenvalues of the covariance matrix are set to zero.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import covariances
    >>> sd = covariances.vasiliev19(0 * u.deg) ** 0.5
    >>> print(f"{sd.to(u.uas):.1f}")
    45.8 uas
    """
    theta = separation.to_value(u.deg)
    return (0.0003 * np.exp(-theta / 20) + 0.002 * np.sinc(theta / 0.5 + 0.25)) * u.mas**2


def vasiliev_baumgardt21(separation: u.Quantity) -> u.Quantity:
    r"""Early data release 3, with an excess at small angles.

    Vasiliev & Baumgardt (2021, MNRAS 505, 5978):
    :math:`0.00005 / (1 + \theta / 0.3) + 0.00007 \exp(-\theta / 30 - (\theta / 50)^2)`.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import covariances
    >>> sd = covariances.vasiliev_baumgardt21(0 * u.deg) ** 0.5
    >>> print(f"{sd.to(u.uas):.1f}")
    11.0 uas
    """
    theta = separation.to_value(u.deg)
    return (
        0.00005 / (1 + theta / 0.3) + 0.00007 * np.exp(-theta / 30 - (theta / 50) ** 2)
    ) * u.mas**2


COVARIANCES = {
    "Lindegren+18": lindegren18,
    "Lindegren+20": lindegren20,
    "Vasiliev+19": vasiliev19,
    "Vasiliev & Baumgardt 21": vasiliev_baumgardt21,
}


def as_covariance(given):
    """Turn a name or callable into a function of coordinates (ra, dec, ra2, dec2).

    It takes degrees, of shapes (n,) and (m,), and returns mas^2, of shape (n, m).

    Raises
    ------
    ValueError
        If the name is unknown, or the values cannot be covariances of parallaxes.
    """
    function = COVARIANCES.get(given) if isinstance(given, str) else given
    if function is None:
        raise ValueError(f"parallax_covariance={given!r}; expected one of {list(COVARIANCES)}")
    try:
        variance = u.Quantity(function(0 * u.deg)).to_value(u.mas**2)
    except (TypeError, AttributeError, u.UnitConversionError) as error:
        raise ValueError(
            f"parallax_covariance={given!r} ({error}); expected one of {list(COVARIANCES)}, or a"
            " function that takes a separation and returns a covariance, in a unit such as mas2"
        ) from None
    if not variance > 0:
        raise ValueError(f"parallax_covariance={given!r}; the variance (at 0 deg) must be positive")

    def between(ra, dec, ra2, dec2):
        from astropy.coordinates import angular_separation

        ra, dec, ra2, dec2 = (np.deg2rad(angle) for angle in (ra, dec, ra2, dec2))
        angle = angular_separation(ra[:, None], dec[:, None], ra2, dec2)
        return function(angle * u.rad).to_value(u.mas**2)

    return between
