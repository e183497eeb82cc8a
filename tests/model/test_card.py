"""The model card: what it tells, what the hub reads of it, and that no name of the user's can break it."""

import re

import pandas as pd
import pytest
from huggingface_hub import ModelCard
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from uml_pipeline.model.card import card
from uml_pipeline.model.facts import Facts

ENCODER = {"encoder": "builtin/emoji", "modality": "image", "dim": 384}
METRICS = {
    "ships": {"method": "uml", "against": "logreg", "reason": "it is the best"},
    "arms": {"logreg": {"label": "logistic regression", "kind": "image-only"}, "uml": {"label": "UML", "kind": "uml"}},
    "test": {"samples": 6, "ships": 100 * 5 / 6, "baseline": 100 * 4 / 6},
}
VERDICTS = {"notes": {"verdict": "helps", "used": True}, "noise": {"verdict": "harms", "used": False}}


def made(classes, group=None, modality="image", learnt=9, tested=3):
    return card(
        Facts(
            target="drawings",
            group=group,
            encoder=ENCODER | {"modality": modality},
            config={"classes": classes, "samples": 30},
            metrics=METRICS,
            verdicts=VERDICTS,
            learnt=pd.Series(learnt, classes),
            tested=pd.Series(tested, classes),
        )
    )


def test_the_card_says_what_the_model_is_and_how_good():
    text = made(["cat", "dog"])
    low, high = (100 * end for end in binomtest(5, 6).proportion_ci(method="wilson"))
    assert (round(low, 1), round(high, 1)) == (43.6, 97.0)  # Wilson (1927) by hand
    for fact in ("2 classes (cat, dog)", "logistic regression", "it is the best", "83.3 %", "66.7 %", "30 labelled"):
        assert fact in text
    assert f"| this model: UML | 83.3 % | {low:.1f} to {high:.1f} |" in text
    assert "`notes`, auxiliary: judged `helps`, was there to learn from" in text
    assert "`noise`, auxiliary: judged `harms`, was left out" in text
    assert "…" not in text
    assert "a, b, c, d, e, f, g, h, …)" in made(list("abcdefghij"))


def test_limits_are_those_of_the_data():
    text = made(["cat", "dog", "cow"], learnt=[9, 4, 0], tested=[3, 0, 1])
    assert "fewer than 5 labelled samples to learn from: 2 (dog, cow)." in text
    assert "without a test sample: 1 (dog)." in text
    assert "to learn from: none." in made(["cat"])
    assert "same sources" in made(["cat"])
    assert "No artist of a test sample" in made(["cat"], group="artist")


@pytest.mark.parametrize(
    ("modality", "task"),
    [("image", "image-classification"), ("text", "text-classification"), ("vector", "tabular-classification")],
)
def test_the_hub_reads_its_head(modality, task):
    data = ModelCard(made(["cat", "dog"], modality=modality)).data
    assert (data.library_name, data.pipeline_tag) == ("uml-pipeline", task)
    [result] = data.eval_results
    assert (result.task_type, result.metric_type, result.dataset_name) == (task, "accuracy", "drawings")
    assert result.metric_value == pytest.approx(5 / 6, abs=1e-4)


@given(name=st.text(max_size=20) | st.sampled_from(["<b>x", "a\n# b", "[x](y)", "`c`", "|d|", "e\r\n- f", "\u2028g"]))
@settings(max_examples=150, deadline=None)
def test_no_label_can_break_the_card(name):
    text = made([name, "dog"], group=name, learnt=[0, 9])
    plain = made(["cat", "dog"], group="cat", learnt=[0, 9])
    assert len(text.splitlines()) == len(plain.splitlines())
    for line, other in zip(text.splitlines(), plain.splitlines(), strict=True):
        assert re.match(r"^[#\-`|]*", line)[0] == re.match(r"^[#\-`|]*", other)[0]
    for mark in "<>[]`*|":
        assert text.count(mark) == plain.count(mark)
