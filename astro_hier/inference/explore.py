"""Weighted points drawn from a posterior until their effective number is large enough.

`Exploration` is one such search, with its own mixture of proposals.
"""

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from astro_hier.inference import checks, proposals, surrogate
from astro_hier.inference.peaks import LOWEST, peaks
from astro_hier.inference.weights import Pool
from astro_hier.inference.wings import wings
from astro_hier.progress import LOG

SOBOL_POINTS = 512
USUAL_EFFORT = 5000  # evaluations of a posterior for which a surrogate serves
CLIMBING = 0.5  # share of all evaluations after which no further climb begins
BATCH = 200
GROWTH = 8  # at least an eighth of the number of points is drawn at a time
MIN_GAIN = 0.3  # effective points per new point below which a proposal misses something
MAX_PARTS = 10
PATIENCE = 3000  # points, then doubled, after which tempering counts as stalled
ENOUGH_TO_TRUST = 400  # effective size from which the proposal is as good as it will get
MAX_CANDIDATES = 8  # to climb from
FARTHEST_CANDIDATE = 20.0  # in ln of the density below the best
TAIL = 0.2  # Pareto k of the weights from which wings are looked for at the end
WING_DIMENSIONS = 5  # from which wings are looked for at once
MIN_SHARE_OF_WINGED = 0.1  # share of a peak, relative to the largest, from which it has wings
SHARE_OF_WINGS = 0.2  # of every batch of draws


