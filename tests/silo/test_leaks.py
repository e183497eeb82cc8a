import pandas as pd
import pytest

from uml_pipeline.silo.config import SiloConfig
from uml_pipeline.silo.leaks import find_names, set_copies_aside


def table(**columns):
    frame = pd.DataFrame(columns)
    return frame.assign(bad=pd.Series([None] * len(frame), dtype="str"))


def test_the_copy_that_judges_stays():
    ids = ["a", "a", "a", "b", "b", "c", "d"]
    rows = table(sample_id=ids, split=["train", "val", "test", "train", "val", "train", "test"])
    set_copies_aside(rows)
    assert rows["bad"].fillna("").tolist() == [
        "a copy of a sample of the test split",
        "a copy of a sample of the test split",
        "",
        "a copy of a sample of the val split",
        "",
        "",
        "",
    ]
    assert rows.loc[rows["bad"].notna(), "split"].isna().all()


def test_copies_on_one_side_stay():
    rows = table(sample_id=["a", "a"], split=["train", "train"])
    set_copies_aside(rows)
    assert rows["bad"].isna().all()


def text_silo(**keys):
    return SiloConfig(modality="text", path="texts.csv", **keys)


TEXTS = {
    "A Snow-Leopard, sleeping": "label",
    "snowleopards sleep": None,
    "a leopard in the snow": None,
    "see IMG_0042.JPG": "file",
    "Ménagerie": None,
    "": None,
}


def named(config):
    rows = table(text=list(TEXTS), label=["snow_leopard"] * len(TEXTS), names=[None] * len(TEXTS))
    find_names(rows, config)
    return rows


def test_texts_that_name_their_label_or_a_file():
    rows = named(text_silo())
    assert [None if pd.isna(one) else one for one in rows["names"]] == list(TEXTS.values())
    assert rows["bad"].isna().all()


def test_they_are_left_out_on_request():
    rows = named(text_silo(names_label="exclude"))
    assert rows["bad"].dropna().tolist() == ["the text names its label", "the text names its file"]


@pytest.mark.parametrize("label", [None, "", "!?"])
def test_a_label_without_words_is_named_by_nothing(label):
    rows = table(text=["what !? is", ""], label=[label, label], names=[None, None])
    find_names(rows, text_silo())
    assert rows["names"].isna().all()
