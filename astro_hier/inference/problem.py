"""What a method knows about a model and its data: callables and sizes, never the model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from astro_hier.core.floats import Theta

__all__ = ["Problem"]


@dataclass(frozen=True)
class Problem:
    """The posterior of a model's parameters.

    ``theta`` holds values of the sampled parameters by name, arrays of shape (theta,), and of those
    in ``normals``, of shape (theta, number).

    Attributes
    ----------
    name : str
        The model's name, for messages.
    priors : dict
        Frozen distributions of the sampled parameters by name, from `scipy.stats` or with the same
        methods; known parameters are points.
    free : tuple of str
        Names of the parameters that are not known.
    lower_ends : dict of callable
        Lower limits at which priors are truncated, as functions of theta, by name.
    normals : dict of int
        Number of elements of those parameters that are several standard normals a priori, by name.
    starts : callable
        ``starts()`` returns points where the posterior may have peaks, dicts by name.
    candidates : callable
        ``candidates(rng)`` returns more of them: different ones with each ``rng``, the best known
        with None.
    log_marginal : callable
        ``log_marginal(theta)`` returns ln p(data | theta), shape (theta,).
    draw_latents : callable
        ``draw_latents(theta, rng, progressbar)`` returns one draw of all else, a dict of arrays.
    draw_exactly : callable
        ``draw_exactly(size, rng)`` returns draws of everything, with statistics of each draw and of
        the whole run, or None if that is not possible.
    build_pymc : callable
        ``build_pymc()`` returns the joint `pymc.Model`.
    finish : callable
        ``finish(values, rng)`` turns draws of the joint model into those of the posterior.
    """

    name: str
    priors: Mapping[str, Any]
    free: Sequence[str]
    lower_ends: Mapping[str, Callable[[Theta], np.ndarray]]
    normals: Mapping[str, int]
    starts: Callable[[], list]
    candidates: Callable[..., list]
    log_marginal: Callable[[Theta], np.ndarray]
    draw_latents: Callable[..., dict]
    draw_exactly: Callable[..., tuple | None]
    build_pymc: Callable[[], Any]
    finish: Callable[..., Theta]
