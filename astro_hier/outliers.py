"""Rows that are not members: a broad background, mixed into a model of the members.

A row is not a member with probability ``outlier_fraction``. Its value is then normally distributed
about ``outlier_mean``, with ``outlier_sd`` and its own error added in quadrature as the standard
deviation (Hogg, Bovy & Lang 2010, arXiv:1008.4686, section 3). The sum over members and
non-members is exact: each row has a posterior probability of membership, and none is removed.

A background is broader than the members. Otherwise nothing would tell which of two groups are the
members, and the posterior would hold the model twice, with the labels exchanged. The prior of
``outlier_sd`` is therefore cut off below the members' true spread s, and renormalised:

    p(outlier_sd | s) = p(outlier_sd) / P(outlier_sd > s) for outlier_sd > s.

This definition identifies the members if the background is broad; two groups of about the same
spread remain two explanations. ``broader=False`` drops it: use it for a cold group in front of a
hot system, such as Galactic stars in front of a cluster of galaxies, which would otherwise be taken
for the members.

At least one row is a member. Without that condition, one explanation of any table would be that
none is: the background describes all rows, and the members are anywhere that the priors allow.
If row n is a member with probability p_n, the likelihood of N rows is therefore multiplied by
(1 - prod (1 - p_n)) / (1 - outlier_fraction^N), and each p_n is divided by the numerator.

A field may have several populations, such as disc and halo. ``parts=2`` describes it by two normal
distributions; the second is the broader one and holds the share ``outlier_share2`` of the rows that
are not members.

In a period-luminosity relation, stars that are not members follow the same relation with a wider
scatter, `WiderScatter`. The prior of ``outlier_scatter`` is cut off below ``scatter`` likewise.
"""

from astro_hier.populations.background import Background, ParallaxBackground, VelocityBackground
from astro_hier.populations.wider_scatter import WiderScatter

__all__ = ["Background", "ParallaxBackground", "VelocityBackground", "WiderScatter"]
