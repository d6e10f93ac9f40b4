"""Claims about backgrounds: broader than the members, of one part or two, one row a member."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from astropy.utils.exceptions import AstropyUserWarning
from reference import evidence_of_labels
from scipy import stats

from astro_hier import StarCluster, VelocityDispersion, outliers, priors
from astro_hier.models.membership import as_background
from astro_hier.populations.membership import draw_members

KMS = u.km / u.s
FREE = outliers.VelocityBackground(priors.Beta(1, 9), broader=False)
# numbers, spreads and distance of two groups [km/s]
TWO_GROUPS = {
    "alike": (30, 5, 28, 5, 200),
    "one narrower": (30, 5, 20, 2, 200),
    "one broad": (26, 20, 24, 2, 300),
    "one broad and larger": (40, 20, 24, 2, 300),
}
IGNORED = pytest.mark.filterwarnings(
    "ignore:the data have . distinct explanations",
    "ignore:in .* percent of the draws the outlie",
    "ignore:the errors hide",
    "ignore:single rows",
    "ignore:.* percent of the rows come out as outliers",
)


def table_of(velocity, error):
    return QTable({"velocity": velocity * KMS, "velocity_error": error * KMS})


def two_groups(case):
    n, sd, m, other_sd, away = TWO_GROUPS[case]
    rng = np.random.default_rng(0)
    error = rng.uniform(1, 2, n + m)
    true = np.concatenate([rng.normal(0, sd, n), rng.normal(away, other_sd, m)])
    return table_of(rng.normal(true, error), error), np.arange(n + m) < n


def fit(model, table, seed=1, **options):
    return model.fit(table, random_state=seed, progressbar=False, **options)


def log_prior(model):
    """That of a table of velocities, written out."""
    sd = stats.lognorm(1.5, scale=1000)
    background = as_background(model.outliers, outliers.VelocityBackground).background
    beta = (1, 1) if background.broader else (1, 9)

    def of(v_sys, ln_sigma_v, share, mean, outlier_sd):
        inside = (v_sys > -1000) & (ln_sigma_v > -3) & (ln_sigma_v < 8.5)
        height = -np.log(1_001_000) - np.log(11.5) + stats.beta.logpdf(share, *beta)
        height += stats.norm.logpdf(mean, 0, 1e5) + sd.logpdf(outlier_sd)
        if background.broader:
            height -= sd.logsf(np.exp(ln_sigma_v))
            inside &= outlier_sd > np.exp(ln_sigma_v)
        return np.where(inside, height, -np.inf)

    return of


@pytest.mark.slow
@IGNORED
@pytest.mark.parametrize("case", TWO_GROUPS)
@pytest.mark.parametrize("background", [True, FREE], ids=["broader", "free"])
def test_each_of_two_groups_is_the_members_as_often_as_it_should_be(case, background):
    # False alarm: 0.05 is six standard errors of a share of half of 4,000 draws.
    table, first = two_groups(case)
    model = VelocityDispersion(outliers=background)
    values = table["velocity"].value, table["velocity_error"].value
    rng = np.random.default_rng(1)
    with np.errstate(divide="ignore"):
        evidence = [
            evidence_of_labels(*values, members, log_prior(model), rng, points=100_000)
            for members in (first, ~first)
        ]
    expected = 1 / (1 + np.exp(evidence[0] - evidence[1]))
    middle = TWO_GROUPS[case][-1] / 2
    for seed in range(3):
        fitted = fit(model, table, seed)
        share = np.mean(fitted.samples("v_sys") > middle * KMS)
        assert share == pytest.approx(expected, abs=0.05)
        found = fitted.posterior.attrs
        assert found["log_evidence"] == pytest.approx(np.logaddexp(*evidence), abs=0.15)
        assert found["certificate"].startswith("agreed")
        assert found["n_explanations"] == (2 if 0.02 < expected < 0.98 else 1) or (
            0.005 < min(expected, 1 - expected) < 0.02  # near the limit of one percent
        )


@IGNORED
def test_two_explanations_are_said_and_listed(capsys):
    table, _ = two_groups("alike")
    with pytest.warns(AstropyUserWarning, match=r"2 distinct explanations, .* explanations\(\)"):
        model = fit(VelocityDispersion(outliers=True), table)
    listed = model.explanations()
    assert list(listed["probability"]) == sorted(listed["probability"], reverse=True)
    np.testing.assert_allclose(sorted(listed["v_sys"].value), [0, 200], atol=4)
    np.testing.assert_allclose(sorted(listed["n_members"]), [28, 30], atol=0.5)
    assert listed["v_sys_sd"].max() < 2 * KMS
    left = listed["probability"].sum() + listed.meta["probability_left_out"]
    assert left == pytest.approx(1)
    assert len(model.explanations(0.9)) == 0
    assert model.samples("v_sys").std() > 50 * KMS  # what the summary mixes


def test_one_explanation_is_one():
    rng = np.random.default_rng(1)
    model = fit(VelocityDispersion(), table_of(rng.normal(100, 5, 60), np.ones(60)))
    (row,) = model.explanations()
    assert row["probability"] == pytest.approx(1, abs=0.01)
    assert row["v_sys"].value == pytest.approx(100, abs=3)


@IGNORED
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_members_that_are_a_minority_are_found_from_the_default_prior(seed):
    # False alarm: five standard errors, 6e-7.
    rng = np.random.default_rng(seed)
    true = np.concatenate([rng.normal(190, 3, 60), rng.normal(0, 100, 300)])
    table = table_of(rng.normal(true, 2), np.full(360, 2.0))
    background = outliers.VelocityBackground(
        outlier_mean=priors.Normal(0 * KMS, 200 * KMS),
        outlier_sd=priors.LogUniform(50 * KMS, 300 * KMS),
    )
    model = VelocityDispersion(outliers=background, ln_sigma_v=priors.Uniform(-3, 3.4))
    v_sys = fit(model, table, seed).samples("v_sys").to_value(KMS)
    assert abs(v_sys.mean() - 190) < 5 * np.hypot(3, 2) / np.sqrt(60)
    assert 0.2 < v_sys.std() < 1


@IGNORED
@pytest.mark.parametrize(("members", "field"), [(25, 475), (15, 285), (100, 100)])
def test_members_of_a_few_percent_of_a_field_are_found(members, field):
    # False alarm: five standard errors, 6e-7.
    rng = np.random.default_rng(members)
    true = np.concatenate([rng.normal(-120, 6, members), rng.normal(10, 90, field)])
    error = rng.uniform(0.5, 4, len(true))
    model = fit(VelocityDispersion(outliers=True), table_of(rng.normal(true, error), error))
    v_sys = model.samples("v_sys").to_value(KMS)
    assert abs(np.median(v_sys) + 120) < 5 * 7 / np.sqrt(members)
    # False alarm: one in a thousand
    low, high = np.quantile(model.samples("sigma_v").to_value(KMS), [0.0005, 0.9995])
    assert low < 6 < high


@IGNORED
def test_a_cluster_that_is_a_minority_of_its_field_is_found():
    # False alarm: five standard errors, 6e-7.
    rng = np.random.default_rng(1)
    parallax = np.concatenate([1 / rng.normal(0.5, 0.003, 50), np.abs(rng.normal(1, 0.8, 300))])
    table = QTable({
        "parallax": rng.normal(parallax, 0.05) * u.mas, "parallax_error": np.full(350, 0.05) * u.mas
    })  # fmt: skip
    mu_r = fit(StarCluster(outliers=True), table).samples("mu_r").to_value(u.kpc)
    assert abs(mu_r.mean() - 0.5) < 5 * 0.05 * 0.25 / np.sqrt(50)


def clean(number=80):
    rng = np.random.default_rng(4)
    return table_of(rng.normal(100, 5, number), np.ones(number))


def test_a_clean_table_has_members():
    """Without a member at all, v_sys would be anywhere in its prior in a percent of the draws."""
    with_background = fit(VelocityDispersion(outliers=True), clean()).samples("v_sys").value
    plain = fit(VelocityDispersion(), clean()).samples("v_sys").value
    assert with_background.std() == pytest.approx(plain.std(), rel=0.15)
    assert abs(with_background.mean() - plain.mean()) < 0.2 * plain.std()


def direct(model, data, theta):
    """ln p(data | theta) of one theta with every set of members summed over, but for none."""
    value, error = data.value, data.stated_error
    background, of = model.outliers, {name: x[0] for name, x in theta.items()}
    member = (1 - of["outlier_fraction"]) * stats.norm.pdf(
        value, of["v_sys"], np.hypot(np.exp(of["ln_sigma_v"]), error)
    )
    parts = [(1.0, "outlier_mean", "outlier_sd")]
    if background.parts == 2:
        share = of["outlier_share2"]
        parts = [(1 - share, "outlier_mean", "outlier_sd"),
                 (share, "outlier_mean2", "outlier_sd2")]  # fmt: skip
    other = of["outlier_fraction"] * sum(
        share * stats.norm.pdf(value, of[mean], np.hypot(of[sd], error))
        for share, mean, sd in parts
    )
    total = 0.0
    for code in range(1, 2 ** len(value)):
        chosen = np.array([bool(code >> n & 1) for n in range(len(value))])
        total += np.prod(np.where(chosen, member, other))
    return np.log(total) - np.log(1 - of["outlier_fraction"] ** len(value))


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("fraction", [0.001, 0.3, 0.999])
def test_likelihood_sums_over_all_sets_of_members_but_none(parts, fraction):
    rng = np.random.default_rng(2)
    table = table_of(rng.normal(0, 8, 6), rng.uniform(1, 2, 6))
    model = VelocityDispersion(outliers=outliers.VelocityBackground(parts=parts))
    data = model.prepare(model.read(table), progressbar=False)
    for v_sys in (0.0, 30.0):
        theta = {
            "v_sys": v_sys, "ln_sigma_v": 1.0, "outlier_fraction": fraction, "outlier_mean": 3.0,
            "outlier_sd": 9.0, "outlier_share2": 0.3, "outlier_mean2": -5.0, "outlier_sd2": 40.0,
        }  # fmt: skip
        theta = {name: np.array([x]) for name, x in theta.items()}
        expected = direct(model, data, theta)
        assert model.log_marginal(data, theta)[0] == pytest.approx(expected, abs=1e-9)


def test_far_from_all_rows_the_likelihood_is_a_number():
    model = VelocityDispersion(outliers=True)
    data = model.prepare(model.read(clean(20)), progressbar=False)
    theta = {name: np.array([x]) for name, x in {
        "v_sys": 1e5, "ln_sigma_v": 0.0, "outlier_fraction": 0.5, "outlier_mean": 100.0,
        "outlier_sd": 50.0}.items()}  # fmt: skip
    assert -1e12 < model.log_marginal(data, theta)[0] < -1e6


def test_members_are_drawn_as_often_as_they_should_be():
    # False alarm: four standard errors of four numbers, 3e-4.
    chance = np.array([0.1, 0.02, 0.3, 1e-6])
    log_odds = np.tile(np.log(chance / (1 - chance)), (40_000, 1))
    drawn = draw_members(log_odds, np.random.default_rng(1))
    assert drawn.any(axis=1).all()
    expected = chance / (1 - np.prod(1 - chance))
    assert np.all(np.abs(drawn.mean(axis=0) - expected) < 4 * np.sqrt(expected / 40_000) + 1e-4)


@pytest.mark.parametrize("log_odds", [-800.0, -50.0])
def test_one_is_drawn_where_hardly_any_is_a_member(log_odds):
    drawn = draw_members(np.full((500, 5), log_odds), np.random.default_rng(1))
    np.testing.assert_array_equal(drawn.sum(axis=1), 1)
    # False alarm: five standard errors, 3e-6
    assert np.all(np.abs(drawn.mean(axis=0) - 0.2) < 5 * 0.4 / np.sqrt(500))


@IGNORED
def test_two_parts_describe_a_field_of_two_populations():
    # False alarm: five standard errors, 6e-7.
    rng = np.random.default_rng(5)
    true = np.concatenate(
        [rng.normal(-150, 4, 60), rng.normal(20, 30, 200), rng.normal(-30, 120, 150)]
    )
    table = table_of(rng.normal(true, 2), np.full(len(true), 2.0))
    model = fit(VelocityDispersion(outliers=outliers.VelocityBackground(parts=2)), table)
    assert abs(np.median(model.samples("v_sys").value) + 150) < 5 * 4.5 / np.sqrt(60)
    narrow, broad = (np.median(model.samples(f"outlier_sd{n}").value) for n in ("", "2"))
    assert 20 < narrow < 45
    assert 80 < broad < 180
    assert np.all(model.samples("outlier_sd2") > model.samples("outlier_sd"))
    assert np.all(model.samples("outlier_sd") > model.samples("sigma_v"))
    assert "n_members" in model.explanations().colnames


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parts": 3}, "parts=3, broader=True; expected 1 or 2"),
        ({"broader": "yes"}, "broader='yes'; expected 1 or 2, and True or False"),
        ({"parts": 2, "outlier_share2": priors.Uniform(0, 2)}, "outlier_share2=.* between 0 and 1"),
    ],
)
def test_a_background_that_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        outliers.VelocityBackground(**options)


def test_a_background_of_two_parts_is_saved(tmp_path):
    background = outliers.VelocityBackground(parts=2, broader=False)
    model = fit(VelocityDispersion(outliers=background), clean(12), draws=20)
    model.save(tmp_path / "x.nc")
    loaded = VelocityDispersion.load(tmp_path / "x.nc")
    assert loaded.outliers == background
    assert loaded.explanations().colnames == model.explanations().colnames


@pytest.mark.parametrize(
    "options",
    [{}, {"parts": 2}, {"outlier_sd": priors.LogUniform(5 * KMS, 500 * KMS)}, {"broader": False}],
)
def test_density_of_the_joint_model_is_that_of_the_marginal_method(options):
    model = VelocityDispersion(outliers=outliers.VelocityBackground(**options))
    table = clean(8)
    data = model.prepare(model.read(table), progressbar=False)
    theta = {
        "v_sys": [99.0, 103.0], "ln_sigma_v": [1.2, 2.0], "outlier_fraction": [0.3, 0.9],
        "outlier_mean": [80.0, 130.0], "outlier_sd": [9.0, 60.0], "outlier_share2": [0.2, 0.7],
        "outlier_mean2": [0.0, -50.0], "outlier_sd2": [90.0, 61.0],
    }  # fmt: skip
    theta = {name: np.array(theta[name]) for name in model.free_names()}
    expected = np.diff(model.log_prob(data, theta))[0]

    joint = model.pymc_model(table)
    density = joint.compile_logp(jacobian=False)
    ends = {name: low(theta) for name, low in model.lower_ends(data).items()}
    found = []
    for n in range(2):
        point = dict(joint.initial_point())
        for value in joint.value_vars:
            of = next((p for p in theta if value.name.startswith(p + "_") or value.name == p), None)
            if of is None:  # what the data know nothing of
                continue
            at = theta[of][n]
            if "_excess_" in value.name:
                at -= ends[of][n]
            variable = joint.values_to_rvs[value]
            transform = joint.rvs_to_transforms[variable]
            if transform is not None:
                at = transform.forward(at, *variable.owner.inputs).eval()
            point[value.name] = np.asarray(at)
        found.append(density(point))
    assert found[1] - found[0] == pytest.approx(expected, abs=1e-6)