class Exploration:
    """Adaptive importance sampling of a target.

    Parameters
    ----------
    target : `~astro_hier.inference.target.Target`
        What to sample.
    rng : `numpy.random.Generator`
        The source of all randomness.
    starts : ndarray
        Points, shape (n, dimension), to climb from, and to draw around in case they are good.
    candidates : ndarray
        More points, the best of which are climbed from.
    most : int
        Number of evaluations of the target after which nothing more is drawn. No climb begins
        after half of them.
    several : int
        Number of the best Sobol points to climb from.
    stand_in_for : int, optional
        Effective size that a surrogate of the likelihood is wanted for; by default none is tried.

    Attributes
    ----------
    pool : Pool
        All points, with exact likelihoods.
    surrogate : Surrogate
        Whether one stands in for the likelihood; its points are then the ``answer``.

    Raises
    ------
    ValueError
        If the likelihood is zero everywhere it was tried.
    """

    def __init__(self, target, rng, starts, candidates, most, several=1, stand_in_for=None):
        self.target, self.rng, self.most, self.wings = target, rng, most, None
        z = qmc.Sobol(target.dimension, rng=rng).random(SOBOL_POINTS).clip(1e-9, 1 - 1e-9)
        z = ndtri(z)
        log_likelihood = target.log_likelihood(z)
        if not np.isfinite(log_likelihood).any():
            raise ValueError(
                "the likelihood of the data is zero wherever the priors were tried; widen the"
                " priors, or correct the measurement errors if they are far too small"
            )
        self.pool = Pool(z, log_likelihood)
        for start in starts:
            self._add(proposals.Clouds(start), BATCH)
        chosen = [*self._best_of(candidates), *starts, *self.pool.best(several)]
        self.mixture = self.peaks = peaks(
            target.log_posterior, chosen, lambda: target.evaluations < CLIMBING * most
        )
        self.surrogate = surrogate.Surrogate("not asked for")
        if stand_in_for:
            self.surrogate = surrogate.attempt(
                target, self.pool, self.peaks, stand_in_for, most, rng
            )
        if self.surrogate.pool is None:
            self._draw_about_peaks()

    @property
    def answer(self):
        """The weighted points that describe the posterior, a Pool."""
        return self.pool if self.surrogate.pool is None else self.surrogate.pool

    @property
    def effort(self):
        """Number of evaluations that the search took, or would have without a surrogate."""
        least = 0 if self.surrogate.pool is None else USUAL_EFFORT
        return max(self.target.evaluations, least)

    def _draw_about_peaks(self):
        """Draw from what was climbed, and from the wings if there are many dimensions."""
        if self.target.dimension >= WING_DIMENSIONS:
            self._follow_wings()
        self.gain = self._add(self.mixture, BATCH * len(self.mixture.parts))

    def absorb(self, other):
        """Take over what another exploration of the same target found.

        A surrogate is given up.
        """
        if self.surrogate.pool is not None:
            self.surrogate = surrogate.Surrogate("refused: a second exploration disagrees")
            self._draw_about_peaks()
        self.pool.absorb(other.pool)
        self.most += self.target.evaluations
        self.mixture = self.mixture.joined(other.mixture)
        wings = [found for found in (self.wings, other.wings) if found]
        self.wings = wings[0].joined(wings[1]) if len(wings) == 2 else (wings or [self.wings])[0]

    def _best_of(self, candidates):
        """The best of some points to climb from, in order."""
        if not len(candidates):
            return []
        height = self.target.log_posterior(candidates)
        order = np.argsort(-height, kind="stable")[:MAX_CANDIDATES]
        return candidates[order[height[order] > height[order[0]] - FARTHEST_CANDIDATE]]

    def _add(self, proposal, size):
        """Draw from a proposal; returns the gain in effective size per point."""
        if self.wings:
            proposal = proposals.Either(proposal, self.wings, SHARE_OF_WINGS)
        z = proposal.rvs(size, self.rng)
        before = self.pool.effective_size
        self.pool.add(proposal, z, self.target.log_likelihood(z))
        return (self.pool.effective_size - before) / size

    def run(self, wanted, bar=None):
        """Draw until the effective size is ``wanted``, or for ``most`` evaluations at most.

        Nothing if a surrogate stands in for the likelihood.
        """
        if self.surrogate.pool is not None:
            if bar is not None:
                bar.update(wanted - bar.n)
            return
        pool, target, most, patience = self.pool, self.target, self.most, PATIENCE
        while target.evaluations < most:
            if pool.effective_size >= wanted:
                k = pool.pareto_k
                if k < TAIL or (self.wings is not None and k <= checks.LARGEST_PARETO_K):
                    break
                if self.wings is None:
                    self._follow_wings()
            weights, beta = pool.weights_to_fit()
            if beta < 1 and len(pool.z) > patience:
                patience *= 2
                self.mixture = peaks(target.log_posterior, pool.best())
                self.gain = self._add(self.mixture, BATCH)
                continue
            if beta == 1 or self.gain < MIN_GAIN:
                self._refit(weights, beta, wanted)
            size = max(BATCH, len(pool.z) // GROWTH)
            if ENOUGH_TO_TRUST < pool.effective_size < wanted and self.gain >= MIN_GAIN:
                # as many as are missing, at an efficiency of 1
                size = max(BATCH, int(1.1 * (wanted - pool.effective_size)))
            self.gain = self._add(self.mixture, max(min(size, most - target.evaluations), 1))
            LOG.debug(
                "search: %d evaluations, effective size %.0f, beta %.2g",
                target.evaluations, pool.effective_size, beta,
            )  # fmt: skip
            if bar is not None:
                bar.set_postfix(evaluations=target.evaluations, beta=f"{beta:.1e}", refresh=False)
                bar.update(min(int(pool.effective_size), wanted) - bar.n)

    def _follow_wings(self):
        """Look for wings of the peaks, and draw from them from now on."""
        parts = [
            part
            for peak, share in zip(self.peaks.parts, self.peaks.shares, strict=True)
            if share > MIN_SHARE_OF_WINGED * self.peaks.shares.max()
            for part in wings(lambda z: self.target.log_posterior(z).clip(LOWEST), peak)
        ]
        self.wings = proposals.Mixture(parts, np.ones(len(parts))) if parts else False

    def _refit(self, weights, beta, wanted):
        """Fit the mixture to the points, with one more part if it misses something."""
        pool, mixture = self.pool, self.mixture
        left_out = self.gain < MIN_GAIN or pool.effective_size >= wanted
        if beta == 1 and left_out and len(mixture.parts) < MAX_PARTS:
            part = proposals.StudentT.from_points(pool.z, pool.squared_weights())
            mixture = mixture.and_a_part(part)
        self.mixture = mixture.fitted(pool.z, weights)
