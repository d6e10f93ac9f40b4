"""Results of every star of a survey, from its row and the population, without its visits.

A star's modes were found under a population that is flat in ln P (or under the reference prior of
ellipses). For a draw of the population, a mode has the probability

    m g(x | theta) / (pi(x) L(theta)),

with its mass m, the ratio of the densities of population and of that prior at its orbit, and the
star's likelihood L. It is averaged over draws.
"""

import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from astro_hier.core import orbit_evidence
from astro_hier.core.floats import TINY, Theta
from astro_hier.core.grid import Grid
from astro_hier.given import path as as_path
from astro_hier.given import switch
from astro_hier.models.binary_population.data import thinned
from astro_hier.models.binary_population.eccentric import EccentricStars
from astro_hier.models.binary_population.survey_blocks import (
    LIKELIHOOD,
    Mean,
    block_of,
    matrix_of,
)
from astro_hier.models.binary_population.survey_stars import SurveyStars
from astro_hier.models.binary_population.tables import population_draws
from astro_hier.survey import files
from astro_hier.survey.partition import OK, with_units
from astro_hier.survey.state import fingerprint

LEAST = 0.01  # probability of a mode that is counted
STARS = 2000  # that are described at a time
WIDE = 4  # steps of the grid: wider modes are summed over its points
OF_MODES = ("P", "P_sd", "K", "K_low", "K_high", "v0")
ENDS = 0.16, 0.5, 0.84
UNITS = dict.fromkeys(("P", "P_sd", "time", "baseline"), "d")
UNITS |= dict.fromkeys(("K", "K_low", "K_high", "v0"), "km / s") | {"omega": "rad"}
COPIED = "n_visits", "baseline"


def star_results(
    model,
    rows: str | os.PathLike,
    folder: str | os.PathLike,
    *,
    resume: bool = True,
    progressbar: bool = True,
) -> None:
    """Write results of every star of a survey, given its visits and the fitted population.

    There is a file for each file of rows, which appears when it is complete.
    `astro_hier.survey.read` reads them all as a table. The columns are

    - ``star``, and ``status``: ``ok``, or why there are no results;
    - ``n_visits`` and ``baseline`` (d);
    - ``P``, ``P_sd`` (d), ``K``, ``K_low``, ``K_high``, ``v0`` (km/s): of the most probable mode,
      where low and high are 16th and 84th percentiles. If orbits are circular, they are those of
      the best period in the mode, else P and K are medians;
    - ``e``, ``e_low``, ``e_high`` and ``omega`` (rad), if orbits are eccentric;
    - ``time`` (d): of a maximum of the velocity or, if orbits are eccentric, of a periastron, in
      the scale of the visits' times;
    - ``probability`` of that mode, and ``n_modes`` with more than 1 percent, of up to twelve;
    - ``chi2_per_dof`` and ``p_chi2`` of its best orbit, with the jitter (of ellipses those of the
      orbit of the highest likelihood);
    - ``ln_bayes_factor`` of an orbit over a constant velocity, and ``period_information`` in nats,
      as in ``star_table``;
    - ``companion``, the probability of a companion, with ``companion_fraction``.

    Parameters
    ----------
    rows : str or path-like
        The folder of rows, that of the fit or others that were made alike.
    folder : str or path-like
        Where the results are written; made if necessary.
    resume : bool, optional
        Whether to leave results of the same fit that are there. If not, there must be none.
    progressbar : bool, optional
        Whether to show progress.

    Raises
    ------
    astro_hier.survey.RowsError
        If the rows were made with other arguments, or there are results of another fit.

    Examples
    --------
    >>> import astropy.units as u
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from astro_hier import BinaryPopulation, datasets, survey
    >>> visits = datasets.make_binaries(5, random_state=1)
    >>> model = BinaryPopulation(period_range=(1 * u.day, 100 * u.day))
    >>> with TemporaryDirectory() as folder:
    ...     rows = Path(folder) / "rows"
    ...     done = survey.prepare(visits, rows, model, progressbar=False)
    ...     model = model.fit_rows(
    ...         rows, draws=50, random_state=1, progressbar=False
    ...     )
    ...     model.star_results(rows, Path(folder) / "results", progressbar=False)
    ...     stars = survey.read(Path(folder) / "results")
    >>> len(stars)
    5
    """
    folder, resume = as_path("folder", folder), switch("resume", resume)
    progressbar = switch("progressbar", progressbar)
    data = model.prepare_rows(as_path("rows", rows))
    draws = population_draws(model)
    mark = _mark(data, draws)
    folder.mkdir(parents=True, exist_ok=True)
    given = Given(data, thinned(draws))
    with tqdm(
        total=len(data.store.paths), unit="file", desc="results", disable=not progressbar
    ) as bar:
        for path in data.store.paths:
            target = folder / "-".join(path.relative_to(data.store.folder).parts)
            if target.exists():
                bar.update(_done(target, mark, resume))
                continue
            files.write(with_units(given.table(path), UNITS, {"fit": mark}), target)
            bar.update(1)


