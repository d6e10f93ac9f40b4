"""What a method knows of a model and its data: callables and sizes, never the model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Problem"]

Theta = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Problem:
    """The posterior of a model's parameters.

    ``theta`` are values of the sampled parameters by name, arrays of shape (theta,), and of those
    of ``normals``, shape (theta, number).

    Attributes
    ----------
    name : str
        The model's, for messages.
    priors : dict
        Frozen distributions of the sampled parameters, of `scipy.stats` or like them, by name;
        those that are known are points.
    free : tuple of str
        The parameters that are not known.
    lower_ends : dict of callable
        Where priors are cut below, functions of theta, by name.
    normals : dict of int
        Parameters of several elements that are standard normal a priori: how many.
    starts : callable
        ``starts()`` are points where the posterior may have peaks, dicts by name.
    candidates : callable
        ``candidates(rng)`` are more of them; others with each ``rng``, the best known with None.
    log_marginal : callable
        ``log_marginal(theta)`` is ln p(data | theta), shape (theta,).
    draw_latents : callable
        ``draw_latents(theta, rng, progressbar)`` is one draw of all else, a dict of arrays.
    draw_exactly : callable
        ``draw_exactly(size, rng)`` are draws of everything with statistics of each and of the
        whole, or None where there is no such way.
    build_pymc : callable
        ``build_pymc()`` is the joint `pymc.Model`.
    finish : callable
        ``finish(values, rng)`` turns draws of the joint model into those of the model.
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
