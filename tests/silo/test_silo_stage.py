import json
import subprocess
import sys

import pandas as pd
import pytest
from PIL import Image

from uml_pipeline.errors import UserError
from uml_pipeline.silo import read_manifest, read_quality
from uml_pipeline.silo.stage import run
from uml_pipeline.workspace import Workspace


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def artifact(study, name):
    return contents(Workspace(study.folder).folder("silo", name))


def refused(study, name, *words):
    """The stage refuses the silo in words that hold `words`, and leaves nothing behind."""
    with pytest.raises(UserError) as caught:
        run(study, name)
    assert caught.value.where
    assert caught.value.fix
    for word in words:
        assert word in str(caught.value)
    left = Workspace(study.folder).root / "silo"
    assert not left.exists() or not list(left.iterdir())


def expectation(quality, name, column):
    return next(one for one in quality["expectations"] if one["name"] == name and one["column"] == column)


def test_image_manifest(tiny_study):
    run(tiny_study, "drawings")
    manifest = read_manifest(tiny_study, "drawings")
    assert list(manifest) == ["sample_id", "path", "label", "group", "split", "width", "height", "near"]
    assert len(manifest) == 36
    assert manifest["sample_id"].str.fullmatch("[0-9a-f]{32}").all()
    assert all((tiny_study.folder / path).is_file() for path in manifest["path"])
    assert (manifest["label"] == manifest["path"].str.split("/").str[2]).all()
    assert set(manifest["width"]) == {64}
    quality = read_quality(tiny_study, "drawings")
    counts = {key: quality[key] for key in ("rows", "good", "bad", "classes", "groups", "passed")}
    assert counts == {"rows": 36, "good": 36, "bad": {}, "classes": 6, "groups": 6, "passed": True}
    with Image.open(Workspace(tiny_study.folder).folder("silo", "drawings") / "contact.png") as sheet:
        assert sheet.width > 900


def test_groups_stay_whole(tiny_study):
    run(tiny_study, "drawings")
    sides = read_manifest(tiny_study, "drawings").groupby("group")["split"].unique()
    assert sorted(side for sides_of_one in sides for side in sides_of_one) == ["test", *["train"] * 4, "val"]


def test_text_manifest(tiny_study):
    run(tiny_study, "descriptions")
    manifest = read_manifest(tiny_study, "descriptions")
    assert list(manifest) == ["sample_id", "text", "label", "group", "split", "words", "near", "names"]
    assert manifest["split"].value_counts().to_dict() == {"train": 18, "test": 6, "val": 6}  # of each class 3, 1, 1
    assert manifest.set_index("text").loc["a red circle", "words"] == 3
    examples = json.loads(artifact(tiny_study, "descriptions")["examples.json"])
    assert len(examples) == 20
    assert {"text", "label"} == set(examples[0])


@pytest.mark.parametrize("name", ["drawings", "descriptions"])
def test_same_data_same_bytes(tiny_study, name):
    run(tiny_study, name)
    first = artifact(tiny_study, name)
    run(tiny_study, name)
    assert artifact(tiny_study, name) == first


def test_order_of_a_table_does_not_matter(tiny_study):
    run(tiny_study, "descriptions")
    first = artifact(tiny_study, "descriptions")
    header, *lines = tiny_study.data("descriptions").read_text().splitlines()
    tiny_study.data("descriptions").write_text("\n".join([header, *reversed(lines)]))
    run(tiny_study, "descriptions")
    assert artifact(tiny_study, "descriptions") == first


def test_parquet_reads_like_csv(tiny_study, change_silo):
    run(tiny_study, "descriptions")
    first = artifact(tiny_study, "descriptions")
    pd.read_csv(tiny_study.data("descriptions")).to_parquet(tiny_study.folder / "texts.parquet")
    run(change_silo(tiny_study, "descriptions", path="texts.parquet"), "descriptions")
    assert artifact(tiny_study, "descriptions") == first


