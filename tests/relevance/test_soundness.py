import json

import numpy as np
import pandas as pd
import pytest

from tests.relevance.worlds import exchanged, silo, spoiled
from uml_pipeline.relevance.geometry import agreement
from uml_pipeline.relevance.soundness import COLUMNS, SHOWN, Soundness, examine, write_suspicious

CLASSES = 30


def manifest(labels, modality="image", **columns):
    name = "text" if modality == "text" else "path"
    content = [f"{modality}_{row:04}.jpg" if name == "path" else f"thing number {row}" for row in range(len(labels))]
    ids = [f"{modality} {row}" for row in range(len(labels))]
    split = [("train", "val", "test")[row % 3] for row in range(len(labels))]
    return pd.DataFrame({"sample_id": ids, name: content, "label": labels, "split": split} | columns)


def examined(rows, x, *, same_space=False) -> Soundness:
    """The silo beside a target of pictures."""
    labels, ours = silo(seed=100)
    target = manifest(labels)
    seen = (target["split"] != "test").to_numpy()
    known = labels[seen], ours[seen]
    found = agreement(known, (rows["label"], x), 99)
    return examine(target, known, (rows, x), found, same_space=same_space, permutations=99, alpha=0.05)


def alarms(found):
    return found.evidence()["alarming"]


def test_a_sound_silo_raises_no_alarm():
    """Of 20, one may by chance."""
    draws = [silo(seed=seed, moved=0.5) for seed in range(20)]
    found = [examined(manifest(labels, "text"), x) for labels, x in draws]
    assert sum(one.alarming for one in found) <= 1
    assert [one.alarming for one in found] == [bool(alarms(one)) for one in found]


def test_wrong_labels_exchanged_classes_and_file_names_are_told_apart():
    labels, x = silo(moved=0.3)
    sound = manifest(labels, "text")
    wrong = examined(sound.assign(label=spoiled(labels, 0.3)[0]), x)
    turned = examined(sound.assign(label=silo(order=exchanged(CLASSES, 3, 17))[0]), x)
    strange = examined(sound.assign(text=[f"picture_{row:04}.jpg" for row in range(len(labels))]), x)
    names = examined(sound.assign(text=[f"image_{row:04}.jpg" for row in range(len(labels))]), x)
    assert alarms(strange) == []
    assert alarms(wrong) == ["LabelNoise"]
    assert alarms(turned) == ["Exchanges"]
    assert alarms(names) == ["Copied"]
    assert wrong.reasons()[0].startswith("about 3")
    assert any("'c003' and 'c017'" in said for said in turned.reasons())
    assert "name single samples of the target" in names.reasons()[0]


def test_the_table_has_all_and_the_verdict_the_first():
    labels, x = silo()
    given, wrong = spoiled(labels, 0.3)
    rows = manifest(given, "text").iloc[::-1].set_axis(range(5, 5 + len(given)))  # a manifest's index may be any
    found = examined(rows, x[::-1])
    table = found.suspicious
    assert list(table.columns) == COLUMNS
    looks = table[table["reason"] == "other looks"]
    assert wrong[looks["sample_id"].str.split().str[1].astype(int)].mean() > 0.75
    assert (looks["text"] == "thing number " + looks["sample_id"].str.split().str[1]).all()
    assert (looks["class"] != looks["looks"]).all()
    kept = json.loads(json.dumps(found.evidence(), allow_nan=False))["suspicious"]
    assert kept["samples"] == table["sample_id"].nunique()
    assert len(kept["first"]) == SHOWN < len(table)


def test_the_table_is_written_with_the_same_types_whatever_it_holds(tmp_path):
    labels, x = silo()
    some = examined(manifest(spoiled(labels, 0.3)[0], "photo"), x).suspicious
    for name, table in (("some", some), ("none", some.iloc[:0])):
        write_suspicious(table, tmp_path / name)
    read = [pd.read_parquet(tmp_path / name) for name in ("some", "none")]
    assert read[0]["sample_id"].tolist() == some["sample_id"].tolist()
    assert read[0].dtypes.equals(read[1].dtypes)


def test_doubtful_samples_are_mostly_those_with_wrong_labels():
    labels, x = silo()
    given, wrong = spoiled(labels, 0.3)
    rows = manifest(given, "text", text=["the same words"] * len(given))
    rows["text"] = rows["text"] + " " + rows["label"]  # copies, which are no reason for doubt
    left = ~rows["sample_id"].isin(examined(rows, x).aside("drop"))
    assert wrong[left].mean() < 0.06
    assert left[~wrong].mean() > 0.9


def test_copies_do_not_speak_for_their_own_label():
    labels, x = silo()
    given, _ = spoiled(labels, 0.3)
    once = examined(manifest(given, "text"), x)
    twice = examined(pd.concat([manifest(given, "text")] * 2), np.concatenate([x, x]))
    one, other = (found.evidence()["wrong_labels"] for found in (once, twice))
    assert [one[key] for key in ("share", "low", "high")] == pytest.approx(
        [other["share"], other["low"], other["high"]]
    )


def test_a_silo_of_pictures_has_no_texts_to_judge():
    labels, x = silo()
    found = examined(manifest(spoiled(labels, 0.3)[0], "photo"), x)
    assert found.suspicious["text"].isna().all()
    assert "texts" not in found.evidence()


def test_a_silo_without_labels_or_with_few_classes_is_no_bug():
    labels, x = silo()
    assert examined(manifest(pd.Series([None] * len(labels), dtype=object), "text"), x).reasons() == []
    few = (labels < "c003").to_numpy()
    assert not examined(manifest(labels[few], "text"), x[few]).alarming


def test_of_one_space_the_shift_is_measured():
    labels, x = silo(seed=100)
    found = examined(manifest(labels, "photo"), x + 3, same_space=True)
    assert found.evidence()["shift"]["distance"] > 0
