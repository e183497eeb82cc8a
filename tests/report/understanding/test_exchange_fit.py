from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uml_pipeline.report.understanding.exchange import of_silo
from uml_pipeline.report.understanding.reasons import CannotSay, told
from uml_pipeline.report.understanding.surface import Surface, fit

SHOTS, LEVELS = (1, 2, 4, 8), (0, 1, 3, 10)
TRUE = Surface(a=40.0, b=18.0, bend=0.4, worth_of_all=2.5, flattening=1.5, most=10.0)


def cells(surface=TRUE):
    n, m = (one.ravel().astype(float) for one in np.meshgrid(SHOTS, LEVELS, indexing="ij"))
    return n, m, surface.accuracy(n, m)


def table(surface=TRUE, *, splits=12, noise=0.0, samples=10_000, seed=0):
    """What the trunk would have measured: a split is easier or harder as a whole, and every cell errs."""
    draw = np.random.default_rng(seed)
    n, m, accuracy = cells(surface)
    rows = []
    for split in range(splits):
        shares = accuracy + 3 * noise * draw.normal() + noise * draw.normal(size=len(accuracy))
        rows += [
            {"silo": "texts", "method": "uml_closed", "shots": int(shots), "seed": split, "level": int(level)}
            | {"auxiliary": level, "words": 7.0 * level, "correct": share / 100 * samples, "samples": samples}
            for shots, level, share in zip(n, m, shares, strict=True)
        ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("flattening", [0.0, 1.5, 6.0])
@pytest.mark.parametrize("worth", [0.5, 2.5])
def test_a_known_surface_is_recovered(worth, flattening):
    true = Surface(40.0, 18.0, 0.4, worth, flattening, 10.0)
    n, m, accuracy = cells(true)
    found, worths, prices = fit(n, m, accuracy[None])
    assert found.accuracy(n, m) == pytest.approx(accuracy, abs=0.01)
    assert worths == pytest.approx([worth], rel=0.01)
    assert found.price == pytest.approx(true.price, rel=0.05)
    assert prices == pytest.approx([found.price])


def test_the_price_is_where_auxiliary_samples_do_what_one_target_sample_does():
    assert TRUE.accuracy(1, np.array(TRUE.price)) == pytest.approx(TRUE.accuracy(2, np.array(0.0)))
    assert Surface(40.0, 18.0, 0.4, 0.5, 9.0, 10.0).price == np.inf  # all the texts there could be are worth less
    assert TRUE.target_for(TRUE.accuracy(3, np.array(4.0)), np.array(4.0)) == pytest.approx(3)


@settings(deadline=None, max_examples=25)
@given(accuracy=st.lists(st.floats(0, 100), min_size=16, max_size=16))
def test_whatever_was_measured_the_surface_never_falls(accuracy):
    n, m, _ = cells()
    found, *_ = fit(n, m, np.array(accuracy)[None])
    grid = found.accuracy(*np.meshgrid(np.linspace(1, 8, 12), np.linspace(0, 10, 12), indexing="ij"))
    assert (np.diff(grid, axis=0) >= -1e-9).all()
    assert (np.diff(grid, axis=1) >= -1e-9).all()


def test_the_interval_covers_the_truth_and_says_words_too():
    """Of 40 repetitions at a nominal 95 %; 24 splits, as a study of many has."""
    covered = 0
    for seed in range(40):
        found = of_silo(table(splits=24, noise=0.5, seed=seed))
        price = found["one_target_sample"]["auxiliary"]
        assert price["low"] <= price["value"]
        covered += price["low"] <= TRUE.price and (price["high"] is None or TRUE.price <= price["high"])
    assert covered >= 35
    assert found["one_target_sample"]["words"]["value"] == pytest.approx(7 * price["value"])
    assert found["beyond_noise"]


def test_a_price_beyond_the_grid_is_flagged():
    inside = of_silo(table(noise=0.2))
    assert not inside["one_target_sample"]["extrapolates"]
    beyond = of_silo(table(Surface(40.0, 18.0, 0.4, 0.4, 0.0, 10.0), noise=0.2))
    assert beyond["one_target_sample"]["extrapolates"]
    assert beyond["one_target_sample"]["auxiliary"]["value"] > 10


def test_a_silo_that_gives_nothing_has_no_price():
    harms = table()
    harms["correct"] -= 400 * harms["level"]
    with pytest.raises(CannotSay, match="gives nothing"):
        of_silo(harms)


def test_noise_alone_is_hardly_ever_clear():
    """Of 30 repetitions; nominal is 2.5 %, and a bootstrap over twelve splits is somewhat bold."""
    worthless = Surface(40.0, 18.0, 0.4, 0.0, 0.0, 10.0)
    found = [told(partial(of_silo, table(worthless, noise=1.0, seed=seed))) for seed in range(30)]
    silent = [one for one in found if "cannot_say" in one]
    assert silent
    assert sum(one["beyond_noise"] for one in found if one not in silent) <= 4


@pytest.mark.parametrize("few", [lambda one: one[one["shots"] == 1], lambda one: one[one["seed"] == 0]])
def test_too_small_a_grid_is_refused(few):
    with pytest.raises(CannotSay, match="two numbers of shots and two splits"):
        of_silo(few(table()))


def test_lines_of_equal_accuracy_lie_in_the_grid_and_fall():
    found = of_silo(table(noise=0.2))
    assert len(found["lines"]) >= 3
    for line in found["lines"]:
        auxiliary, target = np.array(line["points"]).T
        assert (np.diff(auxiliary) > 0).all()
        assert (np.diff(target) <= 0).all()
        assert target.min() >= 1
        assert target.max() <= 8


def test_the_paper_s_plane_stands_beside_it():
    plane = of_silo(table(noise=0.2))["plane"]
    assert set(plane) == {"auxiliary", "explained", "extrapolates"}
    assert plane["explained"] < 0.95  # a saturating surface is no plane
