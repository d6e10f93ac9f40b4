"""Claims about estimators as scikit-learn sees them, if it is installed.

Of its checks those apply that need no array of features: models read tables with units. One more,
of default arguments, allows no other types than its own, and these are priors.
"""

import inspect

import astropy.units as u
import pytest

import astro_hier
from astro_hier import StarCluster, datasets, priors
from astro_hier.model import HierarchicalModel

checks = pytest.importorskip("sklearn.utils.estimator_checks")

MODELS = [
    cls
    for cls in (getattr(astro_hier, name) for name in astro_hier.__all__)
    if inspect.isclass(cls) and issubclass(cls, HierarchicalModel)
]


@pytest.mark.parametrize(
    "check",
    ["no_attributes_set_in_init", "get_params_invariance", "set_params", "estimator_repr",
     "estimator_cloneable", "valid_tag_types"],
)  # fmt: skip
@pytest.mark.parametrize("model", MODELS)
def test_checks_that_apply_pass(model, check):
    getattr(checks, f"check_{check}")(model.__name__, model())


def test_a_clone_has_the_arguments_and_no_results(fitted):
    from sklearn.base import clone
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    check_is_fitted(fitted)
    other = clone(fitted)
    assert repr(other) == repr(fitted)
    with pytest.raises(NotFittedError):
        check_is_fitted(other)
    with pytest.raises(ValueError, match="has no arguments"):
        other.set_params(colour=1)


def test_a_grid_of_arguments_is_gone_through():
    from sklearn.base import clone
    from sklearn.model_selection import ParameterGrid

    table = datasets.make_star_cluster(12, random_state=5)
    unit = u.kpc
    grid = ParameterGrid({"mu_r": [priors.Uniform(0 * unit, end * unit) for end in (1, 2)]})
    evidence = [
        clone(StarCluster()).set_params(**arguments)
        .fit(table, draws=20, random_state=1, progressbar=False)
        .posterior.attrs["log_evidence"]
        for arguments in grid
    ]  # fmt: skip
    # twice the prior's width costs ln 2
    assert evidence[0] - evidence[1] == pytest.approx(0.69, abs=0.1)
