"""The base of models of radial velocities: their options, and what the options add."""

from typing import Any

import astropy.units as u

from astro_hier import annotations
from astro_hier.given import switch
from astro_hier.model import HierarchicalModel
from astro_hier.models.orbits import elements, shape
from astro_hier.models.orbits.amplitudes import Amplitudes
from astro_hier.models.orbits.data import Velocities
from astro_hier.models.orbits.ellipse import Ellipse
from astro_hier.models.orbits.scatter import NoScatter, as_scatter
from astro_hier.models.orbits.terms import Offsets, Term, Trend
from astro_hier.models.orbits.velocity import KMS, Circle
from astro_hier.part import Option
from astro_hier.posterior import Parameter
from astro_hier.priors import Prior
from astro_hier.table import Role


class OrbitModel(HierarchicalModel):
    """Base of models of radial velocities; a subclass says whose orbits they are.

    ``of_each`` holds the dimensions of parameters that each star has.
    """

    row = "visit"
    of_each: tuple[str, ...] = ()
    other_units = elements.DERIVED
    for_writers = HierarchicalModel.for_writers | {
        "amplitudes", "is_eccentric", "of_each", "of_each_instrument", "of_each_jitter",
        "orbit", "orbit_parameters", "scatter", "terms",
    }  # fmt: skip
    roles_of_options = ("instrument",)
    options: tuple[Option, ...] = (
        Option("amplitude", takes_prior=True),
        Option("jitter", takes_prior=True),
        Option("shared_jitter", "True"),
        Option("trend", "1"),
        Option("instrument", "COLUMN"),
        Option("offset", takes_prior=True),
    )

    def __init__(
        self,
        *,
        a: annotations.PriorLike,
        b: annotations.PriorLike,
        v0: annotations.PriorLike,
        amplitude: annotations.AmplitudeLike,
        jitter: annotations.JittersLike,
        shared_jitter: bool,
        trend: annotations.TrendLike,
        instrument: str | None,
        offset: annotations.PriorLike,
        columns: annotations.ColumnsLike,
        on_invalid: annotations.OnInvalid,
    ) -> None:
        super().__init__(columns=columns, on_invalid=on_invalid)
        self.a = a
        self.b = b
        self.v0 = v0
        self.amplitude = amplitude
        self.jitter = jitter
        self.shared_jitter = shared_jitter
        self.trend = trend
        self.instrument = instrument
        self.offset = offset

    @property
    def roles(self) -> tuple[Role, ...]:
        return (
            Role("time", u.day, is_time=True),
            Role("rv", KMS, observed=True, usual=(0.0, 1000.0)),
            Role("rv_error", KMS, positive=True, usual=(0.0, 200.0)),
            Role("star", None, required=bool(self.of_each)),
            *(Role(name, None, column=self.instrument) for name in self.of_each_instrument),
        )

    @property
    def of_each_instrument(self) -> tuple[str, ...]:
        """The dimension of parameters that each instrument has; empty if none are named."""
        if self.instrument is None:
            return ()
        if not isinstance(self.instrument, str):
            raise ValueError(
                f"instrument={self.instrument!r}; expected the name of a column that tells with"
                " which instrument each velocity was measured"
            )
        return ("instrument",)

    # ---- what adds to the velocity, and its errors

    @property
    def orbit(self) -> Circle:
        """The shape of the orbits."""
        return Circle(self.of_each)

    @property
    def is_eccentric(self) -> bool:
        """Whether the orbits are ellipses."""
        return isinstance(self.orbit, Ellipse)

    @property
    def amplitudes(self) -> Amplitudes:
        """The term of the orbit itself."""
        return shape.amplitudes(self)

    @property
    def terms(self) -> tuple[Term, ...]:
        """The linear terms of the velocity, that of the orbit first."""
        return (
            self.amplitudes,
            Trend.of(self.trend, self.of_each),
            *(Offsets.of(self.offset, (*self.of_each, of)) for of in self.of_each_instrument),
        )

    @property
    def of_each_jitter(self) -> tuple[str, ...]:
        """The dimensions of a jitter."""
        shared = switch("shared_jitter", self.shared_jitter)
        return self.of_each if shared else (*self.of_each, *self.of_each_instrument)

    @property
    def scatter(self) -> NoScatter:
        """The scatter that adds to the errors."""
        return as_scatter(self.jitter, self.of_each_jitter)

    @property
    def orbit_parameters(self) -> tuple[Parameter, ...]:
        """Parameters of the orbits, the linear terms and the scatter."""
        amplitudes, *others = self.terms
        return (
            *self.orbit.parameters,
            *amplitudes.parameters,
            *self.orbit.derived,
            *(parameter for term in others for parameter in term.parameters),
            *self.scatter.parameters,
        )

    def owner(self, name: str) -> Any:
        if name in ("a", "b") and self.amplitude is not None:
            return None  # their prior depends on the period
        return self if name.startswith("trend") else super().owner(name)

    def prior_of(self, name: str) -> Prior:
        if name.startswith("trend"):
            return Trend.of(self.trend, ()).priors[int(name.removeprefix("trend")) - 1]
        return super().prior_of(name)

    # ---- hooks

    def coordinates(self, data: Velocities) -> dict[str, Any]:
        own = {of: data.labels[of] for dims in data.dims.values() for of in dims}
        return own | super().coordinates(data)

    def derive(self, theta):
        return self.orbit.derive(theta)
