"""What is told of two linear models on samples in a plane."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from uml_pipeline.model import UnimodalModel
from uml_pipeline.report.understanding.classes import by_class, differences, moved
from uml_pipeline.report.understanding.clusters import clusters
from uml_pipeline.report.understanding.contenders import Contender, Contest
from uml_pipeline.report.understanding.margins import margins
from uml_pipeline.report.understanding.reasons import CannotSay

LABELS = ["east", "north", "west"]
GOOD = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], np.float32)
BAD = np.array([[1.0, 0.0], [0.0, 0.2], [-1.0, 0.0]], np.float32)  # north is too short: it is taken for others


def contest(samples=12, noise=0.4, baseline=BAD):
    draw = np.random.default_rng(0)
    y = np.repeat(np.arange(3), samples)
    x = (GOOD[y] + noise * draw.normal(size=(len(y), 2))).astype(np.float32)
    rows = pd.DataFrame({"sample_id": [f"{at:02}" for at in range(len(y))], "path": "p", "label": np.array(LABELS)[y]})

    def made(method, head):
        model = UnimodalModel(Path(), {"preprocessing": "x"}, LABELS, {"weight": head})
        return Contender(method, method.upper(), method == "ours", model, x)

    return Contest(made("ours", GOOD), made("theirs", baseline), rows, y, LABELS, True)


def test_margins_are_larger_where_the_head_is_better():
    found = margins(contest())
    assert found["difference"]["mean"] == pytest.approx(found["ours"]["mean"] - found["baseline"]["mean"])
    assert found["ours"]["negative"] < found["baseline"]["negative"]
    values = list(found["ours"]["quantiles"].values())
    assert values == sorted(values)


def test_only_logits_differ_behind_a_frozen_encoder():
    found = clusters(contest())
    for measure in ("silhouette", "davies_bouldin", "effective_rank"):
        same, other = found["input"][measure], found["logits"][measure]
        assert same["ours"] == same["baseline"]
        assert same["difference"] is None
        assert other["ours"] != other["baseline"]
    assert found["logits"]["silhouette"]["ours"] > found["logits"]["silhouette"]["baseline"]
    gap = found["logits"]["davies_bouldin"]
    assert gap["difference"]["mean"] == pytest.approx(gap["ours"] - gap["baseline"])
    assert gap["difference"]["low"] < gap["difference"]["mean"] < gap["difference"]["high"]


def test_one_sample_a_class_has_no_spread():
    found = clusters(contest(samples=1))
    assert "two test samples" in found["input"]["silhouette"]["cannot_say"]
    assert found["input"]["effective_rank"]["ours"] > 0


def test_what_moved_is_counted_sample_by_sample():
    pair = contest()
    found = moved(pair)
    ours, theirs = (one.predicted for one in (pair.ours, pair.baseline))
    assert found["newly_right"]["count"] == ((ours == pair.y) & (theirs != pair.y)).sum() > 0
    assert found["newly_wrong"]["count"] == ((ours != pair.y) & (theirs == pair.y)).sum()
    for one in found["newly_right"]["examples"]:
        assert one["ours"] == one["label"] != one["baseline"]
        assert one["path"] == "p"
    matrix = np.zeros((2, 3, 3), int)
    np.add.at(matrix, (0, pair.y, ours), 1)
    np.add.at(matrix, (1, pair.y, theirs), 1)
    changes = {(LABELS[i], LABELS[j]): tuple(matrix[:, i, j]) for i in range(3) for j in range(3) if i != j}
    assert {(one["label"], one["taken_for"]): (one["ours"], one["baseline"]) for one in found["confusions"]} == {
        pair_: both for pair_, both in changes.items() if both[0] != both[1]
    }


def test_equal_models_have_nothing_that_moved():
    found = moved(contest(baseline=GOOD))
    assert found["confusions"] == []
    assert found["newly_right"] == found["newly_wrong"] == {"count": 0, "examples": []}


def hits(method, shares, splits=24, samples=10):
    draw = np.random.default_rng(1 if method == "ours" else 2)
    return pd.DataFrame(
        {"method": method, "shots": 1, "seed": seed, "label": label, "samples": samples}
        | {"correct": int(draw.binomial(samples, share))}
        for seed in range(splits)
        for label, share in zip(LABELS, shares, strict=True)
    )


def test_classes_by_difference_with_intervals_that_know_noise(written):
    ours, theirs = hits("ours", (0.9, 0.5, 0.3)), hits("theirs", (0.5, 0.5, 0.7))
    east, north, west = differences(ours, theirs)
    assert (east.label, north.label, west.label) == tuple(LABELS)
    assert east.low > 0 > west.high
    assert north.low < 0 < north.high
    assert east.mean == pytest.approx(10 * (ours["correct"][::3].mean() - theirs["correct"][::3].mean()))
    assert east.samples == 240
    folder = written.folder / "artifacts" / "trunk"
    pd.concat([ours, theirs]).to_parquet(folder / "classes.parquet")
    [at] = by_class(written, contest())
    assert (at["shots"], at["classes"], at["beyond_noise"]) == (1, 3, {"helped": 1, "hurt": 1})
    assert at["helped"][0]["label"] == "east"
    assert at["hurt"][0]["label"] == "west"


def test_hits_that_were_not_kept_are_not_made_up(written):
    with pytest.raises(CannotSay, match="mode probe"):
        by_class(written, contest())
