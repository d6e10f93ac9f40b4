"""Files of fits: results, data and the arguments of the fit, written and read again."""

from collections.abc import Sequence
from os import PathLike
from typing import Self

import numpy as np
from astropy.time import Time

from astro_hier.model.results import Results
from astro_hier.netcdf import ContentError
from astro_hier.posterior import LOG_PROB, Parameter, add_draws, check_tree, load, reading, save

__all__ = ["Saved"]


class Saved(Results):
    """Results that can be saved and loaded."""

    def save(self, path: str | PathLike) -> None:
        """Write results, data and the arguments of the fit to one netCDF file.

        A file of that name is replaced only when the new one is complete, which gets its mode. If
        ``path`` is a symbolic link, the link stays, and the file that it points to is replaced.

        Parameters
        ----------
        path : str or path-like
            The file's name, in a folder that exists.

        Raises
        ------
        OSError
            If the file cannot be written, for instance because the disk is full. The fit can still
            be saved elsewhere.
        TypeError
            If an argument is an instance of an unregistered class, see
            `astro_hier.posterior.register`.

        Examples
        --------
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from astro_hier import SB1Binary, datasets
        >>> visits = datasets.make_binary(10, random_state=1)
        >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
        >>> with TemporaryDirectory() as folder:
        ...     star.save(Path(folder) / "star.nc")
        ...     again = SB1Binary.load(Path(folder) / "star.nc")
        >>> bool((again.samples("P") == star.samples("P")).all())
        True
        """
        save(path, self.inference_data, type(self).__name__, self._fitted_params)

    @classmethod
    def load(cls, path: str | PathLike) -> Self:
        """An estimator with the results, data and arguments that `save` wrote.

        Files do not hold code, and nothing outside the file is read, whoever wrote it. Files in the
        previous format can be read too.

        Parameters
        ----------
        path : str or path-like
            The file's name.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        SavedFileError
            If the file is damaged, holds something else, or has another format; the message says
            which.

        Examples
        --------
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from astro_hier import SB1Binary, datasets
        >>> visits = datasets.make_binary(10, random_state=1)
        >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
        >>> with TemporaryDirectory() as folder:
        ...     star.save(Path(folder) / "star.nc")
        ...     print(f"{SB1Binary.load(Path(folder) / 'star.nc').map_sample['P']:.1f}")
        7.3 d
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

    def _check_results(self) -> None:
        """Raise an error unless the results are what a fit with these arguments returns."""
        self.frozen_priors()
        tree = self.inference_data
        parameters = [*self.parameters, LOG_PROB]
        if hasattr(self, f"{self.item}_draws"):  # those of each are kept for all or for none
            of_each = {p.name for p in parameters if self.item in p.dims}
            if not of_each & set(tree["posterior"].variables):
                parameters = [p for p in parameters if p.name not in of_each]
        absent = [
            p for p in self._common_parameters()
            if not self.owner(p.name) and p.name not in tree["posterior"].variables
        ]  # fmt: skip
        parameters = [p for p in parameters if p not in absent]
        of_rows = () if self._folder() is not None else self.roles
        check_tree(tree, self.row, parameters, of_rows, self.numbers)
        self._add_derived(absent)
        if not of_rows:
            return
        epoch = self._rows().epoch
        if epoch and not (
            np.isfinite(epoch.day + epoch.fraction) and epoch.scale in (None, *Time.SCALES)
        ):
            raise ContentError(f"has an epoch that is not a time, {epoch}")

    def _add_derived(self, absent: Sequence[Parameter]) -> None:
        """Add parameters that follow from others, which files of earlier versions may lack."""
        if not absent:
            return
        posterior = self.inference_data["posterior"]
        derived = self.derive({str(name): of.values for name, of in posterior.data_vars.items()})
        for parameter in absent:
            if parameter.name not in derived:
                raise ContentError(f"lacks {parameter.name} in the group posterior")
            add_draws(posterior, parameter, derived[parameter.name])
