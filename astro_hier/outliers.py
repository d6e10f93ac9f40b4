"""Rows that are not members: a broad background, mixed into a model of the members.

With a probability of ``outlier_fraction`` a row is not a member. Its value is then normally
distributed about ``outlier_mean`` with the standard deviation ``outlier_sd`` and its own error in
quadrature (Hogg, Bovy & Lang 2010, arXiv:1008.4686, section 3). Which rows are members is summed
over exactly: each has a posterior probability of membership, none is removed.

A background is broader than the members. Otherwise nothing says which of two groups are the
members, and a posterior holds the model twice, with the labels exchanged. ``outlier_sd`` therefore
follows its prior cut below at the members' true spread s, and normalised given it:

    p(outlier_sd | s) = p(outlier_sd) / P(outlier_sd > s) for outlier_sd > s.

The definition picks the members if the background is broad, and leaves two groups of much the same
spread as two explanations. ``broader=False`` lifts it: for a cold group in front of a hot system,
such as stars of the Galaxy in front of a cluster of galaxies, which would be taken for the members.

At least one of the rows is a member. Without that, one explanation of any table is that none is:
the background describes all rows, and the members are anywhere that the priors allow. Where n rows
have the probabilities of membership p_n, the likelihood is therefore multiplied by
(1 - prod (1 - p_n)) / (1 - outlier_fraction^n), and p_n divided by the numerator.

A field may have several populations, such as disc and halo. ``parts=2`` describes it by two normal
distributions, the second of which is the broader and has the share ``outlier_share2`` of those that
are not members.
"""

from astro_hier.populations.background import (  # noqa: F401, models ask for the rest here
    FAR,
    Background,
    ParallaxBackground,
    VelocityBackground,
    of,
    pymc_log_density,
)
from astro_hier.populations.membership import draw_members  # noqa: F401

__all__ = ["Background", "ParallaxBackground", "VelocityBackground"]
