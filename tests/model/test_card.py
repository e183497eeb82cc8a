import re

from hypothesis import given, settings
from hypothesis import strategies as st

from uml_pipeline.model.card import card

ENCODER = {"encoder": "builtin/emoji", "modality": "image", "dim": 384}
METRICS = {
    "ships": {"method": "logreg", "reason": "it is the best"},
    "arms": {"logreg": {"label": "logistic regression"}},
    "test": {"samples": 6, "ships": 83.333, "baseline": 66.667},
}


def made(classes):
    return card("drawings", {"classes": classes, "samples": 30}, METRICS, ENCODER)


def test_the_card_says_what_the_model_is_and_how_good():
    text = made(["cat", "dog"])
    for fact in ("2 classes (cat, dog)", "logistic regression", "it is the best", "83.3 %", "66.7 %", "30 labelled"):
        assert fact in text
    assert "…" not in text
    assert "a, b, c, d, e, f, g, h, …)" in made(list("abcdefghij"))


@given(name=st.text(max_size=20) | st.sampled_from(["<b>x", "a\n# b", "[x](y)", "`c`", "|d|", "e\r\n- f", "\u2028g"]))
@settings(max_examples=150, deadline=None)
def test_no_label_can_break_the_card(name):
    text = made([name, "dog"])
    plain = made(["cat", "dog"])
    assert len(text.splitlines()) == len(plain.splitlines())
    for line, other in zip(text.splitlines(), plain.splitlines(), strict=True):
        assert re.match(r"^[#\-`]*", line)[0] == re.match(r"^[#\-`]*", other)[0]
    for mark in "<>[]`*|":
        assert text.count(mark) == plain.count(mark)