def _mark(data, draws):
    """A short number that stands for the rows and the fit."""
    said = {name: np.asarray(of).tolist()[:100] for name, of in thinned(draws).items()}
    return fingerprint({"rows": data.store.specification, "draws": said})


def _done(path, mark, resume):
    """Leave results that are there, if they are those of this fit."""
    import pyarrow.parquet as pq

    schema = pq.read_schema(path)
    if not resume:
        raise FileExistsError(f"{str(path)!r} exists: expected an empty folder, or resume=True")
    if (schema.metadata or {}).get(b"fit") != mark.encode():
        raise files.RowsError(
            f"{str(path)!r} holds results of another fit; expected an empty folder"
        )
    return 1


class Given:
    """The population that stars are described for."""

    def __init__(self, data: SurveyStars, theta: Theta):
        self.data, self.theta = data, theta
        self.mean = Mean.of(data.empty, theta)
        empty = data.empty
        if data.is_eccentric:
            self.ratio = empty.shares(theta) / np.maximum(empty.plane.reference.ravel(), TINY)
        else:
            self.density = np.exp(empty.on_grid(theta)[2])

    def table(self, path: Path) -> Any:
        """The results of the stars of one file, an Arrow table."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        store = self.data.store
        whole = pq.read_table(path, partitioning=None)
        usable = np.flatnonzero(pc.equal(whole["status"], OK).to_numpy())
        columns = {"star": whole[store.star], **{n: whole[n] for n in ("status", *COPIED)}}
        parts = [
            self._usable(whole.take(usable[start : start + STARS]).combine_chunks())
            for start in range(0, len(usable), STARS)
        ]
        for name in parts[0] if parts else ():
            spread = np.full(len(whole), np.nan)
            spread[usable] = np.concatenate([part[name] for part in parts])
            columns[name] = pa.array(spread)
        return pa.table(columns)

    def _usable(self, table) -> Mapping[str, np.ndarray]:
        block = block_of(self.data.empty, table.select(LIKELIHOOD))
        of_orbits = self._of_ellipses if self.data.is_eccentric else self._of_circles
        found = of_orbits(block, table)
        chi2 = found.pop("chi2")
        fitted = len(block.orbit.parameters) + sum(part.n_adjusted(1) for part in block.parts)
        dof = table["n_visits"].to_numpy() - fitted
        found["chi2_per_dof"] = np.where(dof > 0, chi2 / np.maximum(dof, 1), np.nan)
        found["p_chi2"] = orbit_evidence.tail_probability(chi2, dof)
        bayes, nats = self.mean.significance(block)
        found |= {"ln_bayes_factor": bayes, "period_information": nats}
        if "companion_fraction" in self.theta:
            found["companion"] = block.companion_probability(self.theta)
        return found

    def _probabilities(self, block, table):
        """Of all kept orbits, averaged over the population's draws, shape (orbit,)."""
        star, log_scale = _star_of(table), table["log_scale"].to_numpy()
        inverse = self._inverse(block)
        gain = [
            (self._ratio(block, table, part) * inverse[:, star[part]]).mean(axis=0)
            for part in _chunks(len(star))
        ]
        return np.exp(_flat(table["log_mass"]) - log_scale[star]) * np.concatenate(gain)

    def _inverse(self, block):
        """1 / L of each star, up to its scale, shape (theta, star)."""
        return np.exp(matrix_of(block).log_scale - block.with_orbit(self.theta))

    def _of_circles(self, block, table):
        """Of each star, its most probable mode."""
        columns = {name: _flat(table[name]).astype(float) for name in OF_MODES}
        maximum = _flat(table["phase"]) * columns["P"]
        probability = self._probabilities(block, table)
        self._add_wide(block, table, columns, probability)
        offsets = _offsets(table)
        best = np.array([a + np.argmax(probability[a:b]) for a, b in pairwise(offsets)])
        found = {name: values[best] for name, values in columns.items()}
        found["time"] = table["first"].to_numpy() + maximum[best]
        found["chi2"] = _flat(table["mode_chi2"])[best].astype(float)
        found["probability"] = np.minimum(probability[best], 1.0)
        counted = np.bincount(_star_of(table)[probability > LEAST], minlength=len(table))
        return found | {"n_modes": counted}

    def _add_wide(self, block, table, columns, probability):
        """Periods and probabilities of modes that are wider than the population's grid is fine."""
        grid, W = block.levels.grids[0], block.matrices[0].W
        ends = [np.log(_flat(table[name]).astype(float)) for name in ("shortest", "longest")]
        star, inverse = _star_of(table), self._inverse(block)
        for n in np.flatnonzero(ends[1] - ends[0] > WIDE * grid.step):
            row = slice(W.indptr[star[n]], W.indptr[star[n] + 1] - 2)  # without the tails
            at = np.searchsorted(grid.points, [ends[0][n], ends[1][n]])
            first, last = np.searchsorted(W.indices[row], at)
            points = W.indices[row][first:last]
            gain = inverse[:, star[n]] @ self.density[:, points] / len(inverse)
            mass = W.data[row][first:last] * gain
            if mass.sum() > 0:
                P = np.exp(grid.points[points])
                probability[n], share = mass.sum(), mass / mass.sum()
                columns["P"][n] = P[np.searchsorted(np.cumsum(share), 0.5).clip(0, len(P) - 1)]
                columns["P_sd"][n] = np.sqrt(share @ (P - share @ P) ** 2)

    def _of_ellipses(self, block, table):
        """Of each star, medians and percentiles of the orbits in its most probable mode."""
        probability = self._probabilities(block, table)
        columns = {n: _flat(table[n]) for n in ("mode", "P", "e", "K", "v0", "omega", "phase")}
        first, rows = table["first"].to_numpy(), []
        for star, (start, stop) in enumerate(pairwise(_offsets(table))):
            weight = probability[start:stop]
            weight = weight / np.maximum(weight.sum(), TINY)
            of = {name: values[start:stop] for name, values in columns.items()}
            by_mode = np.bincount(of["mode"], weight)
            inside = of["mode"] == np.argmax(by_mode)
            row = _in_mode({name: v[inside] for name, v in of.items()}, weight[inside])
            row["time"] = first[star] + row.pop("phase") * row["P"]
            rows.append(row | {"probability": by_mode.max(), "n_modes": np.sum(by_mode > LEAST)})
        found = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        return found | {"chi2": table["chi2"].to_numpy().astype(float)}

    def _ratio(self, block, table, part):
        """The population's density over that of the search at some modes, shape (theta, mode)."""
        P = _flat(table["P"])[part]
        if isinstance(block, EccentricStars):
            corner, share = block.plane.deal(np.log(P), _flat(table["e"])[part].astype(float))
            return sum(of * self.ratio[:, k] for k, of in zip(corner, share, strict=True))
        grid = block.levels.grids[0]
        (low, high), shares = _beside(grid, np.log(P))
        within = self.density[:, low] * shares[0] + self.density[:, high] * shares[1]
        return within * (grid.high - grid.low)


