"""What every model can do, once for all of them."""

import inspect
import json
from collections.abc import Mapping

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.time import Time
from scipy.stats import norm

from astro_hier import checks, priors
from astro_hier.core.above import Above
from astro_hier.inference import METHODS, edges, influence
from astro_hier.inference.draws import Draws
from astro_hier.netcdf import ContentError
from astro_hier.posterior import (
    LOG_PROB,
    build_tree,
    check_tree,
    draws_table,
    likelihood_group,
    load,
    reading,
    samples,
    save,
    summarise,
)
from astro_hier.table import Epoch, of_table, read_columns

__all__ = ["HierarchicalModel", "NotFittedError"]

MOST_ROUNDS = 1000  # of draws from priors that depend on each other
ABOVE_END = 1.2  # how far a starting point lies above the lower end of a prior, as a factor
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
    likelihood_of = None  # what has a likelihood of its own, if it is not a row
    command = None  # name on the command line
    roles_of_options = ()  # that options add: ``columns`` may name them where these are off
    numbers = ()  # attributes of the posterior, from ``diagnose``, that results are made from
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

    def candidates(self, data, rng=None):
        """More points, read off the data, each of which may lie near a peak of the posterior.

        Each costs one evaluation, and the best are climbed from. With ``rng`` they are others,
        chosen at random: a second look at the data.
        """
        return []

    def lower_ends(self, data):
        """Where priors are cut below, and normalised, given other parameters.

        A dict by name of functions of theta, which return arrays of shape (n,); a parameter comes
        after those that its end depends on.
        """
        return {}

    def build_pymc(self, data):
        """The joint `pymc.Model` with its starting point."""
        self._is_missing("build_pymc")

    def log_marginal(self, data, theta):
        """ln p(data | theta), the latent variables integrated out, shape (n,)."""
        self._is_missing("log_marginal")

    def log_likelihood(self, data, values):
        """ln of the density of each row's data, given what is common to all rows.

        Parameters
        ----------
        data : dict
            The data.
        values : dict of ndarray
            Draws of all parameters without the dimension of the stars, shape (draw, ...).

        Returns
        -------
        None or ndarray
            Shape (draw, row), or (draw, star) where ``likelihood_of`` is "star". Its sum is
            ``log_marginal``, if the model has that. By default there is none, and rows are not
            left out to see what they change.
        """
        return None

    def headline(self):
        """Names of the parameters that no single row should decide: all that are inferred."""
        return self.free_names()

    def rows_to_compare(self, data):
        """Value and error of each row, where rows far from all others are not provided for."""
        return None

    def excess_scatter(self, data, values):
        """How many times more most rows scatter than the errors say: so much more they may do."""
        return 1.0

    def remedy_of_rows(self):
        """What else to do of rows that decide the result, in Python and in the shell."""
        return "", ""

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
        return {self.parameter(name).dims[0]: np.arange(n) for name, n in normals.items()}

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
        theta = {name: np.ravel(values[name]) for name in self.sampled_names()}
        normals = {name: values[name] for name in self.standard_normals(data)}
        if log_marginal is None:
            log_marginal = self.log_marginal(data, theta | normals)
        height = sum(norm.logpdf(x).sum(axis=1) for x in normals.values())
        return log_marginal + self.log_prior(theta, data) + height

    def log_prior(self, theta, data=None):
        """ln of the prior density of the sampled parameters, shape (n,).

        ``data`` are needed where the ends of priors depend on them.
        """
        frozen, ends = self.frozen_priors(), self.lower_ends(data)
        cut = {name: Above(frozen[name], low(theta)) for name, low in ends.items()}
        return sum(prior.logpdf(theta[name]) for name, prior in (frozen | cut).items())

    def draw_prior(self, data, size, rng):
        """Draws of the sampled parameters from their prior: a dict of arrays of shape (size,)."""
        frozen, free, left = self.frozen_priors(), self.free_names(), np.arange(size)
        theta = {name: np.empty(size) for name in frozen}
        for _ in range(MOST_ROUNDS):
            drawn = {name: p.rvs(len(left), random_state=rng) for name, p in frozen.items()}
            possible = np.ones(len(left), bool)
            for name, low in self.lower_ends(data).items():
                above = Above(frozen[name], low(drawn))
                possible &= above.possible
                if name in free:
                    drawn[name] = above.of_normal(rng.standard_normal(len(left)))
            for name, values in drawn.items():
                theta[name][left] = values
            left = left[~possible]
            if not left.size:
                return theta
        raise ValueError(
            f"the priors of {list(self.lower_ends(data))} end where they hardly ever may begin:"
            " widen them, or narrow those of the members' spread"
        )

    def diagnose(self, data, values, method):
        """What to say of a fit: a dict of numbers for the posterior's ``attrs``."""
        return {}

    def check_table(self, table, data):
        """Checks of a table and the data read from it: a list of `~astro_hier.checks.Finding`."""
        return of_table(table, self.roles, self._columns_in_use())

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
        for name in self.sampled_names():
            prior, parameter = self.prior_of(name), self.parameter(name)
            priors.check(name, prior, parameter.unit)
            frozen[name] = prior.frozen(parameter.unit)
            low, high = frozen[name].support()
            if parameter.positive and (low < 0 or high <= 0):
                given = getattr(self.owner(name), name)
                raise priors.PriorError(
                    f"{name}={given!r}; it must be positive, such as priors.LogNormal(0, 0.3)"
                )
        return frozen

    # ---- fitting

    def keeps_draws(self, data):
        """Whether draws of each star's parameters are kept, for a model with ``star_draws``."""
        if self.star_draws not in ("auto", True, False):
            raise ValueError(f"star_draws={self.star_draws!r}; accepted are 'auto', True, False")
        if self.star_draws == "auto":
            return len(data["stars" if "stars" in data else "star"]) <= MOST_STARS
        return bool(self.star_draws)

    def _columns_in_use(self):
        """``columns`` without those of options that are off."""
        if not isinstance(self.columns, Mapping):
            return self.columns
        off = set(self.roles_of_options) - {role.name for role in self.roles}
        return {name: place for name, place in self.columns.items() if name not in off}

    def read(self, table):
        return read_columns(table, self.roles, self._columns_in_use(), self.on_invalid)

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
            likelihood to give up with a warning (default: ten a draw, and 20,000); ``certify``,
            whether a second, independent exploration must agree (default: True). For "nuts":
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
        data = self.read(table)
        findings = self.check_table(table, data)
        data = self.prepare(data, progressbar)
        result = METHODS[method].sample(
            self,
            data,
            draws=draws,
            chains=chains,
            rng=_generator(random_state),
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
        likelihoods = self._likelihoods(data, flat)
        kept = None if likelihoods is None else _keep(likelihoods, values[LOG_PROB.name].shape)
        findings = [
            *findings,
            *result.findings,
            *map(self.reword, self._check_edges(data, flat)),
            *self.check(data, flat, attrs, method),
            *self._check_rows(data, flat, likelihoods, kept),
        ]
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
        if kept is not None:
            name, of = next(iter(groups["observed_data"])), self.likelihood_of or self.row
            tree["log_likelihood"] = likelihood_group(name, *kept, of, coords[of])
        return tree

    def _likelihoods(self, data, values):
        """The likelihoods of the rows, or None."""
        common = {
            name: values[name]
            for name in (p.name for p in self.parameters if "star" not in p.dims)
            if name in values
        }
        one = {name: of[:1] for name, of in common.items()}
        if self.log_likelihood(data, one) is None:
            return None
        return influence.RowLikelihoods(lambda some: self.log_likelihood(data, some), common)

    def _check_edges(self, data, values):
        """Whether edges of priors cut off the posterior; not where ``draw_exactly`` drew it."""
        if type(self).log_marginal is HierarchicalModel.log_marginal:
            return []
        frozen = self.frozen_priors()
        names = [*frozen, *self.standard_normals(data)]
        inferred = {name: frozen[name] for name in self.free_names()}
        bounds = {name: self.parameter(name).bounds for name in inferred}
        theta = {name: values[name] for name in names}
        return [edges.of_priors(lambda x: self.log_marginal(data, x), theta, inferred, bounds)]

    def _check_rows(self, data, values, likelihoods, kept):
        """Whether rows decide the result."""
        if likelihoods is None or likelihoods.n_rows < influence.FEWEST_ROWS:
            return []
        names = [name for name in self.headline() if np.ptp(values[name]) > 0]
        if not names:
            return []
        draws = np.column_stack([values[name] for name in names])
        chosen, log_likelihood = kept
        known = np.ravel(chosen), log_likelihood.reshape(-1, likelihoods.n_rows)
        left_out = influence.without_each(likelihoods, draws, known)
        compared = self.rows_to_compare(data)
        distance = np.zeros(likelihoods.n_rows) if compared is None else influence.far(*compared)
        units = [self.parameter(name).unit.to_string() for name in names]
        return [
            influence.examine(
                left_out,
                draws.mean(axis=0),
                distance,
                influence.largest_shift(len(distance)) * self.excess_scatter(data, values),
                names,
                units,
                lambda row: self._label_of(data, row, likelihoods.n_rows),
                self.remedy_of_rows(),
            )
        ]

    def _label_of(self, data, row, n_rows):
        """The name of a row, and what was measured."""
        of = self.likelihood_of or self.row
        labels = self.coordinates(data).get(of, data.get(of))
        label = f"{of} {row if labels is None else labels[row]}"
        for role in self.roles:
            if role.observed and len(data.get(role.name, ())) == n_rows:
                label += f", {role.name} {data[role.name][row]:.6g}"
                if f"{role.name}_error" in data:
                    label += f" ± {data[f'{role.name}_error'][row]:.3g}"
                label += f" {role.unit.to_string()}".rstrip()
        return label

    def initial_values(self, table):
        """The estimator's own starting point for a table, a dict of Quantities."""
        initial = self.initial(self.prepare(self.read(table), progressbar=False))
        return {p.name: initial[p.name] * p.unit for p in self.parameters}

    def pymc_model(self, table):
        """The joint model of a table as a `pymc.Model`, to sample or change at will."""
        self.frozen_priors()
        return self.build_pymc(self.prepare(self.read(table), progressbar=False))

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
        if any(role.is_time for role in self.roles):
            data["epoch"] = Epoch(**json.loads(tree["constant_data"].attrs["epoch"]))
        return data

    def _restored(self):
        """The fitted data as `read` returned them."""
        return self._data()

    def fitted_data(self):
        """The fitted data, prepared; once more if they come from a file."""
        if "_prepared" not in vars(self):
            self._prepared = self.prepare(self._restored(), progressbar=False)
        return self._prepared

    def _common_parameters(self):
        return [p for p in self.parameters if not p.dims]

    def owner(self, name):
        """The argument, or the model, that holds the prior of a parameter; None if it has none."""
        of_parts = (part for part in self.parts if vars(part).get(name) is not None)
        return next(of_parts, self if name in vars(self) else None)

    def sampled_names(self):
        """Parameters that have a prior or a given value, not those that follow from them."""
        return [p.name for p in self.parameters if not p.dims and self.owner(p.name)]

    def free_names(self):
        """Those that are not given as plain values."""
        return [n for n in self.sampled_names() if not isinstance(self.prior_of(n), priors.Fixed)]

    def pymc_priors(self, data, initial):
        """The sampled parameters as variables of the PyMC model in whose context this is called."""
        theta, ends = {}, self.lower_ends(data)
        for name in sorted(self.sampled_names(), key=lambda name: name in ends):
            prior, unit = self.prior_of(name), self.parameter(name).unit
            if name in ends:
                excess = max(initial[name] - ends[name](initial), 1e-3 * initial[name])
                theta[name] = prior.pymc_above(name, unit, ends[name](theta), excess)
            else:
                theta[name] = prior.pymc(name, unit, initial[name])
        return theta

    def prior_of(self, name):
        return priors.of(getattr(self.owner(name), name))

    def within_bulk(self, name, value, tail=0.001):
        """A value of a parameter, moved into the bulk of its prior if it lies outside."""
        prior, unit = self.prior_of(name), self.parameter(name).unit
        return float(np.clip(value, *priors.bulk(prior, unit, tail)))

    def above_ends(self, data, point):
        """A point, its parameters moved above the ends of their priors that depend on others."""
        point = dict(point)
        for name, low in self.lower_ends(data).items():
            if name in self.free_names():
                point[name] = max(point[name], ABOVE_END * float(low(point)))
        return point

    def parameters_named(self, names):
        names = [names] if isinstance(names, str) else list(names)
        if not names:
            raise ValueError(
                f"no parameter is named; there are {[p.name for p in self.parameters]}"
            )
        return [self.parameter(name) for name in names]

    def parameter(self, name):
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
        posterior, parameter = self.posterior, self.parameter(name)
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

    def explanations(self, min_probability=0.01):
        """The distinct explanations of the data, most probable first.

        They are regions of the posterior of the parameters common to all stars, apart from each
        other: between two of them the density falls to less than a tenth of the lower peak's.

        Parameters
        ----------
        min_probability : float, optional
            Explanations of lower probability are left out; those below a percent always are.
            ``meta["probability_left_out"]`` is the sum of all that are.

        Returns
        -------
        `~astropy.table.QTable`
            Columns probability, the median of each inferred parameter in the explanation and, with
            ``_sd``, half the interval that holds 68 percent, and where rows have a probability of
            membership n_members, its mean sum.

        Raises
        ------
        ValueError
            If the draws are not those of ``method="marginal"``, or the model has no parameters in
            common.
        """
        stats = self.inference_data["sample_stats"]
        if "explanation" not in stats:
            raise ValueError(
                "explanations are found by method='marginal', for models with parameters common to"
                " all stars; a binary's periods are listed by modes()"
            )
        number = np.ravel(stats["explanation"].values)
        probability = np.bincount(number[number >= 0], minlength=1) / number.size
        listed = np.flatnonzero(probability >= max(min_probability, 1 / number.size))
        table = QTable({"probability": probability[listed]})
        for name in (p.name for p in self._common_parameters() if p.name in self.free_names()):
            values = [self.samples(name)[number == n] for n in listed]
            low, middle, high = (
                u.Quantity([np.quantile(of, q) for of in values]) for q in (0.16, 0.5, 0.84)
            )
            table[name], table[f"{name}_sd"] = middle, 0.5 * (high - low)
        if "member" in self.posterior:
            members = self.samples("member").value.sum(axis=1)
            table["n_members"] = [members[number == n].mean() for n in listed]
        for name in table.colnames:
            table[name].info.format = ".4g"
        table.meta["probability_left_out"] = float(1 - probability[listed].sum())
        return table

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
            parameters = self.parameters_named(var_names)
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
        """Write results, data and the arguments of the fit to one netCDF file.

        The file appears when it is whole: one that was there stays until then, and keeps its mode.
        Where ``path`` is a symbolic link, the link stays, and what it leads to is replaced.

        Parameters
        ----------
        path : str or path-like
            The file's name, in a folder that exists.

        Raises
        ------
        OSError
            If the file cannot be written, such as on a full disk. The fit can still be saved
            elsewhere.
        TypeError
            If an argument is of a class that files do not know, see
            `astro_hier.posterior.register`.
        """
        save(path, self.inference_data, type(self).__name__, self._fitted_params)

    @classmethod
    def load(cls, path):
        """An estimator with the results, data and arguments that `save` wrote.

        A file holds no code, and nothing outside of it is read, whoever wrote it. Files of the
        format before this one are read too.

        Parameters
        ----------
        path : str or path-like
            The file's name.

        Raises
        ------
        FileNotFoundError
            If there is no file.
        SavedFileError
            If the file is damaged, holds something else, or is of another format; the message says
            which.
        """
        tree, params = load(path, cls.__name__)
        with reading(path):
            unknown = sorted(set(params) - set(cls._argument_names()))
            if unknown:
                raise ContentError(
                    f"holds arguments {unknown} that {cls.__name__} does not have: it was saved by"
                    " another version"
                )
            estimator = cls(**params)
            estimator._inference_data, estimator._fitted_params = tree, params
            estimator._check_results()
        return estimator

    def _check_results(self):
        """Raise an error unless the results are such as a fit with these arguments has."""
        self.frozen_priors()
        tree = self.inference_data
        parameters = [*self.parameters, LOG_PROB]
        if hasattr(self, "star_draws"):  # those of each star are all kept, or none
            of_stars = {p.name for p in parameters if "star" in p.dims}
            if not of_stars & set(tree["posterior"].variables):
                parameters = [p for p in parameters if p.name not in of_stars]
        check_tree(tree, self.row, parameters, self.roles, self.numbers)
        epoch = self._data().get("epoch")
        if epoch and not (
            np.isfinite(epoch.day + epoch.fraction) and epoch.scale in (None, *Time.SCALES)
        ):
            raise ContentError(f"counts times from what is no time, {epoch}")


def _generator(random_state):
    """A source of randomness that others can be made from, which a legacy one cannot."""
    rng = np.random.default_rng(random_state)
    if getattr(rng.bit_generator, "seed_seq", None) is None:
        rng = np.random.default_rng(rng.integers(2**63, size=4))
    return rng


def _keep(likelihoods, shape):
    """Likelihoods of the rows at every so many draws of each chain, and which these are.

    Arrays of shape (chain, draw) and (chain, draw, row).
    """
    chosen = np.arange(np.prod(shape)).reshape(shape)[:, :: likelihoods.step()]
    values = likelihoods.at(np.ravel(chosen))
    return chosen, values.reshape(*chosen.shape, -1)


def _group(role):
    return "observed_data" if role.observed else "constant_data"
