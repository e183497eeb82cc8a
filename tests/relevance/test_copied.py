import json

import pandas as pd
import pytest

from uml_pipeline.relevance.copied import copied

TARGET = pd.DataFrame(
    {
        "sample_id": [f"{one:032x}" for one in range(40)],
        "path": [f"data/photos/cat/IMG_{one:04}.jpg" for one in range(39)] + ["data/photos/dog/7.png"],
        "split": ["train", "test"] * 20,
    }
)


def texts(*some):
    return pd.DataFrame({"sample_id": [f"text {one}" for one in range(len(some))], "text": some})


@pytest.mark.parametrize(
    "text",
    [
        "img_0003.jpg",
        "IMG_0003",
        "photos/cat/IMG_0003.jpg",
        "cat\\IMG_0003.JPG",
        "see (IMG_0003.jpg), it purrs.",
        "The file is IMG_0003.",
        f"sample {3:032x}",
    ],
)
def test_the_targets_names_are_found_however_they_are_written(text):
    found = copied(TARGET, texts("a cat", text))
    assert list(found.names.index) == [1]


@pytest.mark.parametrize("text", ["a cat", "IMG_9999.jpg", "a boeing 7", "photos of cats", "cat", ""])
def test_ordinary_words_and_strange_files_are_not(text):
    assert len(copied(TARGET, texts(text)).names) == 0


def test_a_silo_of_file_names_is_named_as_such():
    found = copied(TARGET, texts(*(f"img_{one:04}.jpg" for one in range(30)), *["a cat"] * 10))
    assert found.alarming
    assert found.mostly_names
    [said] = found.reasons()
    assert said.startswith("75% of its texts name single samples of the target (img_0000.jpg, …)")
    assert json.loads(json.dumps(found.evidence()))["copied"]["names"] == 30


def test_one_name_is_no_alarm():
    found = copied(TARGET, texts("img_0003.jpg", *["a cat"] * 10))
    assert not found.alarming
    assert found.reasons() == []


def test_the_targets_own_samples_are_counted():
    bridge = pd.DataFrame(
        {"sample_id": [*TARGET["sample_id"][:5], "other"], "path": [f"{one}.jpg" for one in range(6)]}
    )
    found = copied(TARGET, bridge)
    assert (found.samples, found.tested, found.alarming) == (5, 2, True)
    assert found.reasons() == ["5 of its samples are the target's own, 2 of them test samples"]
    assert not copied(TARGET, bridge.iloc[[0, 5]]).alarming
