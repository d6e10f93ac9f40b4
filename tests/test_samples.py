"""Claims about tables from posteriors that other programs wrote."""

import astropy.units as u
import numpy as np
import pytest
import xarray as xr

from astro_hier import samples
from astro_hier.models.sample_population.reading import read_samples

DRAWS = np.random.default_rng(1).normal(1.4, 0.1, (2, 5, 3))  # (chain, draw, object)
DIMS = ("chain", "draw", "star")
STARS = ["b", "a", "c"]


def posterior(**attrs):
    variables = {
        "mass": (DIMS, DRAWS, attrs),
        "other_way": (("star", "draw", "chain"), DRAWS.T),
        "of_lines": ((*DIMS, "line"), DRAWS[..., None]),
        "of_sites": ((*DIMS[:2], "site"), DRAWS),
        "mean": (DIMS[:2], DRAWS[..., 0]),
        "known": (DIMS[2:], DRAWS[0, 0]),
    }
    return xr.Dataset(variables, {"star": STARS, "chain": [0, 1]})


def by_arviz(found):
    """What the installed ArviZ makes of a posterior: InferenceData, from version 1 a DataTree."""
    arviz = pytest.importorskip("arviz", reason="ArviZ makes the data")
    if hasattr(arviz, "convert_to_datatree"):
        return arviz.convert_to_datatree(found)
    return arviz.convert_to_inference_data(found)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda found: found,
        lambda found: xr.DataTree.from_dict({"posterior": found, "observed_data": xr.Dataset()}),
        lambda found: xr.DataTree.from_dict({"posterior": found})["posterior"],
        by_arviz,
    ],
    ids=["Dataset", "DataTree", "its group", "ArviZ"],
)
@pytest.mark.parametrize("attr", ["unit", "units"])
def test_draws_of_all_chains_are_in_rows_of_objects(wrap, attr):
    table = samples.from_arviz(wrap(posterior(**{attr: "solMass"})), "mass")
    assert table.colnames == ["object", "samples"]
    assert table["object"].tolist() == STARS
    assert table["samples"].unit == u.Msun
    np.testing.assert_array_equal(table["samples"].value, DRAWS.reshape(10, 3).T)
    rows, units = read_samples(table, ("m",), {"m": None})
    assert rows["samples"].tolist() == DRAWS.reshape(10, 3).T.ravel().tolist()
    assert units == {"m": u.Msun}


def test_variables_of_the_same_objects_are_read_together():
    table = samples.from_arviz(posterior(unit="kg"), ["mass", "other_way"])
    assert table.colnames == ["object", "samples_mass", "samples_other_way"]
    assert table["samples_mass"].unit == u.kg
    assert table["samples_mass"].value.tolist() == table["samples_other_way"].tolist()
    with pytest.raises(ValueError, match="of_sites and mass are of different objects"):
        samples.from_arviz(posterior(), ["mass", "of_sites"])


def test_objects_without_labels_are_numbered():
    assert samples.from_arviz(posterior(), "of_sites")["object"].tolist() == [0, 1, 2]
    table = samples.from_arviz(posterior().sel(chain=0), "mass", "star")
    np.testing.assert_array_equal(table["samples"], DRAWS[0].T)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("masses", r"no variable 'masses'; expected one of \['known', 'mass', "),
        (
            "of_lines",
            r"dimensions \('chain', 'draw', 'star', 'line'\); expected chain, draw and one",
        ),
        ("mean", r"dimensions \('chain', 'draw'\); expected chain, draw and one of objects"),
        ("known", r"dimensions \('star',\); expected chain, draw"),
    ],
)
def test_variables_of_no_objects_are_refused(name, message):
    with pytest.raises(ValueError, match=message):
        samples.from_arviz(posterior(), name)


def test_what_is_no_posterior_is_refused():
    with pytest.raises(ValueError, match="expected chain, draw and site"):
        samples.from_arviz(posterior(), "mass", "site")
    with pytest.raises(ValueError, match="'Msunn', which astropy does not know"):
        samples.from_arviz(posterior(unit="Msunn"), "mass")
    with pytest.raises(ValueError, match="data=dict; expected an InferenceData"):
        samples.from_arviz({}, "mass")
    with pytest.raises(ValueError, match="no variable 'mass'"):
        samples.from_arviz(xr.DataTree.from_dict({"prior": posterior()}), "mass")
