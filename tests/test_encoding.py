"""Claims about how files call the classes of arguments."""

import ast
from pathlib import Path

import pytest

import astro_hier
import astro_hier.populations.circularised  # their classes are registered when imported
import astro_hier.populations.histogram
import astro_hier.populations.power_law
from astro_hier.posterior import register
from astro_hier.posterior.encoding import SAVED

# What files of users call the classes of this package: names may be added, none may go
NAMES = {
    "Beta": "Beta",
    "Exponential": "Exponential",
    "Fixed": "Fixed",
    "Gamma": "Gamma",
    "HalfCauchy": "HalfCauchy",
    "HalfNormal": "HalfNormal",
    "LogNormal": "LogNormal",
    "LogUniform": "LogUniform",
    "Normal": "Normal",
    "PeriodScaled": "PeriodScaled",
    "Prior": "Prior",
    "StudentT": "StudentT",
    "TruncatedNormal": "TruncatedNormal",
    "Uniform": "Uniform",
    "astro_hier.outliers.ParallaxBackground": "ParallaxBackground",
    "astro_hier.outliers.VelocityBackground": "VelocityBackground",
    "astro_hier.outliers.WiderScatter": "WiderScatter",
    "astro_hier.populations.Beta": "Beta",
    "astro_hier.populations.BivariateNormal": "BivariateNormal",
    "astro_hier.populations.Circular": "Circular",
    "astro_hier.populations.Circularised": "Circularised",
    "astro_hier.populations.DirichletHistogram": "DirichletHistogram",
    "astro_hier.populations.EccentricityHistogram": "EccentricityHistogram",
    "astro_hier.populations.Exponential": "Exponential",
    "astro_hier.populations.Gamma": "Gamma",
    "astro_hier.populations.Histogram": "Histogram",
    "astro_hier.populations.Independent": "Independent",
    "astro_hier.populations.JitterOf": "JitterOf",
    "astro_hier.populations.KnownDistribution": "KnownDistribution",
    "astro_hier.populations.LogNormal": "LogNormal",
    "astro_hier.populations.LogNormalJitter": "LogNormalJitter",
    "astro_hier.populations.Normal": "Normal",
    "astro_hier.populations.NormalMixture": "NormalMixture",
    "astro_hier.populations.PeriodHistogram": "PeriodHistogram",
    "astro_hier.populations.PowerLaw": "PowerLaw",
    "astro_hier.populations.PowerLawPeak": "PowerLawPeak",
    "astro_hier.populations.Product": "Product",
    "astro_hier.populations.Rayleigh": "Rayleigh",
    "astro_hier.populations.RayleighExponential": "RayleighExponential",
    "astro_hier.populations.Spline": "Spline",
    "astro_hier.populations.TruncatedNormal": "TruncatedNormal",
    "astro_hier.populations.Uniform": "Uniform",
    "astro_hier.profiles.CoreHalo": "CoreHalo",
    "astro_hier.profiles.Normal": "Normal",
}


def test_classes_keep_the_names_that_files_call_them():
    own = {name: cls for name, cls in SAVED.items() if cls.__module__.startswith("astro_hier.")}
    assert {name: cls.__name__ for name, cls in own.items()} == NAMES


def test_names_in_files_are_literal_so_that_a_class_may_move():
    calls = [
        node
        for path in Path(astro_hier.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "register"
    ]
    assert {call.args[1].value for call in calls} == {name for name in NAMES if "." in name}


def test_nobody_takes_the_name_of_a_prior():
    with pytest.raises(ValueError, match="files call a prior of astro_hier 'Normal'"):
        register(Path, "Normal")
