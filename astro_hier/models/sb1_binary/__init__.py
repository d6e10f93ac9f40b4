"""The orbit of one single-lined spectroscopic binary."""

from astro_hier.models.sb1_binary.model import SB1Binary

__all__ = ["SB1Binary"]
