"""What ArviZ takes: an InferenceData for ArviZ 0.x, an xarray DataTree from 1.0 on.

ArviZ's leave-one-out and comparisons need ln p(D_n | theta) of each item n. With one latent
variable an item, the density given that variable does not serve: its draws know the item already,
and the weights that undo this vary too much (Merkle, Furr & Rabe-Hesketh 2019, Psychometrika 84,
802). The densities here are those with the latent variables of the item integrated out, and add up
to the marginal likelihood.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import astropy.units as u
import numpy as np
import xarray as xr

from astro_hier.given import RandomState, generator
from astro_hier.model.fitting import coordinates, observed_name, row_likelihoods
from astro_hier.model.results import Results
from astro_hier.posterior import LOG_PROB, dataset, likelihood_group

__all__ = ["to_arviz"]

STORED = ("posterior", "sample_stats", "observed_data", "constant_data")
PRIOR_DRAWS = 1000
MAX_NUMBERS = 20_000_000  # in a group that is made on request

Made = Mapping[str, xr.Dataset | Exception]  # groups by name, or why one cannot be made


def to_arviz(
    model: Results, groups: str | Sequence[str] = (), *, random_state: RandomState = None
) -> Any:
    """The results as the installed ArviZ takes them, to use with its functions.

    Parameters
    ----------
    groups : str or list of str, optional
        What to compute besides what the fit holds: "log_likelihood", "posterior_predictive",
        "prior", "prior_predictive"; or "all", which are those that can be made.
    random_state : None, int, `numpy.random.Generator`, optional
        Seed or source of randomness, for predictions and the prior.

    Returns
    -------
    `arviz.InferenceData` or `xarray.DataTree`
        The former with ArviZ 0.x. Its groups are

        - posterior, sample_stats (with ``log_prob``), observed_data and constant_data;
        - log_likelihood: ln of the density of each item (a row of the table; for a population, a
          star or object) with its own latent variables integrated out, which is what `arviz.loo`
          needs. If not asked for, it has the draws for which the fit has computed it, up to a
          thousand; if asked for, all;
        - posterior_predictive: measurements made again, with the table's errors: for orbits, of
          the same stars at the same times, and for other models of new stars of the population;
        - prior and prior_predictive: a thousand draws from the priors, and measurements simulated
          with each.

        A group of more than 2e7 numbers has every second draw, or fewer.

    Raises
    ------
    NotFittedError
        Before a fit.
    ValueError
        If a group does not exist, or cannot be made for this model or table.

    Examples
    --------
    >>> from astro_hier import StarCluster, datasets
    >>> table = datasets.make_star_cluster(30, random_state=2)
    >>> cluster = StarCluster().fit(table, draws=100, progressbar=False)
    >>> data = cluster.to_arviz("posterior_predictive", random_state=1)
    >>> data["posterior_predictive"]["parallax"].shape
    (4, 100, 30)
    """
    tree, wanted = model.inference_data, _named(groups)
    kept = {name: tree[name].to_dataset() for name in (*STORED, "log_likelihood") if name in tree}
    log_prob = kept["posterior"][LOG_PROB.name]
    kept["posterior"] = kept["posterior"].drop_vars(LOG_PROB.name)
    kept["sample_stats"] = kept["sample_stats"].assign({LOG_PROB.name: log_prob})
    rng = generator(random_state)
    for names, make in MADE.items():
        made = make(model, rng) if wanted & set(names) else {}
        for name in wanted & set(made):
            group = made[name]
            if isinstance(group, xr.Dataset):
                kept[name] = group
            elif groups != "all":
                raise ValueError(f"groups={name!r}: {group}") from group
    return _for_installed(xr.DataTree.from_dict(kept))


def _named(groups: str | Sequence[str]) -> set[str]:
    """Names of the groups to make."""
    possible = [name for names in MADE for name in names]
    if isinstance(groups, str):
        groups = possible if groups == "all" else [groups]
    unknown = sorted({str(name) for name in groups} - {*possible, *STORED})
    if unknown:
        raise ValueError(f"groups={unknown} do not exist; expected 'all' or some of {possible}")
    return set(groups) - set(STORED)


def _for_installed(tree: xr.DataTree) -> Any:
    """A tree as the installed version of ArviZ takes it."""
    with warnings.catch_warnings():
        # some versions announce changes to come
        warnings.simplefilter("ignore", FutureWarning)
        import arviz
    if int(arviz.__version__.partition(".")[0]) > 0:
        return tree
    return arviz.from_datatree(tree)


def _log_likelihood(model: Results, rng: np.random.Generator) -> Made:
    data, rows = model.fitted_data(), model._rows()
    found = row_likelihoods(model, data, _flat(model))
    if found is None:
        name = type(model).__name__
        return {"log_likelihood": ValueError(f"{name} does not define the hook log_likelihood")}
    chosen = _chosen(model, found.n_rows)
    values = found.at(np.ravel(chosen)).reshape(*chosen.shape, -1)
    of = model.likelihood_of or model.row
    labels = coordinates(model, rows, data)[of]
    name = observed_name(model, rows)
    return {"log_likelihood": likelihood_group(name, chosen, values, of, labels)}


def _posterior_predictive(model: Results, rng: np.random.Generator) -> Made:
    data, rows = model.fitted_data(), model._rows()
    chosen = _chosen(model, rows.size)
    values = {name: of[np.ravel(chosen)] for name, of in _flat(model).items()}
    try:
        made = model.replicate(data, values, rng)
    except (ValueError, NotImplementedError) as error:
        return {"posterior_predictive": error}
    variables = _observed(model, made, chosen.shape)
    coords = coordinates(model, rows, data)
    coords |= {"chain": np.arange(len(chosen)), "draw": chosen[0]}
    return {"posterior_predictive": dataset(variables, coords)}


def _prior(model: Results, rng: np.random.Generator) -> Made:
    """Both groups of the prior, of which the first has what single items have if it can be made."""
    data, rows = model.fitted_data(), model._rows()
    size = max(1, min(PRIOR_DRAWS, MAX_NUMBERS // rows.size))
    theta = model.draw_prior(data, size, rng)
    for name, number in model.standard_normals(data).items():
        theta[name] = rng.standard_normal((size, number))
    coords = coordinates(model, rows, data)
    coords |= {"chain": np.arange(1), "draw": np.arange(size)}
    predicted: xr.Dataset | Exception
    # wide priors allow what no float can hold, such as the parallax of a star at no distance
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        try:
            made = theta | model.simulate(data, theta, rng)
            predicted = dataset(_observed(model, made, (1, size)), coords)
        except (ValueError, NotImplementedError) as error:
            made, predicted = theta, error
        made |= model.derive(made)
    variables = {
        p.name: (("chain", "draw", *p.dims), made[p.name][None], p.unit, {"long_name": p.long_name})
        for p in model.parameters
        if p.name in made
    }
    return {"prior": dataset(variables, coords), "prior_predictive": predicted}


MADE: dict[tuple[str, ...], Callable[[Results, np.random.Generator], Made]] = {
    ("log_likelihood",): _log_likelihood,
    ("posterior_predictive",): _posterior_predictive,
    ("prior", "prior_predictive"): _prior,
}


def _flat(model: Results) -> dict[str, np.ndarray]:
    """All draws of the parameters, shape (draw, ...) by name."""
    posterior = model.posterior
    flat = {p.name: posterior[p.name].values for p in model.parameters if p.name in posterior}
    return {name: of.reshape(-1, *of.shape[2:]) for name, of in flat.items()}


def _chosen(model: Results, size: int) -> np.ndarray:
    """Indices of the draws, (chain, draw), at which there are ``size`` numbers each."""
    shape = model.posterior[LOG_PROB.name].shape
    every = np.arange(np.prod(shape)).reshape(shape)
    return every[:, :: -(-every.size * size // MAX_NUMBERS)]


def _observed(model: Results, made: dict[str, np.ndarray], shape: tuple[int, ...]) -> dict:
    """Simulated measurements as variables of a group."""
    return {
        role.name: (
            ("chain", "draw", model.row),
            made[role.name].reshape(*shape, -1),
            role.unit or u.one,
            {},
        )
        for role in model.roles
        if role.observed and role.name in made
    }
