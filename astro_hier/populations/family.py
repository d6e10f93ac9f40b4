"""What a distribution of a population has to say."""

import numpy as np

SMALL = 1e-3  # lower quantile that stands for the smallest width a prior allows


def _log_normal(ln_period, mu, sigma):
    """ln of the normal density, shape (theta, period)."""
    scaled = (ln_period - mu[:, None]) / sigma[:, None]
    return -0.5 * scaled**2 - np.log(np.sqrt(2 * np.pi) * sigma)[:, None]


def _smallest(prior):
    low = prior.support()[0]
    return float(np.exp(low if np.isfinite(low) else prior.ppf(SMALL)))


class Population:
    """Base of all populations: what a new one has to say.

    A population is a frozen dataclass whose fields are its own priors, if it has any. It declares
    ``parameters``, a tuple of `~astro_hier.posterior.Parameter`, and ``sampled``, the names of
    those that have a prior; the model's own priors serve those called mu and lnsigma. ``theta``
    is a dict of float arrays of shape (theta,) by those names, ``ends`` are the ln of the shortest
    and longest period searched, and periods are ln(P / d).
    """

    parameters = ()
    sampled = ()

    def log_density(self, ln_period, theta, ends):
        """ln of the density at ``ln_period`` (period,) for each theta, shape (theta, period)."""
        raise NotImplementedError

    def outside(self, theta, ends):
        """Shares of the population at ln periods below and above ``ends``, shape (2, theta)."""
        raise NotImplementedError

    def draw(self, theta, ends, size, rng):
        """ln periods of ``size`` members for each theta, shape (theta, size)."""
        raise NotImplementedError

    def derive(self, theta):
        """Parameters that follow from those sampled, a dict of arrays."""
        return {}

    def smallest_width(self, frozen):
        """The narrowest feature of the density that the priors ``frozen`` allow, in ln P."""
        raise NotImplementedError

    def initial(self, ln_period):
        """A starting point from rough ln periods of the stars, a dict of floats."""
        raise NotImplementedError

    def pymc(self, theta, ends, **options):
        """The distribution as the PyMC variable lnP; only ``method="nuts"`` asks for it."""
        raise NotImplementedError

    def check_pymc(self):
        """Refuse where ``pymc`` is missing, or that of a class whose density is another."""
        of = [next(c for c in type(self).__mro__ if f in vars(c)) for f in ("pymc", "log_density")]
        if of[0] is Population or not issubclass(*of):
            raise ValueError(
                f"{type(self).__name__} has a log_density but no pymc of its own, which"
                " method='nuts' needs: write pymc, or fit with method='marginal'"
            )
