"""Results in the units that a user asks for."""

import re

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest

from astro_hier import SB1Binary, StarCluster, VelocityDispersion, datasets, plots
from astro_hier.posterior import Units, fitting

STATISTICS = ["mean", "sd", "hdi_3%", "hdi_97%", "mcse_mean", "mcse_sd"]
KNOWN = {"P": u.day, "K": u.km / u.s, "v0": u.km / u.s, "M": u.mag, "feh": u.dex, "e": u.one}


@pytest.mark.parametrize(
    "asked", ["pc", u.pc, ["pc", u.uas], {"mu_r": "pc", "std_r": u.pc}, ("pc",)]
)
def test_statistics_are_those_of_the_draws_in_that_unit(fitted, asked):
    own, shown = fitted.summary(), fitted.summary(unit=asked)
    assert list(shown["unit"]) == ["pc", "", "pc"]
    factor = np.array([1000, 1, 1000])
    for name in STATISTICS:
        np.testing.assert_allclose(shown[name], own[name] * factor, rtol=1e-12)
    for name in ("ess_bulk", "ess_tail", "r_hat"):
        assert np.all(shown[name] == own[name])
    assert shown["mean"][0] == pytest.approx(fitted.samples("mu_r", "pc").value.mean())


def test_a_unit_by_name_is_for_that_parameter_alone(fitted):
    assert list(fitted.summary(unit={"std_r": "lyr"})["unit"]) == ["kpc", "", "lyr"]
    table = fitted.posterior_table(unit={"std_r": "lyr"})
    assert (table["mu_r"].unit, table["std_r"].unit) == (u.kpc, u.lyr)
    assert np.all(fitted.posterior["mu_r"].attrs["unit"] == "kpc")


def test_columns_of_one_quantity_have_one_unit(fitted):
    own, shown = fitted.star_table(), fitted.star_table(unit={"r": "pc", "parallax": "uas"})
    assert [shown[name].unit for name in shown.colnames[1:5]] == [u.uas, u.uas, u.pc, u.pc]
    for name in shown.colnames[1:]:
        assert u.allclose(shown[name], own[name])
        assert shown[name].info.format == own[name].info.format


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("pcc", r"unit='pcc': 'pcc' did not parse as unit.*pc\?$"),
        ("m/s", r"unit='m / s' is one of speed/velocity, which no quantity here has"),
        ({"mu": "pc"}, r"there is no 'mu'; expected some of .* did you mean 'mu_r'"),
        ({"mu_r": "s"}, "unit of mu_r: expected one of length, such as 'kpc', and not 's'"),
        ({"ln_std_r": "pc"}, "unit of ln_std_r: it is a number, which has no 'pc'"),
        (["pc", "kpc"], "'pc' and 'kpc' are both units of length"),
        ("percent", r"name the parameter, as in unit=\{'name': '%'\}"),
        (5, r"unit=5; expected a unit such as 'pc', a list of units, or a dict"),
        ({"mu_r": None}, "unit=None is not a unit"),
    ],
)
def test_a_unit_of_no_parameter_is_an_error_that_says_what_there_is(fitted, asked, message):
    for of in (fitted.summary, fitted.posterior_table, fitted.star_table, fitted.plot_corner):
        with pytest.raises(ValueError, match=message):
            of(unit=asked)


def test_samples_of_a_parameter_cannot_have_the_unit_of_another(fitted):
    with pytest.raises(u.UnitConversionError, match="angle, which no quantity here has"):
        fitted.samples("mu_r", "mas")
    assert fitted.samples("mu_r", ["mas"]).unit == u.kpc


@pytest.mark.parametrize(
    ("asked", "units"),
    [
        (u.m / u.s, {"K": u.m / u.s, "v0": u.m / u.s, "P": u.day}),
        (u.mmag, {"M": u.mmag, "feh": u.dex}),  # astropy can convert magnitudes to dex
        ({"e": "percent"}, {"e": u.percent, "feh": u.dex}),
    ],
)
def test_units_go_by_name_or_by_physical_type(asked, units):
    found = Units(asked, KNOWN)
    assert {name: found.of(KNOWN[name], name) for name in units} == units


