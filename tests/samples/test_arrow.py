import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile
from datasets import (
    Array2D,
    Audio,
    ClassLabel,
    Dataset,
    DatasetDict,
    Features,
    Image,
    List,
    Value,
    disable_progress_bars,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Picture

from uml_pipeline.errors import UserError
from uml_pipeline.samples.arrow import ArrowContainer
from uml_pipeline.samples.audio import read_audio
from uml_pipeline.samples.images import read_image
from uml_pipeline.silo.config import SiloConfig

PATH = "data/hf"
NAMES = ["cat", "dog", "cow"]
FEATURES = Features(
    {
        "image": {"bytes": Value("binary"), "path": Value("string")},
        "sound": {"bytes": Value("binary"), "path": Value("string")},
        "text": Value("string"),
        "vector": List(Value("float32")),
        "series": List(List(Value("float64"))),
        "grid": Array2D((2, 3), "float32"),
        "age": Value("int64"),
        "colour": ClassLabel(names=["red", "blue"]),
        "label": ClassLabel(names=NAMES),
        "who": Value("string"),
    }
)
disable_progress_bars()


def picture(row):
    file = BytesIO()
    Picture.new("RGB", (4, 3), (row, 0, 0)).save(file, "png")
    return file.getvalue()


def sound(row):
    file = BytesIO()
    soundfile.write(file, np.full(100, row / 100, np.float32), 8000, format="WAV")  # FLOAT would store the time of day
    return file.getvalue()


def rows(count):
    whole = {
        "image": [{"bytes": picture(row), "path": None} for row in range(count)],
        "sound": [{"bytes": sound(row), "path": None} for row in range(count)],
        "text": [f"text {row}" for row in range(count)],
        "vector": [[row, 1.5] for row in range(count)],
        "series": [[[step, row] for step in range(row + 1)] for row in range(count)],
        "grid": [[[row] * 3] * 2 for row in range(count)],
        "age": list(range(count)),
        "colour": [row % 2 for row in range(count)],
        "label": [row % 2 for row in range(count)],
        "who": [f"w{row // 2}" for row in range(count)],
    }
    # cast afterwards: encoding sounds would take torchcodec, even where they are encoded already
    return (
        Dataset.from_dict(whole, FEATURES).cast_column("image", Image()).cast_column("sound", Audio(sampling_rate=8000))
    )


def silo(modality, **keys):
    return SiloConfig(modality=modality, path=PATH, **keys)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    DatasetDict(train=rows(5), validation=rows(2), test=rows(3)).save_to_disk(
        folder / "dict", num_shards={"train": 2, "validation": 1, "test": 1}
    )
    rows(4).save_to_disk(folder / "one", num_shards=2)
    return folder


PLACES = [("train", 5), ("validation", 2), ("test", 3)]
WHERE = [f"{PATH}#{split}/{row}" for split, count in PLACES for row in range(count)]


def test_entries_of_a_dataset_dict(saved):
    container = ArrowContainer(silo("image", group="who"), saved / "dict")
    assert list(container.entries()) == [
        {"path": f"{PATH}#{split}/{row}", "split": split, "label": NAMES[row % 2], "group": f"w{row // 2}"}
        for split, count in PLACES
        for row in range(count)
    ]
    assert container.classes() == set(NAMES)


def test_entries_of_one_dataset(saved):
    container = ArrowContainer(silo("vector", label=None, array="vector"), saved / "one")
    assert list(container.entries()) == [{"path": f"{PATH}#{row}"} for row in range(4)]
    assert container.classes() == set()


def test_images_come_as_they_were_stored(saved):
    container = ArrowContainer(silo("image"), saved / "dict")
    for path in WHERE:
        content = container.read(path)
        assert content == picture(int(path.rpartition("/")[2]))
        assert read_image(content).size == (4, 3)


def test_sounds_come_as_they_were_stored(saved):
    content = ArrowContainer(silo("audio"), saved / "one").read(f"{PATH}#3")
    assert content == sound(3)
    assert read_audio(content)[1] == 8000


def test_texts(saved):
    entries = list(ArrowContainer(silo("text"), saved / "one").entries())
    assert entries == [{"text": f"text {row}", "label": NAMES[row % 2]} for row in range(4)]


def test_cells(saved):
    container = ArrowContainer(silo("table", group="who"), saved / "one")
    assert container.read(f"{PATH}#3") == {"text": "text 3", "age": 3, "colour": "blue"}
    container = ArrowContainer(silo("table", columns=["age"]), saved / "one")
    assert container.read(f"{PATH}#3") == {"age": 3}


def test_vectors_and_series(saved):
    for modality, array, expected in (
        ("vector", None, [3, 1.5]),
        ("series", "series", [[0, 3], [1, 3], [2, 3], [3, 3]]),
        ("series", "grid", [[3] * 3] * 2),
    ):
        sample = ArrowContainer(silo(modality, array=array), saved / "one").read(f"{PATH}#3")
        assert sample.dtype == np.float32
        assert np.array_equal(sample, expected)


def test_many_threads_read_the_same(saved):
    container = ArrowContainer(silo("image"), saved / "dict")
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(container.read, WHERE * 20)) == [container.read(path) for path in WHERE] * 20