def test_bad_images_are_quarantined(tiny_study, change_silo):
    study = change_silo(tiny_study, "drawings", max_bad=0.3)
    folder = study.data("drawings")
    whole = (folder / "red-circle" / "ada.png").read_bytes()
    (folder / "red-circle" / "ada.png").write_bytes(whole[: len(whole) // 2])
    (folder / "red-circle" / "bob.png").write_text("not an image")
    (folder / "red-circle" / "notes.txt").write_text("notes")
    (folder / "red-circle" / ".hidden").write_text("ignored")
    (study.folder / "secret.png").write_bytes(whole)
    (folder / "red-circle" / "link.png").symlink_to(study.folder / "secret.png")
    (folder / "elsewhere").symlink_to(study.folder)
    with (folder / "metadata.csv").open("a") as file:
        file.write("../../secret.png,ada\ngreen-circle/missing.png,ada\n")
    run(study, "drawings")
    quality = read_quality(study, "drawings")
    assert quality["bad"] == {
        "leads out of the silo's folder": 3,
        "not a file": 1,
        "not a readable image": 1,
        "the image is truncated": 1,
        "unsupported file type": 1,
    }
    assert quality["good"] == len(read_manifest(study, "drawings")) == 34


def test_bad_texts_are_quarantined(tiny_study, change_silo):
    study = change_silo(tiny_study, "descriptions", max_bad=0.2)
    with study.data("descriptions").open("a") as file:
        file.write('"  ",red-circle\n,gold-triangle\nno class,\nNA,null\nnull,red-circle\n')
    run(study, "descriptions")
    assert read_quality(study, "descriptions")["bad"] == {"empty text": 2, "no label": 1}
    assert {"NA", "null"} <= set(read_manifest(study, "descriptions")["text"])  # words, not absent values


def test_too_many_bad_refuse_the_silo(tiny_study):
    for path in (tiny_study.data("drawings") / "red-circle").glob("*.png"):
        path.write_bytes(b"")
    first = ", ".join(f"data/drawings/red-circle/{artist}.png" for artist in ("ada", "bob", "cem"))
    refused(
        tiny_study,
        "drawings",
        "at most 10 % of the samples are set aside",
        f"not a readable image: 6 ({first}, …)",
        "max_bad",
    )


def test_refusal_keeps_the_older_artifact(tiny_study):
    run(tiny_study, "drawings")
    first = artifact(tiny_study, "drawings")
    for path in tiny_study.data("drawings").glob("*/*.png"):
        path.write_bytes(b"")
    with pytest.raises(UserError):
        run(tiny_study, "drawings")
    assert artifact(tiny_study, "drawings") == first


def test_class_without_samples_is_a_warning(tiny_study):
    (tiny_study.data("drawings") / "pink-hexagon").mkdir()
    run(tiny_study, "drawings")
    quality = read_quality(tiny_study, "drawings")
    found = expectation(quality, "expect_column_distinct_values_to_contain_set", "label")
    assert (found["passed"], found["severity"]) == (False, "warning")
    assert "pink-hexagon" in found["observed"]
    assert quality["passed"]


def test_a_class_of_one_sample_is_named(tiny_study, change_silo):
    study = change_silo(tiny_study, "drawings", group=None)
    (study.data("drawings") / "metadata.csv").unlink()
    for path in sorted((study.data("drawings") / "red-circle").glob("*.png"))[1:]:
        path.unlink()
    run(study, "drawings")
    quality = read_quality(study, "drawings")
    found = expectation(quality, "expect_column_distinct_values_to_contain_set", "class_on_all_sides")
    assert (found["passed"], found["severity"], found["observed"]) == (False, "info", "missing: red-circle")
    assert quality["passed"]


def test_the_first_bad_samples_are_named(tiny_study, change_silo):
    study = change_silo(tiny_study, "descriptions", max_bad=0.2)
    with study.data("descriptions").open("a") as file:
        file.write('"  ",red-circle\n' + "".join(f"no class {number},\n" for number in range(4)))
    run(study, "descriptions")
    named = read_quality(study, "descriptions")["bad_samples"]
    assert named == {"empty text": [], "no label": ["no class 0", "no class 1", "no class 2"]}


def test_one_class_is_refused(tiny_study):
    tiny_study.data("descriptions").write_text("text,label\none,thing\ntwo,thing\n")
    refused(tiny_study, "descriptions", "at least two classes (found: 1)", "2 good of 2 samples")


def test_empty_silos_are_refused(tiny_study, change_silo):
    (tiny_study.folder / "nothing").mkdir()
    refused(change_silo(tiny_study, "drawings", path="nothing", group=None), "drawings", "empty")
    tiny_study.data("descriptions").write_text("text,label\n")
    refused(tiny_study, "descriptions", "empty")


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("drawings", {"path": "data/nowhere"}, ["data/nowhere", "does not exist"]),
        ("drawings", {"path": "data/descriptions.csv"}, ["manifest.csv"]),
        ("drawings", {"group": "painter"}, ["'painter'", "file_name, artist"]),
        ("descriptions", {"path": "data/drawings"}, ["unsupported file type"]),
        ("descriptions", {"path": "params.yaml"}, ["unsupported file type", ".parquet"]),
        ("descriptions", {"text": "sentence"}, ["text column 'sentence'", "text, label"]),
        ("descriptions", {"label": "class"}, ["label column 'class'", "text, label"]),
        ("descriptions", {"group": "author"}, ["group column 'author'", "text, label"]),
    ],
)
def test_wrong_configuration_is_refused(tiny_study, change_silo, name, changes, words):
    refused(change_silo(tiny_study, name, **changes), name, *words)


