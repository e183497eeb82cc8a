"""studies/: pages say what results.json says; spoilt texts are spoilt as they claim; peers are what they are called."""

import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from studies import caltech, page, peers, tables
from studies.__main__ import NAMES, ROOT
from studies.synthetic import variances
from studies.text_target import nameless
from uml_pipeline.learn.geometry import unit

TEXTS = pd.DataFrame(
    {"text": [f"{name} {word} one" for name in "abcdef" for word in ("red", "blue")], "label": list("aabbccddeeff")}
)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_says_what_the_results_say(name: str) -> None:
    folder, plan = ROOT / name, import_module(f"studies.{name}").PLAN
    results, text = page.read(folder), (folder / page.PAGE).read_text()
    assert results.keys() == plan.settings.keys() - plan.long
    assert page.filled(text, plan.blocks(results)) == text
    for file in plan.figures:
        assert f"({file})" in text
        assert (folder / file).exists()


def test_sentences_without_names() -> None:
    said = pd.DataFrame(
        {"text": ["Butterflies, a butterfly's wings", "The side of a Car, inside"], "label": ["butterfly", "car_side"]}
    )
    assert nameless(said)["text"].tolist() == ["it, a it's wings", "The it of a it, inside"]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_its_parts(name: str) -> None:
    text = (ROOT / name / page.PAGE).read_text()
    for part in ("Question", "Set-up", "What we conclude", "What would change our mind", "How it was made"):
        assert re.search(rf"^## {part}", text, re.MULTILINE), part
    assert f"python -m studies {name}" in text


def test_a_block_without_a_place_is_refused() -> None:
    with pytest.raises(KeyError, match="no place for table"):
        page.filled("words alone", {"table": "| a |"})
    assert page.filled("<!-- t -->\nold\n<!-- end -->", {"t": "new"}) == "<!-- t -->\nnew\n<!-- end -->"


def test_results_are_rounded_and_come_back(tmp_path: Path) -> None:
    page.write(tmp_path, {"a": {"mean": 1 / 3, "n": 2, "none": None, "rows": ((0.12345, "x"),)}})
    assert page.read(tmp_path) == {"a": {"mean": 0.333, "n": 2, "none": None, "rows": [[0.123, "x"]]}}


def test_gains_beyond_noise_are_bold() -> None:
    assert tables.signed({"mean": 1.0, "low": 0.2, "high": 2.0}) == "**+1.0 (+0.2 to +2.0)**"
    assert tables.signed({"mean": -0.5, "low": -1.2, "high": 0.2}) == "−0.5 (−1.2 to +0.2)"


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_texts_are_spoilt_as_told(share: float) -> None:
    rows = {
        key: caltech._spoilt(TEXTS, caltech.Setting("", **{key: share}))
        for key in ("covered", "mislabelled", "shifted")
    }
    assert rows["covered"]["label"].nunique() == round(share * 6)
    assert len(rows["mislabelled"]) == len(rows["shifted"]) == 12
    told = rows["shifted"]["text"].str[0] != rows["shifted"]["label"]
    assert told.sum() == 2 * round(share * 6)
    wrong = rows["mislabelled"]["text"].str[0] != rows["mislabelled"]["label"]
    assert wrong.sum() <= round(share * 12)
    assert (wrong.sum() > 0) == (share > 0)


@pytest.mark.parametrize("about", ["permuted", "unrelated", "noise"])
def test_controls_say_something_else(about: caltech.About) -> None:
    others = TEXTS.assign(text="other " + TEXTS["text"], label=TEXTS["label"].str.upper())
    told = caltech._told(TEXTS, others, about)
    assert set(told["label"]) == set("abcdef")
    assert len(told) == len(TEXTS)
    if about == "unrelated":
        assert told["text"].str.startswith("other").all()
    if about == "permuted":
        assert set(told["text"]) == set(TEXTS["text"])
        assert (told["text"].str[0] != told["label"]).any()


@pytest.fixture
def toy() -> peers.Draw:
    """Three classes whose texts are a turned copy of their means; a bridge of three more."""
    draw = np.random.default_rng(0)
    truth, turn = draw.normal(size=(6, 12)), np.linalg.qr(draw.normal(size=(12, 12)))[0]

    def seen(count: int, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        y = np.repeat(np.arange(first, last), count)
        return truth[y] + 0.7 * draw.normal(size=(len(y), 12)), y

    sides = [seen(count, 0, 3) for count in (2, 4, 60)]
    return peers.Draw(
        [x for x, _ in sides], [y for _, y in sides], 3, seen(20, 3, 6), unit(truth @ turn), aligned=False
    )


@pytest.mark.parametrize("peer", peers.PEERS, ids=lambda peer: peer.name)
def test_every_peer_is_better_than_chance(peer: peers.Peer, toy: peers.Draw) -> None:
    own = toy if peer.reads != "aligned" else peers.Draw(toy.x, toy.y, 3, toy.beyond, toy.means, aligned=True)
    scores = peers.chosen(peer, own)
    assert scores.shape == (180, 3)
    assert (scores.argmax(1) == toy.y[2]).mean() > 0.6


def test_the_span_holds_the_solution(toy: peers.Draw) -> None:
    whole = (
        LogisticRegression(C=1, tol=1e-6, max_iter=1000).fit(unit(toy.x[0]), toy.y[0]).decision_function(unit(toy.x[2]))
    )
    spanned = [unit(x) for x in toy.x]
    found = next(iter(peers._logistic(spanned, toy, np.array([1.0]))))[1]
    assert np.abs(found - whole).max() < 0.02


def test_of_two_classes_there_are_two_scores(toy: peers.Draw) -> None:
    x, y = zip(*((x[y < 2], y[y < 2]) for x, y in zip(toy.x, toy.y, strict=True)), strict=True)
    pair = peers.Draw(x, y, 2, toy.beyond, toy.said, aligned=False)
    assert {peers.chosen(peer, pair).shape[1] for peer in peers.usable(pair)} == {2}


def test_theory_foretells_the_variances() -> None:
    rows = variances(None, 0)["rows"]  # type: ignore[arg-type]
    assert {row["part"] for row in rows} == {"seen", "opened"}
    for row in rows:
        assert abs(row["realised"] - row["predicted"]) < 4 * row["error"]