def written(folder, columns, features=None):
    Dataset.from_dict(columns, features=Features(features) if features else None).save_to_disk(folder)
    return folder


@pytest.mark.parametrize(
    ("labels", "names"), [(["a", "b", None, ""], ["a", "b", None, None]), ([3, 1, None, 3], ["3", "1", None, "3"])]
)
def test_labels_of_text_or_numbers(tmp_path, labels, names):
    folder = written(tmp_path / "hf", {"text": list("wxyz"), "label": labels, "split": ["train", "dev", None, "test"]})
    entries = list(ArrowContainer(silo("text"), folder).entries())
    assert [entry.get("label") for entry in entries] == names
    assert [entry.get("split") for entry in entries] == ["train", "dev", None, "test"]


def test_unknown_classes_are_not_named(tmp_path):
    features = {"text": Value("string"), "label": ClassLabel(names=["a", "b"])}
    folder = written(tmp_path / "hf", {"text": list("xyz"), "label": [1, -1, None]}, features)
    assert [entry.get("label") for entry in ArrowContainer(silo("text"), folder).entries()] == ["b", None, None]
    info = folder / "dataset_info.json"
    content = json.loads(info.read_text())
    content["features"]["label"]["names"] = ["a"]
    info.write_text(json.dumps(content))
    entries = list(ArrowContainer(silo("text"), folder).entries())
    assert [entry.get("bad") for entry in entries] == ["its label is not a name", None, None]