def test_group_without_metadata_is_refused(tiny_study):
    (tiny_study.data("drawings") / "metadata.csv").unlink()
    refused(tiny_study, "drawings", "metadata.csv", "file_name,artist")


@pytest.mark.parametrize(
    "content", [b"", b"text,label\n\xff\xfe\x00,a\n", b'text,label\n"a,b\n', b"text,label\na,b,c,d\ne\n\n,,,,,"]
)
def test_unreadable_csv_is_refused(tiny_study, content):
    tiny_study.data("descriptions").write_bytes(content)
    refused(tiny_study, "descriptions", "descriptions")


def test_unreadable_parquet_is_refused(tiny_study, change_silo):
    (tiny_study.folder / "texts.parquet").write_bytes(b"PAR1 no more than the name")
    refused(change_silo(tiny_study, "descriptions", path="texts.parquet"), "descriptions", "cannot be read")


def test_official_split_is_kept(tiny_study, change_silo):
    lines = [
        f"{label} {place},{label},{split}" for label in "ab" for place, split in enumerate(("Train", "dev", "test"))
    ]
    tiny_study.data("descriptions").write_text("\n".join(["text,label,split", *lines, "a 9,a,holdout"]))
    study = change_silo(tiny_study, "descriptions", max_bad=0.5)
    run(study, "descriptions")
    assert read_manifest(study, "descriptions").set_index("text")["split"].to_dict() == {
        "a 0": "train", "a 1": "val", "a 2": "test", "b 0": "train", "b 1": "val", "b 2": "test",
    }  # fmt: skip
    assert read_quality(study, "descriptions")["bad"] == {"unknown split": 1}


def test_official_split_through_a_group_is_refused(tiny_study, change_silo):
    lines = [f"{label} {split},{label},{split},me" for label in "ab" for split in ("train", "val", "test")]
    tiny_study.data("descriptions").write_text("\n".join(["text,label,split,author", *lines]))
    refused(
        change_silo(tiny_study, "descriptions", group="author"), "descriptions", "no group on two sides", "each group"
    )


def test_two_groups_are_refused(tiny_study, change_silo):
    tiny_study.data("descriptions").write_text("text,label,author\na,a,me\nb,b,you\n")
    refused(change_silo(tiny_study, "descriptions", group="author"), "descriptions", "2 group(s)", "me, you")


def test_added_samples_move_few_others(tiny_study):
    header, *lines = tiny_study.data("descriptions").read_text().splitlines()
    run(tiny_study, "descriptions")
    before = read_manifest(tiny_study, "descriptions").set_index("sample_id")["split"]
    tiny_study.data("descriptions").write_text("\n".join([header, *lines, "one more red circle,red-circle"]))
    run(tiny_study, "descriptions")
    after = read_manifest(tiny_study, "descriptions").set_index("sample_id")["split"]
    assert (after[before.index] != before).sum() <= 2


def test_copies_stay_on_one_side(tiny_study):
    with tiny_study.data("descriptions").open("a") as file:
        file.write("red circle,red-circle\na red circle,red-circle\n")
    run(tiny_study, "descriptions")
    manifest = read_manifest(tiny_study, "descriptions")
    assert (manifest.groupby("sample_id")["split"].nunique() == 1).all()
    assert not expectation(read_quality(tiny_study, "descriptions"), "expect_column_values_to_be_unique", "sample_id")[
        "passed"
    ]


def test_importing_the_room_is_light():
    heavy = "{'great_expectations', 'torch', 'pandas', 'PIL'}"
    code = f"import sys, uml_pipeline.silo, uml_pipeline.features; sys.exit(bool({heavy} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)
