"""What every model can do, once for all of them."""

import inspect
import json
from collections.abc import Mapping

import astropy.units as u
import numpy as np
from scipy.stats import norm

from astro_hier import checks, priors
from astro_hier.inference import METHODS
from astro_hier.inference.draws import Draws
from astro_hier.posterior import LOG_PROB, build_tree, draws_table, load, samples, save, summarise
from astro_hier.table import Epoch, read_columns

__all__ = ["HierarchicalModel", "NotFittedError"]

MOST_STARS = 1000  # whose draws are kept unless asked for


class NotFittedError(ValueError, AttributeError):
    """Results were asked for before a fit."""


class HierarchicalModel:
    """Base of all models: arguments, fitting, results and files.

    A model is a subclass that declares ``roles`` (the columns it reads), ``row`` (what a row of
    its table is), ``parameters`` (all quantities of its posterior; those that ``__init__`` takes a
    prior for are sampled, unless a plain value is given) and ``command`` (its name on the command
    line), and writes the hooks below, which work on floats in the declared units. ``data`` is a
    dict of arrays by role, ``theta`` one of arrays of shape (n,) by parameter. A model has either
    ``log_marginal`` and ``draw_latents``, or ``draw_exactly`` and ``log_prob``.
    """

    roles = ()
    parameters = ()
    row = "star"
    command = None  # name on the command line
    roles_of_options = ()  # that options add: ``columns`` may name them where these are off
    parts = ()  # arguments that own priors of parameters: dataclasses with fields of these names

    def __init__(self, *, columns=None, on_invalid="raise"):
        self.columns = columns
        self.on_invalid = on_invalid

    # ---- hooks

    @staticmethod
    def example(*, random_state=None):
        """A simulated table that the model describes, to try it on."""
        raise NotImplementedError

    def prepare(self, data, progressbar):
        """What of the data can be computed before any parameter is known, added to them."""
        return data

    def initial(self, data):
        """The starting point: a dict of floats and arrays by parameter."""
        self._is_missing("initial")

    def starts(self, data):
        """Where the posterior may have peaks: points as that of ``initial``, which is the first."""
        return [self.initial(data)]

    def build_pymc(self, data):
        """The joint `pymc.Model` with its starting point."""
        self._is_missing("build_pymc")

    def log_marginal(self, data, theta):
        """ln p(data | theta), the latent variables integrated out, shape (n,)."""
        self._is_missing("log_marginal")

    def draw_latents(self, data, theta, rng, progressbar=False):
        """One draw of the latent variables for each theta: a dict of arrays (n, star)."""
        self._is_missing("draw_latents")

    def finish(self, data, values, rng):
        """Draws of the joint model, a dict of arrays (n, ...), as ``draw_latents`` means them."""
        return values

    def standard_normals(self, data):
        """Parameters of several elements, each standard normal a priori: their numbers by name.

        In ``theta`` they have shape (n, number), and in the posterior the dimension that the
        parameter declares.
        """
        return {}

    def coordinates(self, data):
        """Labels of the dimensions that parameters have besides the stars."""
        normals = self.standard_normals(data)
        return {self._parameter(name).dims[0]: np.arange(n) for name, n in normals.items()}

    def draw_exactly(self, data, size, rng):
        """Independent draws of all parameters, where a model needs no importance sampling.

        Returns
        -------
        None or tuple
            Arrays (size, ...) by parameter, statistics of each draw, and of the whole.
        """
        return None

    def log_prob(self, data, values, log_marginal=None):
        """ln of the posterior density of the parameters common to all rows, up to a constant."""
        theta = {name: np.ravel(values[name]) for name in self._sampled_names()}
        normals = {name: values[name] for name in self.standard_normals(data)}
        if log_marginal is None:
            log_marginal = self.log_marginal(data, theta | normals)
        height = sum(norm.logpdf(x).sum(axis=1) for x in normals.values())
        return log_marginal + self.log_prior(theta) + height

    def log_prior(self, theta):
        """ln of the prior density of the sampled parameters, shape (n,)."""
        return sum(prior.logpdf(theta[name]) for name, prior in self.frozen_priors().items())

    def diagnose(self, data, values, method):
        """What to say of a fit: a dict of numbers for the posterior's ``attrs``."""
        return {}

    def check_table(self, table, data):
        """Checks of a table and the data read from it: a list of `~astro_hier.checks.Finding`."""
        return []

    def check(self, data, values, attrs, method):
        """Checks of a fit: a list of `~astro_hier.checks.Finding`, the likeliest cause first.

        ``values`` are all draws, arrays of shape (draw, ...) by name, ``attrs`` what the method and
        ``diagnose`` said.
        """
        return []

    def reword(self, finding):
        """A finding of the method, in words that may name the model's own options."""
        return finding

    def derive(self, theta):
        """Parameters that follow from others: a dict of arrays."""
        return {}

    def simulate(self, data, theta, rng):
        """Latent variables and observations for each theta: a dict of arrays (n, star)."""
        self._is_missing("simulate")

    def _is_missing(self, hook):
        raise NotImplementedError(
            f"{type(self).__name__} does not define {hook}, see HierarchicalModel.{hook}"
        )

    # ---- arguments

    @classmethod
    def _argument_names(cls):
        return list(inspect.signature(cls).parameters)

    def get_params(self, deep=True):
        """The arguments this estimator was made with, a dict by name.

        Parameters
        ----------
        deep : bool, optional
            Accepted for scikit-learn's sake; arguments are not estimators themselves.
        """
        return {name: getattr(self, name) for name in self._argument_names()}

    def set_params(self, **params):
        """Change arguments. Returns self.

        Results of an earlier fit are forgotten: they would not be those of these arguments.
        """
        unknown = sorted(set(params) - set(self._argument_names()))
        if unknown:
            raise ValueError(
                f"{type(self).__name__} has no arguments {unknown}; it has {self._argument_names()}"
            )
        for name, value in params.items():
            setattr(self, name, value)
        if params:
            vars(self).pop("_inference_data", None)
            vars(self).pop("_prepared", None)
        return self

    def __repr__(self):
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({arguments})"

    def frozen_priors(self):
        """`scipy.stats` distributions of the sampled parameters, in their declared units.

        Those given as plain values are among them, as points.

        Raises
        ------
        astro_hier.priors.PriorError
            If an argument is not a prior, or of the wrong dimension.
        """
        frozen = {}
        for name in self._sampled_names():
            prior, parameter = self._prior_of(name), self._parameter(name)
            priors.check(name, prior, parameter.unit)
            frozen[name] = prior.frozen(parameter.unit)
            low, high = frozen[name].support()
            if parameter.positive and (low < 0 or high <= 0):
                given = getattr(self._owner(name), name)
                raise priors.PriorError(
                    f"{name}={given!r}; it must be positive, such as priors.LogNormal(0, 0.3)"
                )
        return frozen

    # ---- fitting

    def _keeps_draws(self, data):
        """Whether draws of each star's parameters are kept, for a model with ``star_draws``."""
        if self.star_draws not in ("auto", True, False):
            raise ValueError(f"star_draws={self.star_draws!r}; accepted are 'auto', True, False")
        if self.star_draws == "auto":
            return len(data["stars" if "stars" in data else "star"]) <= MOST_STARS
        return bool(self.star_draws)

    def _read(self, table):
        columns = self.columns
        if isinstance(columns, Mapping):
            off = set(self.roles_of_options) - {role.name for role in self.roles}
            columns = {name: place for name, place in columns.items() if name not in off}
        return read_columns(table, self.roles, columns, self.on_invalid)

    def fit(
        self,
        table,
        *,
        method="marginal",
        draws=1000,
        chains=4,
        random_state=None,
        progressbar=True,
        **options,
    ):
        """Draw from the posterior of the parameters given a table.

        A fit that fails or is interrupted leaves the results of an earlier one as they were.

        Parameters
        ----------
        table : `~astropy.table.Table`, `~astropy.table.QTable` or `~astropy.timeseries.TimeSeries`
            The measurements, with units.
        method : {"marginal", "nuts"}, optional
            "marginal" integrates the latent variables out numerically and returns independent
            draws; "nuts" samples the joint model with PyMC.
        draws, chains : int, optional
            Draws in each chain, and number of chains.
        random_state : None, int, `numpy.random.Generator`, optional
            Seed or source of randomness.
        progressbar : bool, optional
            Whether to show progress.
        **options
            For "marginal": ``max_evaluations``, after how many evaluations of the marginal
            likelihood to give up with a warning (default: ten a draw, and 20,000). For "nuts":
            options of `pymc.sample` such as ``tune``, ``target_accept``, ``nuts_sampler``,
            ``cores``, ``init``.

        Returns
        -------
        self

        Raises
        ------
        TableError
            If the table cannot be used; the message says what to do.
        astro_hier.priors.PriorError
            If a prior is of the wrong dimension.
        ValueError
            If a method or option does not exist.
        """
        if method not in METHODS:
            raise ValueError(f"method={method!r} does not exist; accepted are {list(METHODS)}")
        unknown = sorted(set(options) - METHODS[method].OPTIONS)
        if unknown:
            raise ValueError(
                f"method {method!r} has no options {unknown}; it has"
                f" {sorted(METHODS[method].OPTIONS)}, and every method has draws, chains,"
                " random_state and progressbar"
            )
        for name, value in (("draws", draws), ("chains", chains)):
            if not isinstance(value, (int, np.integer)) or value < 1:
                raise ValueError(f"{name}={value!r}; accepted is a whole number of at least 1")
        self.frozen_priors()
        data = self._read(table)
        findings = self.check_table(table, data)
        data = self.prepare(data, progressbar)
        result = METHODS[method].sample(
            self,
            data,
            draws=draws,
            chains=chains,
            rng=np.random.default_rng(random_state),
            progressbar=progressbar,
            **options,
        )
        tree = self._label(data, result, method, findings)
        self._inference_data, self._fitted_params, self._prepared = tree, self.get_params(), data
        checks.warn_of(self.findings())
        return self

    def _label(self, data, result, method, findings):
        """Draws and data as a tree with names and units, and with what the checks found."""
        values = {**result.posterior, **self.derive(result.posterior)}
        stats = result.sample_stats
        flat = {name: draws.reshape(-1, *draws.shape[2:]) for name, draws in values.items()}
        known = np.ravel(stats["log_marginal"]) if "log_marginal" in stats else None
        flat[LOG_PROB.name] = self.log_prob(data, flat, known)
        values[LOG_PROB.name] = flat[LOG_PROB.name].reshape(next(iter(values.values())).shape[:2])
        attrs = {"method": method, **result.attrs, **self.diagnose(data, flat, method)}
        findings = [*findings, *map(self.reword, result.findings)]
        findings += self.check(data, flat, attrs, method)
        groups = {"observed_data": {}, "constant_data": {}}
        for role in self.roles:
            if role.unit is not None and role.name in data:
                groups[_group(role)][role.name] = data[role.name], role.unit
        coords = {self.row: np.arange(len(next(iter(groups["observed_data"].values()))[0]))}
        if self.row == "star":
            coords["star"] = data["star"]
        coords |= self.coordinates(data)
        for role in self.roles:
            if role.unit is None and role.name != self.row and role.name in data:
                groups["constant_data"][f"{role.name}_id"] = data[role.name], u.one
        notes = {"epoch": json.dumps(vars(data["epoch"]))} if "epoch" in data else {}
        tree = build_tree(
            [p for p in (*self.parameters, LOG_PROB) if p.name in values],
            Draws(values, stats, attrs),
            groups,
            coords,
            self.row,
            notes,
        )
        tree["sample_stats"].attrs["checks"] = checks.dump(findings)
        return tree

    def initial_values(self, table):
        """The estimator's own starting point for a table, a dict of Quantities."""
        initial = self.initial(self.prepare(self._read(table), progressbar=False))
        return {p.name: initial[p.name] * p.unit for p in self.parameters}

    def pymc_model(self, table):
        """The joint model of a table as a `pymc.Model`, to sample or change at will."""
        self.frozen_priors()
        return self.build_pymc(self.prepare(self._read(table), progressbar=False))

    # ---- results

    @property
    def inference_data(self):
        """`xarray.DataTree` of posterior, sample_stats, observed_data and constant_data."""
        try:
            return self._inference_data
        except AttributeError:
            raise NotFittedError(
                f"this {type(self).__name__} has no results yet: call fit(table) first"
            ) from None

    @property
    def posterior(self):
        """`xarray.Dataset` of the draws; each variable's ``attrs`` hold unit and long_name."""
        return self.inference_data["posterior"].to_dataset()

    def _data(self):
        """The fitted data, as `fit` read them."""
        tree = self.inference_data
        data = {}
        for role in self.roles:
            if role.unit is not None and role.name in tree[_group(role)]:
                data[role.name] = tree[_group(role)][role.name].values
        if self.row == "star":
            data["star"] = tree["observed_data"]["star"].values
        for role in self.roles:
            if f"{role.name}_id" in tree["constant_data"]:
                data[role.name] = tree["constant_data"][f"{role.name}_id"].values
        if "epoch" in tree["constant_data"].attrs:
            data["epoch"] = Epoch(**json.loads(tree["constant_data"].attrs["epoch"]))
        return data

    def _restored(self):
        """The fitted data as `_read` returned them."""
        return self._data()

    def _fitted(self):
        """The fitted data, prepared; once more if they come from a file."""
        if "_prepared" not in vars(self):
            self._prepared = self.prepare(self._restored(), progressbar=False)
        return self._prepared

    def _common_parameters(self):
        return [p for p in self.parameters if not p.dims]

    def _owner(self, name):
        """The argument, or the model, that holds the prior of a parameter; None if it has none."""
        return next((o for o in (*self.parts, self) if name in vars(o)), None)

    def _sampled_names(self):
        """Parameters that have a prior or a given value, not those that follow from them."""
        return [p.name for p in self.parameters if not p.dims and self._owner(p.name)]

    def free_names(self):
        """Those that are not given as plain values."""
        return [n for n in self._sampled_names() if not isinstance(self._prior_of(n), priors.Fixed)]

    def _pymc_priors(self, initial):
        """The sampled parameters as variables of the PyMC model in whose context this is called."""
        return {
            name: self._prior_of(name).pymc(name, self._parameter(name).unit, initial[name])
            for name in self._sampled_names()
        }

    def _prior_of(self, name):
        return priors.of(getattr(self._owner(name), name))

    def _named(self, names):
        names = [names] if isinstance(names, str) else list(names)
        if not names:
            raise ValueError(
                f"no parameter is named; there are {[p.name for p in self.parameters]}"
            )
        return [self._parameter(name) for name in names]

    def _parameter(self, name):
        by_name = {p.name: p for p in [*self.parameters, LOG_PROB]}
        if name not in by_name:
            raise ValueError(
                f"{type(self).__name__} has no parameter {name!r}; it has {list(by_name)}"
            )
        return by_name[name]

    def samples(self, name):
        """All draws of one parameter as a Quantity.

        Parameters
        ----------
        name : str
            A parameter's name.

        Returns
        -------
        `~astropy.units.Quantity`
            Shape (chain * draw,) or (chain * draw, star).
        """
        posterior, parameter = self.posterior, self._parameter(name)
        if name not in posterior:
            raise ValueError(
                f"the draws of {name} were not kept: fit with star_draws=True, or see star_table()"
            )
        return samples(posterior, parameter)

    def findings(self):
        """What the checks found in the fit, a list of `~astro_hier.checks.Finding`."""
        return checks.restore(self.inference_data["sample_stats"].attrs.get("checks", "[]"))

    def checks(self):
        """What was checked of the fit, and what to do where a check failed.

        Returns
        -------
        `~astropy.table.Table`
            Columns check, found, limit, verdict ("good" or "failed") and what to do, one row a
            check: of the table, of the method, and of the model, the likeliest cause first.
        """
        return checks.tabulate(self.findings())

    def posterior_table(self):
        """The draws of the parameters common to all stars, a `~astropy.table.QTable`."""
        return draws_table(self.posterior, self._common_parameters())

    def summary(self, var_names=None, hdi_prob=0.94):
        """Means, intervals and convergence, one row a parameter.

        Parameters
        ----------
        var_names : str or list of str, optional
            Names of parameters, or "all"; by default those common to all stars, of every
            instrument. Parameters of single stars have one row a star, ``r[0]`` or ``r[id]``.
        hdi_prob : float, optional
            Probability in the interval of highest density.

        Returns
        -------
        `~astropy.table.Table`
            Columns parameter, unit, mean, sd, the interval's ends, mcse_mean, mcse_sd, ess_bulk,
            ess_tail, r_hat. Its ``meta`` holds what the method says of the whole run.
        """
        if not 0 < hdi_prob < 1:
            raise ValueError(f"hdi_prob={hdi_prob!r}; accepted is a number between 0 and 1")
        posterior = self.posterior
        if var_names is None:
            parameters = [p for p in self.parameters if set(p.dims) <= {"instrument"}]
        elif isinstance(var_names, str) and var_names == "all":
            parameters = [p for p in self.parameters if p.name in posterior]
        else:
            parameters = self._named(var_names)
        table = summarise(posterior, parameters, hdi_prob)
        table.meta.update(posterior.attrs)
        return table

    @property
    def map_sample(self):
        """The draw of highest ``log_prob``, a dict of Quantities by parameter."""
        best = int(np.argmax(self.samples(LOG_PROB.name)))
        return {
            p.name: self.samples(p.name)[best] for p in self.parameters if p.name in self.posterior
        }

    # ---- files

    def save(self, path):
        """Write results, data and the arguments of the fit to one netCDF file."""
        save(path, self.inference_data, type(self).__name__, self._fitted_params)

    @classmethod
    def load(cls, path):
        """An estimator with the results, data and arguments that `save` wrote.

        Raises
        ------
        SavedFileError
            If the file is damaged or holds something else.
        """
        tree, params = load(path, cls.__name__)
        estimator = cls(**params)
        estimator._inference_data, estimator._fitted_params = tree, params
        return estimator


def _group(role):
    return "observed_data" if role.observed else "constant_data"