def test_bad_rows_do_not_stop_the_others(tmp_path):
    columns = {
        "series": [[[1, 2]], [[1, 2], [3]], [], None, [[None, 2]]],
        "label": ["a"] * 5,
        "text": ["x", "", None, "y", "z"],
    }
    folder = written(tmp_path / "hf", columns)
    container = ArrowContainer(silo("series"), folder)
    entries = list(container.entries())
    assert len(entries) == 5
    for row in (1, 2, 3):
        with pytest.raises(UserError):
            container.read(entries[row]["path"])
    assert np.array_equal(container.read(entries[0]["path"]), [[1, 2]])
    assert np.isnan(container.read(entries[4]["path"])[0, 0])
    assert ["bad" in entry for entry in ArrowContainer(silo("text"), folder).entries()] == [
        False,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("outside", ["../secret.png", "{tmp}/secret.png", "link.png", "train/../../secret.png"])
def test_no_file_outside_the_folder_is_opened(tmp_path, outside):
    (tmp_path / "secret.png").write_bytes(picture(1))
    images = [{"bytes": None, "path": path} for path in (outside.format(tmp=tmp_path), "inside.png", None)]
    features = {"image": FEATURES["image"], "label": Value("string")}
    folder = written(tmp_path / "hf", {"image": images, "label": ["a"] * 3}, features)
    change(
        folder / "dataset_info.json",
        features={"image": {"_type": "Image"}, "label": {"_type": "Value", "dtype": "string"}},
    )
    (folder / "inside.png").write_bytes(picture(2))
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    container = ArrowContainer(silo("image"), folder)
    paths = [entry["path"] for entry in container.entries()]
    with pytest.raises(UserError, match="leads out"):
        container.read(paths[0])
    assert read_image(container.read(paths[1])).getpixel((0, 0)) == (2, 0, 0)
    with pytest.raises(UserError, match="holds no image"):
        container.read(paths[2])


@pytest.mark.parametrize("place", ["train/5", "train/-1", "train/x", "train", "17", "dev/0", "../train/0", ""])
def test_rows_that_are_not_there_are_user_errors(saved, place):
    container = ArrowContainer(silo("image"), saved / "dict")
    with pytest.raises(UserError, match="not there"):
        container.read(f"{PATH}#{place}")
    with pytest.raises(UserError, match="not in this silo"):
        container.read("data/other#train/0")


@pytest.mark.parametrize(
    ("modality", "keys"),
    [
        ("image", {"label": "kind"}),
        ("image", {"group": "maker"}),
        ("image", {"file": "text"}),
        ("text", {"text": "words"}),
        ("text", {"text": "age"}),
        ("table", {"columns": ["age", "height"]}),
        ("series", {}),  # two of them
        ("series", {"array": "vector"}),
        ("vector", {"array": "text"}),
        ("vector", {"array": "z"}),
    ],
)
def test_a_column_that_is_not_there_is_a_user_error(saved, modality, keys):
    with pytest.raises(UserError) as caught:
        ArrowContainer(silo(modality, **keys), saved / "dict")
    assert str(saved) in caught.value.where
    assert "image" in caught.value.fix


def test_a_dataset_far_away_is_a_user_error(saved):
    with pytest.raises(UserError, match="memory-mapped"):
        ArrowContainer(SiloConfig(modality="image", path="memory://hf"), saved / "dict")


def cut(file, count):
    file.write_bytes(file.read_bytes()[:-count])


def change(file, **keys):
    file.write_text(json.dumps(json.loads(file.read_text()) | keys))


ARROW = "train/data-00001-of-00002.arrow"
STATE, INFO = "train/state.json", "train/dataset_info.json"
DAMAGES = {
    "an arrow file is missing": lambda at: (at / ARROW).unlink(),
    "an arrow file is empty": lambda at: (at / ARROW).write_bytes(b""),
    "an arrow file is cut": lambda at: cut(at / ARROW, 500),
    "an arrow file lacks its end": lambda at: cut(at / ARROW, 8),
    "an arrow file is text": lambda at: (at / ARROW).write_text("no arrow" * 99),
    "an arrow file is nothing but an end": lambda at: (at / ARROW).write_bytes(b"\xff\xff\xff\xff\0\0\0\0"),
    "an arrow file has other columns": lambda at: shutil.copy(
        written(at.parent / "x", {"z": [1]}) / "data-00000-of-00001.arrow", at / ARROW
    ),
    "an arrow file is a folder": lambda at: ((at / ARROW).unlink(), (at / ARROW).mkdir()),
    "a split is missing": lambda at: shutil.rmtree(at / "test"),
    "the state is missing": lambda at: (at / STATE).unlink(),
    "the state is no json": lambda at: (at / STATE).write_text("{"),
    "the state is a list": lambda at: (at / STATE).write_text("[]"),
    "the state is deep": lambda at: (at / STATE).write_text("[" * 100_000),
    "the state has no files": lambda at: change(at / STATE, _data_files=[]),
    "the state has odd files": lambda at: change(at / STATE, _data_files=["x"]),
    "the state lacks a key": lambda at: (at / STATE).write_text(
        json.dumps({"_data_files": [{"filename": Path(ARROW).name}]})
    ),
    "a file above": lambda at: change(at / STATE, _data_files=[{"filename": "../../outside.arrow"}]),
    "a file elsewhere": lambda at: change(at / STATE, _data_files=[{"filename": str(at.parent / "outside.arrow")}]),
    "a file of no name": lambda at: change(at / STATE, _data_files=[{"filename": 3}]),
    "a link out": lambda at: (
        (at / ARROW).rename(at.parent / "outside.arrow"),
        (at / ARROW).symlink_to(at.parent / "outside.arrow"),
    ),
    "the info is missing": lambda at: (at / INFO).unlink(),
    "the info is no json": lambda at: (at / INFO).write_text("nothing"),
    "features of unknown type": lambda at: change(at / INFO, features={"image": {"_type": "os"}}),
    "features of other columns": lambda at: change(at / INFO, features={"z": {"_type": "Value", "dtype": "string"}}),
    "the splits are no list": lambda at: change(at / "dataset_dict.json", splits="train"),
    "there are no splits": lambda at: change(at / "dataset_dict.json", splits=[]),
    "a split above": lambda at: change(at / "dataset_dict.json", splits=["train", "../x"]),
    "the dict is no json": lambda at: (at / "dataset_dict.json").write_bytes(b"\xff"),
    "the dict is missing": lambda at: (at / "dataset_dict.json").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_damage_is_a_user_error(saved, tmp_path, damage):
    folder = shutil.copytree(saved / "dict", tmp_path / "hf")
    shutil.copy(folder / ARROW, tmp_path / "outside.arrow")
    damage(folder)
    with pytest.raises(UserError) as caught:
        ArrowContainer(silo("image"), folder)
    assert str(folder) in caught.value.where
    assert caught.value.fix


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=5))
def test_any_damage_is_a_user_error_or_samples(saved, tmp_path, changes):
    folder = tmp_path / "hf"
    shutil.copytree(saved / "one", folder, dirs_exist_ok=True)
    file = folder / "data-00000-of-00002.arrow"
    content = bytearray(file.read_bytes())
    for place, byte in changes:
        content[int(place * len(content))] = byte
    file.write_bytes(content)
    for modality in ("image", "table", "text", "vector"):
        try:
            container = ArrowContainer(silo(modality), folder)
        except UserError:
            continue
        for entry in container.entries():
            if "path" in entry:
                try:
                    container.read(entry["path"])
                except UserError as error:
                    assert error.fix
