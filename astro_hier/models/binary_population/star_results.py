"""Results of every star of a survey, from its row and the population, without its visits.

A star's modes were found under a population that is flat in ln P (or under the reference prior of
ellipses). For a draw of the population, a mode has the probability

    m g(x | theta) / (pi(x) L(theta)),

with its mass m, the ratio of the densities of population and of that prior at its orbit, and the
star's likelihood L. It is averaged over draws.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from astro_hier.core import orbit_evidence
from astro_hier.core.floats import TINY, Theta
from astro_hier.models.binary_population.data import thinned
from astro_hier.models.binary_population.eccentric import EccentricStars
from astro_hier.models.binary_population.survey_stars import LIKELIHOOD, Mean, SurveyStars, block_of
from astro_hier.models.binary_population.tables import population_draws
from astro_hier.survey import files
from astro_hier.survey.partition import OK
from astro_hier.survey.state import fingerprint

LEAST = 0.01  # probability of a mode that is counted
NAMED = ("P", "P_sd", "e", "e_low", "e_high", "omega", "K", "K_low", "K_high", "v0")
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
      where low and high are 16th and 84th percentiles, at the best period, or under the prior of
      the search for ellipses;
    - ``e``, ``e_low``, ``e_high`` and ``omega`` (rad), if orbits are eccentric;
    - ``time`` (d): of a maximum of the velocity or, if orbits are eccentric, of a periastron, in the
      scale of the visits' times;
    - ``probability`` of that mode, and ``n_modes`` with more than 1 percent, of up to eight;
    - ``chi2_per_dof`` and ``p_chi2`` of the orbit of the highest likelihood, with the jitter;
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
    """
    data = model.prepare_rows(rows)
    draws = population_draws(model)
    folder, mark = Path(folder), _mark(data, draws)
    folder.mkdir(parents=True, exist_ok=True)
    given = Given(data, thinned(draws))
    with tqdm(total=len(data.store), unit="star", desc="results", disable=not progressbar) as bar:
        for path in data.store.paths:
            target = folder / "-".join(path.relative_to(data.store.folder).parts)
            if target.exists():
                bar.update(_done(target, mark, resume))
                continue
            files.write(_labelled(given.table(path), mark), target)
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
        raise FileExistsError(
            f"{str(path)!r} exists: expected an empty folder, or resume=True"
        )
    if (schema.metadata or {}).get(b"fit") != mark.encode():
        raise files.RowsError(
            f"{str(path)!r} holds results of another fit; expected an empty folder"
        )
    return 1


def _labelled(table, mark):
    import pyarrow as pa

    fields = [
        pa.field(of.name, of.type, metadata={"unit": UNITS[of.name]} if of.name in UNITS else None)
        for of in table.schema
    ]
    return table.cast(pa.schema(fields, metadata={"fit": mark}))


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
        found = self._usable(whole.take(usable).combine_chunks()) if len(usable) else {}
        for name, values in found.items():
            values = np.asarray(values, float)
            spread = np.full(len(whole), np.nan)
            spread[usable] = values
            columns[name] = pa.array(spread)
        return pa.table(columns)

    def _usable(self, table) -> Mapping[str, np.ndarray]:
        block = block_of(self.data.empty, table.select(LIKELIHOOD))
        best, probability, n_modes = self._modes(block, table)
        found = {
            name: _flat(table[name])[best] for name in NAMED if len(_flat(table[name]))
        }
        first = table["first"].to_numpy()
        found["time"] = first + _flat(table["phase"])[best] * found["P"]
        found |= {"probability": probability, "n_modes": n_modes}
        chi2 = table["chi2"].to_numpy().astype(float)
        fitted = len(block.orbit.parameters) + sum(part.n_adjusted(1) for part in block.parts)
        dof = table["n_visits"].to_numpy() - fitted
        with np.errstate(divide="ignore", invalid="ignore"):
            found["chi2_per_dof"] = np.where(dof > 0, chi2 / dof, np.nan)
        found["p_chi2"] = orbit_evidence.tail_probability(chi2, dof)
        bayes, nats = self.mean.significance(block)
        found |= {"ln_bayes_factor": bayes, "period_information": nats}
        if "companion_fraction" in self.theta:
            found["companion"] = block.companion_probability(self.theta)
        return found

    def _modes(self, block, table):
        """Of each star, the place of its most probable mode, its probability, and how many count."""
        lists = table["P"].combine_chunks()
        offsets = lists.offsets.to_numpy() - lists.offsets.to_numpy()[0]
        star = np.repeat(np.arange(len(table)), np.diff(offsets))
        log_scale = table["log_scale"].to_numpy()
        inverse = np.exp(log_scale - block.with_orbit(self.theta))  # 1 / L, (theta, star)
        gain = [
            (self._ratio(block, table, part) * inverse[:, star[part]]).mean(axis=0)
            for part in _chunks(len(star))
        ]
        mass = np.exp(_flat(table["log_mass"]) - log_scale[star])
        probability = np.minimum(mass * np.concatenate(gain), 1.0)
        best = np.array([
            start + int(np.argmax(probability[start:stop]))
            for start, stop in zip(offsets[:-1], offsets[1:], strict=True)
        ])  # fmt: skip
        return best, probability[best], np.bincount(star[probability > LEAST], minlength=len(table))

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
    from astro_hier.core.grid import Grid

    return Grid((grid,)).deal(np.clip(ln_period, grid.low, grid.high))


def _flat(column):
    """The values of a column of lists, one after the other."""
    return column.combine_chunks().flatten().to_numpy(zero_copy_only=False)


def _chunks(size, length=20_000):
    return [slice(start, start + length) for start in range(0, size, length)]
