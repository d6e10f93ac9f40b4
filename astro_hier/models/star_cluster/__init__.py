"""The distance and depth of a star cluster, from the parallaxes of its members."""

from astro_hier.models.star_cluster.model import StarCluster

__all__ = ["StarCluster"]
