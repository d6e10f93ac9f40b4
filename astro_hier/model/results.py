"""The results of a fit: draws with units, the summary, checks, explanations and files."""

import json
from collections.abc import Sequence
from typing import Any

import astropy.units as u
import numpy as np
import xarray as xr
from astropy.table import QTable, Table

from astro_hier import checks
from astro_hier.checks import Finding
from astro_hier.model import tables
from astro_hier.model.hooks import Hooks
from astro_hier.posterior import (
    LOG_PROB,
    Parameter,
    UnitLike,
    draws_table,
    quantity_in,
    samples,
    summarise,
    units_of,
)
from astro_hier.table import Epoch, Rows

__all__ = ["NotFittedError", "Results"]


class NotFittedError(ValueError, AttributeError):
    """Results were requested before a fit.

    Examples
    --------
    >>> from astro_hier import NotFittedError, StarCluster
    >>> try:
    ...     StarCluster().summary()
    ... except NotFittedError as error:
    ...     print(error)
    this StarCluster has no results yet: call fit(table) first
    """


class Results(Hooks):
    """Results of a fit, and the files that hold them."""

    _inference_data: xr.DataTree
    _fitted_params: dict[str, Any]
    _prepared: Any
    explanations = tables.explanations

    @property
    def inference_data(self) -> xr.DataTree:
        """`xarray.DataTree` of posterior, sample_stats, observed_data and constant_data.

        Examples
        --------
        >>> from astro_hier import SB1Binary, datasets
        >>> visits = datasets.make_binary(10, random_state=1)
        >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
        >>> list(star.inference_data["posterior"].data_vars)
        ['P', 'a', 'b', 'v0', 'K', 'log_prob']
        """
        try:
            return self._inference_data
        except AttributeError:
            raise NotFittedError(
                f"this {type(self).__name__} has no results yet: call fit(table) first"
            ) from None

    @property
    def posterior(self) -> xr.Dataset:
        """`xarray.Dataset` of the draws; each variable's ``attrs`` hold unit and long_name.

        Examples
        --------
        >>> from astro_hier import SB1Binary, datasets
        >>> visits = datasets.make_binary(10, random_state=1)
        >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
        >>> dict(star.posterior["P"].sizes)
        {'chain': 4, 'draw': 1000}
        >>> star.posterior["P"].attrs["unit"]
        'd'
        """
        return self.inference_data["posterior"].to_dataset()

    def samples(self, name: str, unit: UnitLike = None) -> u.Quantity:
        """All draws of one parameter as a Quantity.

        Parameters
        ----------
        name : str
            A parameter's name.
        unit : unit, list or dict, optional
            The unit of the result, or several as in `summary`; by default the model's.

        Returns
        -------
        `~astropy.units.Quantity`
            Shape (chain * draw,) or (chain * draw, star).

        Examples
        --------
        >>> from astro_hier import SB1Binary, datasets
        >>> visits = datasets.make_binary(10, random_state=1)
        >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
        >>> P = star.samples("P")
        >>> P.shape, P.unit
        ((4000,), Unit("d"))
        """
        posterior, parameter = self.posterior, self.parameter(name)
        if name not in posterior:
            if self._folder() is not None:
                raise ValueError(
                    f"{name} is of each star, and this fit is of a survey's rows, without draws of"
                    " its stars: see star_results(rows, folder)"
                )
            raise ValueError(
                f"the draws of {name} were not kept: fit with {self.item}_draws=True, or see"
                f" {self.item}_table()"
            )
        return quantity_in(self, name, samples(posterior, parameter), unit)

    @property
    def map_sample(self) -> dict[str, u.Quantity]:
        """The draw with the highest ``log_prob``, a dict of Quantities by parameter.

        Examples
        --------
        >>> from astro_hier import SB1Binary, datasets
        >>> visits = datasets.make_binary(10, random_state=1)
        >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
        >>> print(f"{star.map_sample['P']:.1f}")
        7.3 d
        """
        best = int(np.argmax(self.samples(LOG_PROB.name)))
        return {
            p.name: self.samples(p.name)[best] for p in self.parameters if p.name in self.posterior
        }

    def posterior_table(self, unit: UnitLike = None) -> QTable:
        """The draws of the parameters common to all stars, a `~astropy.table.QTable`.

        Parameters
        ----------
        unit : unit, list or dict, optional
            Units of the columns, as in `summary`.

        Examples
        --------
        >>> from astro_hier import SB1Binary, datasets
        >>> visits = datasets.make_binary(10, random_state=1)
        >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
        >>> star.posterior_table().colnames
        ['P', 'a', 'b', 'v0', 'K']
        """
        posterior = self.posterior
        return draws_table(posterior, self._common_parameters(), units_of(self, unit))

    def summary(
        self,
        var_names: str | Sequence[str] | None = None,
        hdi_prob: float = 0.94,
        unit: UnitLike = None,
    ) -> Table:
        """Means, intervals and convergence, one row per parameter.

        Parameters
        ----------
        var_names : str or list of str, optional
            Names of parameters, or "all"; by default those common to all stars, including those of
            each instrument. Parameters of single stars have one row per star, ``r[0]`` or
            ``r[id]``.
        hdi_prob : float, optional
            Probability in the interval of highest density.
        unit : unit, list or dict, optional
            Units of the results: one, such as ``u.pc`` or ``"pc"``, for all parameters of its
            physical type, a list of several, or a dict of units by parameter. The others stay in
            the model's units, and so do logarithms: ln_std_r is ln(std_r / kpc).

        Returns
        -------
        `~astropy.table.Table`
            Columns parameter, unit, mean, sd, the ends of the interval, mcse_mean, mcse_sd,
            ess_bulk, ess_tail, r_hat. Its ``meta`` holds the method's statistics of the whole run.

        Examples
        --------
        >>> from astro_hier import SB1Binary, datasets
        >>> visits = datasets.make_binary(10, random_state=1)
        >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
        >>> summary = star.summary(["P", "K"])
        >>> summary["parameter", "unit", "mean"].pprint()
        parameter  unit    mean
        --------- ------ --------
                P      d 7.299959
                K km / s 15.10073
        """
        if not 0 < hdi_prob < 1:
            raise ValueError(f"hdi_prob={hdi_prob!r}; expected a number between 0 and 1")
        posterior, parameters = self.posterior, self.parameters_of_summary(var_names)
        table = summarise(posterior, parameters, hdi_prob, units_of(self, unit))
        table.meta.update(posterior.attrs)
        return table

    def parameters_of_summary(
        self, var_names: str | Sequence[str] | None = None
    ) -> list[Parameter]:
        """The parameters that `summary` lists."""
        if var_names is None:
            parameters = [p for p in self.parameters if set(p.dims) <= {"instrument"}]
            return parameters or self._of_all()
        if isinstance(var_names, str) and var_names == "all":
            return [p for p in self.parameters if p.name in self.posterior]
        return self.parameters_named(var_names)

    def findings(self) -> list[Finding]:
        """The findings of the checks, a list of `~astro_hier.checks.Finding`.

        Examples
        --------
        >>> from astro_hier import SB1Binary, datasets
        >>> visits = datasets.make_binary(10, random_state=1)
        >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
        >>> [finding.name for finding in star.findings() if finding.failed]
        []
        """
        return checks.restore(self.inference_data["sample_stats"].attrs.get("checks", "[]"))

    def checks(self) -> Table:
        """What was checked of the fit, and what to do where a check failed.

        Returns
        -------
        `~astropy.table.Table`
            Columns check, found, limit, verdict ("good" or "failed") and what to do, with one row
            per check: of the table, of the method, and of the model, the likeliest cause first.

        Examples
        --------
        >>> from astro_hier import SB1Binary, datasets
        >>> visits = datasets.make_binary(10, random_state=1)
        >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
        >>> star.checks().colnames
        ['check', 'found', 'limit', 'verdict', 'what to do']
        >>> set(star.checks()["verdict"].tolist())
        {'good'}
        """
        return checks.tabulate(self.findings())

    def fitted_data(self) -> Any:
        """The data of the fit from ``prepare``, which is called again after loading a file."""
        if "_prepared" not in vars(self):
            folder = self._folder()
            self._prepared = (
                self.prepare(self._rows(), progressbar=False)
                if folder is None
                else self.prepare_rows(folder)
            )
        return self._prepared

    def _folder(self) -> str | None:
        """The folder of rows that were fitted, if it was a survey."""
        return self.inference_data["constant_data"].attrs.get("rows")

    def _rows(self) -> Rows:
        """The rows that were fitted, as ``read`` returned them."""
        observed, constant = (
            self.inference_data[name].to_dataset() for name in ("observed_data", "constant_data")
        )
        columns, epoch = {}, None
        for role in self.roles:
            if role.unit is not None:
                group, name = observed if role.observed else constant, role.name
            elif role.name == self.row:
                group, name = observed, role.name
            else:
                group, name = constant, f"{role.name}_id"
            if name in group:
                columns[role.name] = group[name].values
        if any(role.is_time for role in self.roles):
            epoch = Epoch(**json.loads(constant.attrs["epoch"]))
        return Rows(columns, epoch)

    def _of_all(self) -> list[Parameter]:
        """Parameters of several elements that are not those of single stars."""
        normals = self.standard_normals(self.fitted_data())
        return [p for p in self.parameters if self.item not in p.dims and p.name not in normals]

    def _common_parameters(self) -> list[Parameter]:
        return [p for p in self.parameters if not p.dims]
