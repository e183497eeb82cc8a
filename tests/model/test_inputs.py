"""What callers may hand to a model, and that it changes nothing about the result."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.model.shipped import LABELS, pictures, shipped
from uml_pipeline.errors import UserError
from uml_pipeline.model import UnimodalModel
from uml_pipeline.model.inputs import samples_of


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return UnimodalModel.load(shipped(tmp_path_factory.mktemp("images") / "model", "image", "builtin/emoji"))


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return pictures(tmp_path_factory.mktemp("pictures"), 19)


def test_pictures_in_every_form_are_the_same(model, paths):
    expected = model.predict_proba(paths)
    opened = [Image.open(path) for path in paths]
    forms = {
        "words": [str(path) for path in paths],
        "contents": [path.read_bytes() for path in paths],
        "images": opened,
        "arrays": [np.array(image) for image in opened],
        "numpy of paths": np.array(paths),
        "series": pd.Series(paths, index=range(7, 26)),
        "frame": pd.DataFrame({"label": "?", "path": [str(path) for path in paths]}, index=range(3, 22)),
    }
    for form in forms.values():
        assert np.array_equal(model.predict_proba(form), expected)
    one_size = np.stack([np.array(image.resize((32, 32))) for image in opened])  # [image, 32, 32, 3]
    assert np.array_equal(model.predict(one_size), model.predict([Image.fromarray(one) for one in one_size]))


def test_an_image_of_pillow_is_turned_and_laid_on_white_as_its_file_is(model, tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 4), np.uint8)).save(
        tmp_path / "a.png", exif=turned
    )
    file = tmp_path / "a.png"
    assert np.array_equal(model.predict_proba([Image.open(file)]), model.predict_proba([file]))


@given(size=st.integers(1, 19), start=st.integers(0, 18))
@settings(max_examples=8, deadline=None)
def test_neighbours_change_nothing(model, paths, size, start):
    """The same bits, whatever stands beside a sample and however many are asked for."""
    whole = model.predict_proba(paths)
    assert np.array_equal(model.predict_proba(paths[start : start + size]), whole[start : start + size])
    assert np.array_equal(model.predict_proba(paths[::-1]), whole[::-1])


@given(rows=st.integers(1, 200), classes=st.integers(2, 300))
@settings(max_examples=20, deadline=None)
def test_logits_of_a_row_do_not_depend_on_the_others(model, rows, classes):
    draw = np.random.default_rng([rows, classes])
    weights = {"weight": draw.normal(size=(classes, 384)).astype(np.float32), "centre": model.centre}
    other = UnimodalModel(Path(), model.config, [str(one) for one in range(classes)], weights)
    x = draw.normal(size=(rows, 384)).astype(np.float32)
    whole = other.logits(x)
    at = int(draw.integers(rows))
    assert np.array_equal(other.logits(x[at : at + 1])[0], whole[at])
    assert np.allclose(whole, other.inputs(x) @ other.weight.T, atol=1e-5)


def test_features_probabilities_and_labels_belong_together(model, paths):
    z, shares = model.transform(paths), model.predict_proba(paths)
    assert z.shape == (19, 384)
    assert np.allclose(np.linalg.norm(z, axis=1), 1, atol=1e-5)
    logits = z @ model.weight.T
    assert np.allclose(shares, np.exp(logits) / np.exp(logits).sum(1, keepdims=True), atol=1e-5)
    assert model.classes_.tolist() == LABELS
    assert np.array_equal(model.predict(paths), model.classes_[shares.argmax(1)])
    assert [[share for _, share in row] for row in model.top(paths, 3)] == np.sort(shares)[:, ::-1].tolist()
    for empty in (model.transform([]), model.predict_proba([]), model.predict([])):
        assert len(empty) == 0


def test_texts(tmp_path):
    model = UnimodalModel.load(shipped(tmp_path / "model", "text", "builtin/minilm"))
    texts = ["a cat", "the quick brown fox jumps over a lazy dog", "🐕"]
    expected = model.predict_proba(texts)
    for form in (np.array(texts), pd.Series(texts), pd.DataFrame({"text": texts}), tuple(texts)):
        assert np.array_equal(model.predict_proba(form), expected)
    for wrong in ([1.5], [None], [b"a"]):
        with pytest.raises(UserError, match="no text"):
            model.predict(wrong)


def test_rows_of_a_table(tmp_path):
    fitted = {
        "acid": {"mean": 5.0, "std": 2.0, "median": 5.0, "missing": True},
        "kind": {"categories": ["3", "x", "y"]},
    }
    model = UnimodalModel.load(shipped(tmp_path / "model", "table", "builtin/table", fitted))
    rows = [{"acid": 1.5, "kind": "x"}, {"acid": None, "kind": "z"}, {"acid": 9, "kind": 3, "more": True}]
    expected = model.predict_proba(rows)
    assert np.array_equal(model.predict_proba(pd.DataFrame(rows, dtype=object, index=[5, 5, 1])), expected)
    frame = pd.DataFrame({"kind": pd.Categorical(["x", "z", "y"]), "acid": [1.5, np.nan, 2]})
    assert np.array_equal(model.predict_proba(frame)[:2], expected[:2])
    pd.DataFrame(rows, dtype=object).to_csv(tmp_path / "rows.csv", index=False)
    assert np.array_equal(model.predict_proba(pd.read_csv(tmp_path / "rows.csv")), expected)


def test_vectors_and_series(tmp_path):
    model = UnimodalModel.load(shipped(tmp_path / "model", "vector", "vectors", {"dim": 4, "origin": "a"}))
    x = np.random.default_rng(0).normal(size=(70, 4))
    expected = model.predict_proba(x)
    assert np.allclose(model.transform(x), x, atol=1e-6)
    for form in (x.astype(np.float32), x.tolist(), list(x), pd.DataFrame(x)):
        assert np.array_equal(model.predict_proba(form), expected)
    with pytest.raises(UserError, match="the first one has 4"):
        model.predict(x[:, :3])
    fitted = {"mean": [[0.0] * 9] * 2, "std": [[1.0] * 9] * 2}
    model = UnimodalModel.load(shipped(tmp_path / "series", "series", "builtin/series", fitted))
    series = np.random.default_rng(0).normal(size=(5, 12, 2))
    assert np.array_equal(model.predict_proba(series), model.predict_proba([one.tolist() for one in series]))


@pytest.mark.parametrize(
    ("modality", "single"),
    [
        ("image", "a.png"),
        ("image", Path("a.png")),
        ("image", b"content"),
        ("image", Image.new("RGB", (4, 4))),
        ("image", np.zeros((4, 4, 3), np.uint8)),
        ("text", "a text"),
        ("table", {"a": 1}),
        ("vector", np.zeros(4)),
        ("series", np.zeros((4, 2))),
        ("text", (text for text in ["a"])),
    ],
)
def test_a_single_sample_is_told(modality, single):
    with pytest.raises(UserError, match="not several samples"):
        samples_of(single, modality)


@pytest.mark.parametrize(
    ("modality", "one"),
    [
        ("image", 3),
        ("image", np.zeros((4, 4, 3))),
        ("image", np.zeros((4, 4, 2, 2), np.uint8)),
        ("audio", Image.new("RGB", (4, 4))),
        ("table", [1, 2]),
        ("vector", ["a", "b"]),
        ("series", [1.0, 2.0]),
    ],
)
def test_what_is_no_sample_is_told(modality, one):
    with pytest.raises(UserError):
        samples_of([one], modality)[0]


@pytest.mark.parametrize(
    ("modality", "one", "what"),
    [
        ("text", " \n", "empty text"),
        ("table", {"a": None}, "all cells are missing"),
        ("series", [[np.nan], [np.inf]], "no number"),
        ("vector", [1.0, np.nan], "NaN or infinity"),
        ("vector", [1e20, 1.0], "too large"),
    ],
)
def test_a_sample_that_holds_nothing_is_told(modality, one, what):
    """A model would name some class of it all the same."""
    with pytest.raises(UserError, match=what) as error:
        samples_of([one], modality)[0]
    assert "sample 0" in error.value.where


def test_a_frame_without_samples_is_told():
    frame = pd.DataFrame({"file": ["a.png"]})
    for modality, word in (("image", "'path'"), ("text", "'text'"), ("series", "arrays")):
        with pytest.raises(UserError, match=word) as error:
            samples_of(frame, modality)
        assert "file" in str(error.value)


def test_pictures_are_opened_a_few_at_a_time(model, paths, monkeypatch):
    """However many are asked for: what waits in memory is bounded by the engine's threads."""
    import uml_pipeline.features.torch_images as images
    from uml_pipeline.features.extract import _AHEAD
    from uml_pipeline.workers import cores

    opened, most, whole = 0, 0, images.read_image
    compute = type(model.encoder).compute

    def reading(sample):
        nonlocal opened, most
        opened += 1
        most = max(most, opened)
        return whole(sample)

    def computing(self, batch):
        nonlocal opened
        opened -= len(batch)
        return compute(self, batch)

    monkeypatch.setattr(images, "read_image", reading)
    monkeypatch.setattr(type(model.encoder), "compute", computing)
    many = paths * 40
    assert len(model.predict(many)) == len(many)
    assert most <= 8 * (2 * _AHEAD * cores() + cores() + 2) < len(many)