def _beside(grid, ln_period):
    return Grid((grid,)).deal(np.clip(ln_period, grid.low, grid.high))


def _flat(column):
    """The values of a column of lists, one after the other."""
    return column.combine_chunks().flatten().to_numpy(zero_copy_only=False)


def _chunks(size, length=2_000):
    return [slice(start, start + length) for start in range(0, size, length)]


def _star_of(table):
    """The number of the star of each kept orbit."""
    return np.repeat(np.arange(len(table)), np.diff(_offsets(table)))


def _offsets(table):
    """Where the kept orbits of each star begin, and the end of the last."""
    offsets = table["P"].combine_chunks().offsets.to_numpy()
    return offsets - offsets[0]


def _in_mode(orbits, weight):
    """Medians and percentiles of weighted orbits; the rest is of the orbit of the median period."""
    order = np.argsort(orbits["P"])
    middle = order[
        np.searchsorted(np.cumsum(weight[order]), 0.5 * weight.sum()).clip(0, len(order) - 1)
    ]
    found = {name: float(orbits[name][middle]) for name in ("P", "v0", "omega", "phase")}
    share = weight / np.maximum(weight.sum(), TINY)
    mean = share @ orbits["P"]
    found["P_sd"] = float(np.sqrt(share @ (orbits["P"] - mean) ** 2))
    for name in ("e", "K"):
        low, mid, high = (orbit_evidence.quantile(orbits[name], weight, end) for end in ENDS)
        found |= {name: mid, f"{name}_low": low, f"{name}_high": high}
    return found
