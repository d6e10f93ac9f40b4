"""Claims about the verbs for saved fits: compare and report."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from astro_hier import SB1Binary, StarCluster, VelocityDispersion, datasets, priors
from astro_hier.cli import main
from astro_hier.cli.saved import load

QUICK = {"draws": 20, "random_state": 1, "progressbar": False}


@pytest.fixture(scope="module")
def members():
    return datasets.make_star_cluster(12, random_state=3)


@pytest.fixture(scope="module")
def saved(tmp_path_factory, members):
    """The folder of several fits."""
    folder = tmp_path_factory.mktemp("fits")
    shifted = QTable(members, copy=True)
    shifted["parallax"][4] += 0.01 * u.mas
    velocities = datasets.make_velocities(12, random_state=1)
    fits = {
        "plain": StarCluster().fit(members, **QUICK),
        "outliers": StarCluster(outliers=True).fit(members, **QUICK),
        "fewer": StarCluster().fit(members[:-1], **QUICK),
        "shifted": StarCluster().fit(shifted, **QUICK),
        "velocities": VelocityDispersion().fit(velocities, **QUICK),
    }
    for name, fit in fits.items():
        fit.save(folder / f"{name}.nc")
    return folder


def evidence(path):
    return load(path).posterior.attrs["log_evidence"]


def test_the_class_of_a_saved_fit_is_found(saved):
    assert isinstance(load(saved / "plain.nc"), StarCluster)
    assert load(saved / "outliers.nc").outliers is True
    assert isinstance(load(saved / "velocities.nc"), VelocityDispersion)


def test_compare_prints_evidences_side_by_side(saved, capsys):
    paths = [saved / f"{name}.nc" for name in ("outliers", "plain")]
    assert main(["compare", *map(str, paths)]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines if ".nc " in line]
    found = {row[0]: row[1:] for row in rows}
    log_z = np.array([evidence(path) for path in paths])
    probability = np.exp(log_z - np.logaddexp.reduce(log_z))
    for i, (path, outliers) in enumerate(zip(paths, ("True", "None"), strict=True)):
        row = found[str(path)]
        assert row[:2] == ["StarCluster", f"outliers={outliers}"]
        assert float(row[2]) == pytest.approx(log_z[i], abs=0.006)
        assert float(row[4]) == pytest.approx(probability[i], abs=1e-4)
    assert [row[0] for row in rows] == [str(paths[i]) for i in np.argsort(-log_z)]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ("fewer", "12 and 11 rows"),
        ("shifted", "parallax differs in 1 of 12 rows, such as row 4"),
        ("velocities", "different kinds of data, parallax and velocity"),
    ],
)
def test_fits_of_different_data_are_not_compared(saved, capsys, other, reason):
    assert main(["compare", str(saved / "plain.nc"), str(saved / f"{other}.nc")]) == 1
    printed = capsys.readouterr()
    assert reason in printed.err
    assert "evidences cannot be compared" in printed.err
    assert not printed.out


def test_what_only_one_model_reads_does_not_hinder(tmp_path, members, capsys):
    with_zero = QTable(members, copy=True)
    with_zero["zp"] = np.zeros(len(members)) * u.mas
    StarCluster().fit(members, **QUICK).save(tmp_path / "a.nc")
    StarCluster(zero_point="zp").fit(with_zero, **QUICK).save(tmp_path / "b.nc")
    assert main(["compare", str(tmp_path / "a.nc"), str(tmp_path / "b.nc")]) == 0
    assert "zero_point='zp'" in capsys.readouterr().out


def test_compare_of_one_table_is_that_of_the_models_of_a_binary(tmp_path, capsys):
    visits = datasets.make_binary(6, random_state=1)
    visits.meta.clear()
    visits.rename_column("rv", "vrad")
    path = tmp_path / "visits.ecsv"
    visits.write(path)
    given = ["--columns", "rv=vrad", "--set", "eccentricity=0", "--prior", "P=LogUniform(6 d, 9 d)"]
    try:
        status = main(["compare", str(path), *given])
    finally:
        printed = capsys.readouterr()
    assert status == 0, printed.err
    model = SB1Binary(
        columns={"rv": "vrad"}, eccentricity=0, P=priors.LogUniform(6 * u.day, 9 * u.day)
    )
    expected = model.compare(visits)
    for row in expected:
        assert f"{row['log_evidence']:.2f}" in printed.out
    assert "Probability of an orbit: " in printed.out


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["plain.nc"], 2, "is one saved fit; expected two or more"),
        (["plain.nc", "outliers.nc", "--columns", "star=x"], 2, "for a table, not for saved fits"),
        (["plain.nc", "absent.nc"], 1, "there is no file"),
        (["plain.nc", "notes.txt"], 1, "was not written by an estimator's save method"),
    ],
)
def test_what_cannot_be_compared_is_said(saved, capsys, monkeypatch, words, status, message):
    monkeypatch.chdir(saved)
    (saved / "notes.txt").write_text("dear diary")
    if status == 2:
        with pytest.raises(SystemExit) as stopped:
            main(["compare", *words])
        assert stopped.value.code == 2
    else:
        assert main(["compare", *words]) == status
    assert message in capsys.readouterr().err


def test_a_model_of_ones_own_is_not_known_to_the_command(tmp_path, members, capsys):
    class Own(StarCluster):
        pass

    path = tmp_path / "own.nc"
    Own().fit(members, **QUICK).save(path)
    assert main(["compare", str(path), str(path)]) == 1
    assert "holds a Own, which is not a model of this package" in capsys.readouterr().err


def test_report_writes_the_page_of_a_saved_fit(saved, tmp_path, capsys, monkeypatch):
    written = []

    def report(self, path, overwrite=False, unit=None):
        written.append((type(self), path, overwrite, unit))

    monkeypatch.setattr(StarCluster, "report", report, raising=False)
    page = tmp_path / "page.html"
    words = ["report", str(saved / "plain.nc")]
    assert main([*words, "--out", str(page), "--overwrite", "--unit", "pc"]) == 0
    assert main(["report", str(saved / "plain.nc"), "--quiet"]) == 0
    assert written == [
        (StarCluster, page, True, ["pc"]),
        (StarCluster, saved / "plain.html", False, None),
    ]
    assert capsys.readouterr().out == f"Written: {page}\n"
    assert main(["report", str(saved / "absent.nc")]) == 1
