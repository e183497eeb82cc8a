"""One image is worth how many words? Read off the trunk's grid of target and auxiliary samples (UML, sec. 4.4, E.4)."""

from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from uml_pipeline.learn.statistics import LEVEL
from uml_pipeline.report.understanding.reasons import CannotSay, told
from uml_pipeline.report.understanding.surface import Numbers, Surface, fit
from uml_pipeline.study import Study
from uml_pipeline.theory.surface import fit_surface
from uml_pipeline.workspace import Workspace

_RESAMPLES = 1000
_LINES, _POINTS = 5, 25  # curves of equal accuracy, and points of each


@dataclass(frozen=True)
class Number:
    """An estimate with its 95 % interval; None: beyond any number."""

    value: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, value: float, resampled: Numbers) -> "Number":
        """Order statistics of the resamples: between a number and infinity nothing can be interpolated."""
        low = np.quantile(resampled, (1 - LEVEL) / 2, method="lower")
        high = np.quantile(resampled, (1 + LEVEL) / 2, method="higher")
        return cls(*(float(one) if np.isfinite(one) else None for one in (value, low, high)))

    def times(self, factor: float) -> "Number":
        """In another unit."""
        return Number(*(None if one is None else factor * one for one in (self.value, self.low, self.high)))


def exchange(study: Study) -> dict[str, Any]:
    """By silo, what its samples are worth.

    Raises:
        CannotSay: the trunk has measured no grid.
    """
    path = Workspace(study.folder).reading("trunk") / "exchange.parquet"
    table = pd.read_parquet(path) if path.is_file() else pd.DataFrame()
    if table.empty:
        raise CannotSay("no grid was measured: that takes mode probe, an auxiliary silo in use and `trunk.exchange`")
    return {str(name): told(partial(of_silo, rows)) for name, rows in table.groupby("silo")}


def of_silo(table: pd.DataFrame) -> dict[str, Any]:
    """The fit of one silo's grid, resampled by split.

    `one_target_sample` is how many auxiliary samples a class (and words, for texts) do what one more target sample a
    class does; `all_auxiliary` what all of them are worth in target samples. `extrapolates` where the price, or its
    interval, is of more auxiliary samples than there were.

    Raises:
        CannotSay: the grid is too small, or the silo gives nothing.
    """
    cells = table.groupby(["shots", "level"])[["auxiliary", "correct", "samples"]].sum().reset_index()
    splits = table["seed"].nunique()
    if table["shots"].nunique() < 2 or splits < 2:
        raise CannotSay("a curve takes two numbers of shots and two splits: see `trunk.shots` and `trunk.exchange`")
    target, auxiliary = cells["shots"].to_numpy(np.float64), (cells["auxiliary"] / splits).to_numpy(np.float64)
    accuracy = _resampled(table)
    surface, worths, prices = fit(target, auxiliary, accuracy)
    if surface.worth_of_all == 0 or surface.b == 0:
        raise CannotSay("the silo gives nothing: accuracy does not grow with its samples")
    price = Number.of(surface.price, prices[1:])
    words = table["words"].sum() / table["auxiliary"].sum() if table["words"].notna().all() else None
    rest = accuracy[0] - surface.accuracy(target, auxiliary)
    return {
        "method": str(table["method"].iloc[0]),
        "splits": splits,
        "cells": [
            {"shots": float(n), "auxiliary": float(m), "accuracy": float(share)}
            for n, m, share in zip(target, auxiliary, accuracy[0], strict=True)
        ],
        "surface": asdict(surface)
        | {"explained": 1 - float(rest.var() / accuracy[0].var()), "largest_error": float(np.abs(rest).max())},
        "one_target_sample": {
            "auxiliary": asdict(price),
            "words": None if words is None else asdict(price.times(float(words))),
            "extrapolates": price.high is None or price.high > surface.most,
        },
        "all_auxiliary": {"auxiliary": surface.most, "target": asdict(Number.of(surface.worth_of_all, worths[1:]))},
        "beyond_noise": bool((worths[1:] > 0).mean() > (1 + LEVEL) / 2),
        "lines": _lines(surface, target, accuracy[0]),
        "plane": told(lambda: _plane(table)),
    }


def _resampled(table: pd.DataFrame) -> Numbers:
    """Accuracy of each cell, percent: the first row as measured, the others with splits resampled. [resample, cell]."""
    right, all_ = (
        table.pivot(index="seed", columns=["shots", "level"], values=column).sort_index(axis=1).to_numpy(np.float64)
        for column in ("correct", "samples")
    )  # [split, cell]
    splits = len(right)
    drawn = np.random.default_rng(0).multinomial(splits, np.full(splits, 1 / splits), _RESAMPLES)
    weights = np.concatenate([np.ones((1, splits)), drawn])
    return 100 * (weights @ right) / (weights @ all_)


def _lines(surface: Surface, target: Numbers, accuracy: Numbers) -> list[dict[str, Any]]:
    """Curves of equal accuracy inside the grid."""
    auxiliary = surface.most * np.linspace(0, 1, _POINTS) ** 2  # closer where the curves bend
    found = []
    for level in np.linspace(accuracy.min(), accuracy.max(), _LINES + 2)[1:-1]:
        needed = surface.target_for(float(level), auxiliary)
        inside = (needed >= target.min()) & (needed <= target.max())
        points = np.stack([auxiliary, needed], 1)[inside]
        if len(points) > 1:
            found.append({"accuracy": float(level), "points": points.tolist()})
    return found


def _plane(table: pd.DataFrame) -> dict[str, Any]:
    """The paper's: one rate everywhere."""
    share = 100 * table["correct"] / table["samples"]
    target, auxiliary = (table[name].to_numpy(np.float64) for name in ("shots", "auxiliary"))
    try:
        plane = fit_surface(target, auxiliary, share.to_numpy(np.float64), table["seed"].to_numpy())
    except ValueError as error:
        raise CannotSay(str(error)) from None
    rate = Number(*(float(one) if np.isfinite(one) else None for one in (plane.rate, plane.low, plane.high)))
    return {"auxiliary": asdict(rate), "explained": plane.explained, "extrapolates": plane.extrapolates}
