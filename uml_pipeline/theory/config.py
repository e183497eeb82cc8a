"""A model for the calculator as a user writes it: a small YAML or JSON file."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Self

import numpy as np
import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from uml_pipeline.config import Config
from uml_pipeline.errors import UserError
from uml_pipeline.theory.designs import Design, Matrix, random_design

EXAMPLE = """\
common: 4                    # how many unknowns both silos depend on
target:
  samples: 20
  values: 6                  # numbers measured in a sample
  own: 2                     # unknowns that only this silo depends on
  noise: 1.0                 # standard deviation of each number
  strength: [1, 1, 0.3, 0]   # how strongly each common unknown shows
auxiliary:
  samples: 200
  values: 6
  own: 2
  noise: 3.0
seed: 0                      # of the random designs
"""
_MOST = 64


def _shown(strength: float) -> float:
    if 0 < strength < 1e-4:
        raise ValueError("0 says that it does not show; else it is at least 0.0001")
    return strength


# beyond these, double precision would answer with rounding
Entry = Annotated[float, Field(ge=-1e3, le=1e3, allow_inf_nan=False)]
Strength = Annotated[float, Field(ge=0, le=10, allow_inf_nan=False), AfterValidator(_shown)]
Rows = Annotated[list[Annotated[list[Entry], Field(max_length=_MOST)]], Field(min_length=1, max_length=1024)]


class Given(Config):
    """A design written out: one row for each number measured in a sample."""

    common: Rows
    """How much each common unknown adds to each measured number (the paper's A_c, B_c)."""
    own: Rows | None = None
    """The same for the silo's own unknowns (A_x, B_y); none by default."""


class SiloModel(Config):
    """One silo: a random design of a given size, or a design written out."""

    samples: int = Field(ge=1, le=10**9)
    """How many samples there are."""
    noise: float = Field(default=1.0, ge=1e-3, le=1e3)
    """Standard deviation of each measured number."""
    values: int = Field(default=6, ge=1, le=1024)
    """How many numbers are measured in a sample (random design)."""
    own: int = Field(default=2, ge=0, le=_MOST)
    """How many unknowns only this silo depends on (random design)."""
    strength: list[Strength] | None = None
    """How strongly each common unknown shows (random design); 1 each by default, 0: not at all."""
    design: Given | None = None
    """The design written out, in place of `values`, `own` and `strength`."""

    @model_validator(mode="after")
    def _one_design(self) -> Self:
        if self.design and (double := {"values", "own", "strength"} & self.model_fields_set):
            raise ValueError(f"`design` says it all: remove {', '.join(sorted(double))}")
        if self.design and self.design.own is not None:
            _same([len(self.design.own)], len(self.design.common), "rows in design.own, as in design.common")
        return self

    def build(self, common: int, draw: np.random.Generator) -> Design:
        """The design, drawn at random unless it is given."""
        if self.design:
            given = np.array(self.design.common, dtype=np.float64)
            own = np.array(self.design.own or [[]] * len(given), dtype=np.float64).reshape(len(given), -1)
            return Design(given, own, self.noise, self.samples)
        strength = np.array(self.strength or [1.0] * common)
        return random_design(draw, strength, self.values, self.own, self.noise, self.samples)


class Model(Config):
    """The whole file."""

    common: int = Field(ge=1, le=_MOST)
    """How many unknowns both silos depend on."""
    target: SiloModel
    auxiliary: SiloModel
    seed: int = Field(default=0, ge=0)
    """Of the random designs."""
    directions: dict[str, list[Entry]] = Field(default={}, max_length=_MOST)
    """Combinations of the common unknowns by name, to be reported too: one number for each unknown."""

    @model_validator(mode="after")
    def _sizes(self) -> Self:
        for name, silo in (("target", self.target), ("auxiliary", self.auxiliary)):
            if silo.strength is not None:
                _same([len(silo.strength)], self.common, f"numbers in {name}.strength, one for each common unknown")
            if silo.design:
                rows = silo.design.common
                _same(map(len, rows), self.common, f"numbers in each row of {name}.design.common")
                if own := silo.design.own:
                    _same(map(len, own), len(own[0]), f"numbers in each row of {name}.design.own")
        for name, direction in self.directions.items():
            _same([len(direction)], self.common, f"numbers in directions.{name}, one for each common unknown")
            if not any(direction):
                raise ValueError(f"directions.{name} is zero, which is no direction")
        return self

    def build(self) -> tuple[Design, Design]:
        """Target and auxiliary silo."""
        draw = np.random.default_rng(self.seed)
        return self.target.build(self.common, draw), self.auxiliary.build(self.common, draw)

    def named(self) -> dict[str, Matrix]:
        """`directions`, [common] each."""
        return {name: np.array(direction) for name, direction in self.directions.items()}


def _same(found: Iterable[int], asked: int, what: str) -> None:
    if wrong := [number for number in found if number != asked]:
        raise ValueError(f"{what}: {asked} are needed, not {wrong[0]}")


def read_model(path: Path | None) -> Model:
    """The model of a file, or `EXAMPLE` where none is named.

    Raises:
        UserError: no such file, not YAML or JSON, or a key or value that is not allowed.
    """
    where = str(path or "the built-in example")
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8") if path else EXAMPLE)
    except OSError as error:
        raise UserError("the model cannot be read", where=f"{where}: {error.strerror}", fix="name a file") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UserError("not valid YAML or JSON", where=f"{where}: {error}", fix="mend the syntax there") from None
    try:
        return Model.model_validate(raw)
    except ValidationError as error:
        # first a key that is not known: where it is a typo, the key that it was meant to be is missing too
        problem = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        key = ".".join(map(str, problem["loc"]))
        what = problem["msg"].removeprefix("Value error, ")
        fix = "see `uml theory --help` for a model with all that it needs"
        raise UserError(f"{key}: {what}" if key else what, where=where, fix=fix) from None