def test_numbers_among_truths_are_in_the_unit_that_is_shown(fitted):
    for truth in (500, 500 * u.pc):
        figure = fitted.plot_corner(truths={"mu_r": truth}, unit="pc")
        line = next(line for line in figure.axes[0].lines if len(set(line.get_xdata())) == 1)
        assert line.get_xdata()[0] == 500
        assert "pc" in figure.axes[0].get_title()
        assert "kpc" not in figure.axes[0].get_title()


def test_units_are_those_of_all_results_of_a_model():
    star, system = SB1Binary(), VelocityDispersion()
    assert fitting(star, ["AU", "pc", "m/s", "uas", "h"]) == ["AU", "pc", "m/s", "h"]  # of elements
    assert fitting(system, ["AU", "m/s"]) == ["m/s"]
    visits = datasets.make_binary(10, random_state=1)
    star.fit(visits, draws=50, random_state=1, progressbar=False)
    assert star.elements(unit=["AU", "m/s"])["a1_sini"].unit == u.AU
    assert star.summary(unit=["AU", "m/s"])["unit"][0] == "d"


def test_powers_of_ten_are_in_labels_and_titles_rather_than_over_axes(fitted):
    figure = fitted.plot_corner(unit="m", truths={"mu_r": 500 * u.pc})
    assert figure.axes[2].get_xlabel() == r"$\mu_r$ [$10^{19}$ $\mathrm{m}$]"
    assert figure.axes[2].get_ylabel() == r"$\sigma_r$ [$10^{17}$ $\mathrm{m}$]"
    assert re.search(r"\(1\.54\d+ \\pm .*\) \\times 10\^\{19\}\$ \$", figure.axes[0].get_title())
    assert figure.axes[0].lines[0].get_xdata()[0] == pytest.approx((500 * u.pc).to_value("1e19 m"))
    trace = fitted.plot_trace(unit="m")
    assert trace.axes[0].get_xlabel() == figure.axes[2].get_xlabel()


def ticks(axis):
    axis.figure.canvas.draw()
    return axis.get_offset_text().get_text(), [of.get_text() for of in axis.get_ticklabels()]


def test_axes_have_neither_powers_nor_offsets_above_them():
    _, ax = plt.subplots()
    ax.set(xlim=(0, 2e30), xticks=[0, 1e30], xlabel="mass [kg], alone", ylim=(20000, 20001))
    ax.set(ylabel="velocity [m/s]", yticks=[20000, 20001])
    plots.plain_numbers(ax)
    assert ax.get_xlabel() == "mass [$10^{30}$ kg], alone"
    assert ticks(ax.xaxis) == ("", ["0", "1"])
    assert ticks(ax.yaxis) == ("", ["20000", "20001"])
    ax.set_xlabel("mass [kg]")  # of another figure on the same axes
    plots.plain_numbers(ax)
    assert ax.get_xlabel() == "mass [$10^{30}$ kg]"
    ax.set(xlim=(0, 2), xlabel="mass")
    plots.plain_numbers(ax)
    assert (ax.get_xlabel(), plots.with_power("mass", 3)) == ("mass", "mass [$10^{3}$]")


@pytest.mark.filterwarnings("ignore")
def test_densities_of_small_units_are_plain():
    velocities = datasets.make_velocities(30, sigma_v=9 * u.km / u.s, random_state=1)
    model = VelocityDispersion().fit(
        velocities, draws=50, chains=2, random_state=1, progressbar=False
    )
    ax = model.plot_data(unit="m/s")
    assert ax.get_ylabel() == r"density [$10^{-5}$ $\mathrm{s\,m^{-1}}$]"
    assert ticks(ax.yaxis)[0] == ""


def test_units_are_asked_of_a_fit():
    with pytest.raises(ValueError, match=r"call fit\(table\) first"):
        StarCluster().summary(unit="pc")
