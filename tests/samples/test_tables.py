import json
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from uml_pipeline.errors import UserError
from uml_pipeline.samples import open_container
from uml_pipeline.samples.audio import read_audio
from uml_pipeline.samples.images import read_image
from uml_pipeline.samples.tables import TableContainer
from uml_pipeline.silo.config import SiloConfig

KINDS = ("csv", "tsv", "parquet", "jsonl")


def write(frame, file):
    file.parent.mkdir(parents=True, exist_ok=True)
    match file.suffix:
        case ".csv":
            frame.to_csv(file, index=False)
        case ".tsv":
            frame.to_csv(file, index=False, sep="\t")
        case ".parquet":
            frame.to_parquet(file)
        case ".jsonl":
            frame.to_json(file, orient="records", lines=True)


def table(study, name, content, modality="text", **keys):
    """The container of a table with that content: a DataFrame, or bytes."""
    if isinstance(content, bytes):
        (study / name).write_bytes(content)
    else:
        write(content, study / name)
    return TableContainer(SiloConfig(modality=modality, path=name, **keys), study / name)


def samples(container):
    """All entries, those that can be read with their sample, the others with the reason in `bad`."""
    entries = list(container.entries())
    for entry in entries:
        if "bad" not in entry and "path" in entry:
            try:
                entry["sample"] = container.read(entry["path"])
            except UserError as error:
                assert error.where
                assert error.fix
                entry["bad"] = error.what
    return entries


def refused(words, *args, **keys):
    """Opening or listing such a table is a UserError that holds these words."""
    with pytest.raises(UserError, match=words) as caught:
        list(table(*args, **keys).entries())
    assert caught.value.where
    assert caught.value.fix


# Texts


@pytest.mark.parametrize("kind", KINDS)
def test_texts(tmp_path, kind):
    frame = pd.DataFrame(
        {
            "caption": ["  a red circle\n", 'quoted, "really"', "", "NA", "ein Käfer"],
            "kind": ["circle", "null", "circle", "NA", "7"],
            "author": ["ada", "bob", "bob", "", "NaN"],
            "split": ["train", "Dev", "test", "test", ""],
            "more": [1, 2, 3, 4, 5],
        }
    )
    container = table(tmp_path, f"texts.{kind}", frame, text="caption", label="kind", group="author")
    assert list(container.entries()) == [
        {"text": "a red circle", "label": "circle", "group": "ada", "split": "train"},
        {"text": 'quoted, "really"', "label": "null", "group": "bob", "split": "Dev"},
        {"text": "", "bad": "empty text", "label": "circle", "group": "bob", "split": "test"},
        {"text": "NA", "label": "NA", "group": "", "split": "test"},
        {"text": "ein Käfer", "label": "7", "group": "NaN", "split": ""},
    ]
    assert list(container.entries()) == list(container.entries())
    assert container.classes() == set()


@pytest.mark.parametrize("kind", KINDS)
def test_texts_without_labels(tmp_path, kind):
    container = table(tmp_path, f"texts.{kind}", pd.DataFrame({"text": ["one", "two"]}), label=None)
    assert list(container.entries()) == [{"text": "one"}, {"text": "two"}]


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_labels_of_any_type_are_words(tmp_path, kind):
    frame = pd.DataFrame(
        {"text": ["a", "b", "c"], "label": pd.array([7, None, 0], "Int64"), "sure": [True, False, True]}
    )
    container = table(tmp_path, f"texts.{kind}", frame, group="sure")
    assert [entry["label"] for entry in container.entries()] == ["7", "", "0"]
    assert [entry["group"] for entry in container.entries()] == ["True", "False", "True"]


def test_codes_keep_their_zeros(tmp_path):
    container = table(tmp_path, "texts.csv", b"text,label\n007,01\n1e5,1.0\n")
    assert list(container.entries()) == [{"text": "007", "label": "01"}, {"text": "1e5", "label": "1.0"}]


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl"])
def test_a_byte_order_mark_is_no_text(tmp_path, kind):
    write(pd.DataFrame({"text": ["one"], "label": ["a"]}), tmp_path / f"plain.{kind}")
    content = b"\xef\xbb\xbf" + (tmp_path / f"plain.{kind}").read_bytes()
    assert list(table(tmp_path, f"texts.{kind}", content).entries()) == [{"text": "one", "label": "a"}]


def test_short_and_odd_rows_of_a_csv_file(tmp_path):
    content = b'text,label,\r\none,a,\r\ntwo\r\n\r\n,a\r\n"three\nlines",a\r\nnul\0byte,a\r\n'
    entries = list(table(tmp_path, "texts.csv", content).entries())
    assert entries == [
        {"text": "one", "label": "a"},
        {"text": "two", "label": ""},
        {"text": "", "bad": "empty text", "label": "a"},
        {"text": "three\nlines", "label": "a"},
        {"text": "nul\0byte", "label": "a"},
    ]


def test_a_named_index_of_pandas_is_a_column(tmp_path):
    frame = pd.DataFrame({"text": ["one", "two"], "label": ["a", "b"]}, index=[3, 9])
    assert len(list(table(tmp_path, "texts.parquet", frame).entries())) == 2
    entries = list(table(tmp_path, "texts.parquet", frame.set_index("label")).entries())
    assert entries == [{"text": "one", "label": "a"}, {"text": "two", "label": "b"}]


def test_damaged_lines_of_json_do_not_stop_the_others(tmp_path):
    lines = [
        b'{"text": "one", "label": "a"}',
        b'{"text": "two", "label": ',
        b'["three", "a"]',
        b'{"text": "\xff", "label": "a"}',
        b'{"text": "\\ud800", "label": "a"}',
        b"[" * 100_000,
        b'{"text": ' + b"9" * 5000 + b"}",
        b"",
        b'{"text": null, "label": "a"}',
        b'{"label": "a", "text": "\\u00e9\\u0000"}',
        b'{"text": ["x"], "label": {"a": 1}}',
    ]
    entries = list(table(tmp_path, "texts.jsonl", b"\n".join(lines)).entries())
    bad = {"text": "", "bad": "not a JSON object", "label": ""}
    assert entries == [
        {"text": "one", "label": "a"},
        *[bad] * 6,
        {"text": "", "bad": "empty text", "label": "a"},
        {"text": "é\0", "label": "a"},
        {"text": "['x']", "label": "{'a': 1}"},
    ]


# Damage


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_is_no_table(tmp_path, kind):
    (tmp_path / f"texts.{kind}").mkdir()
    with pytest.raises(UserError, match="not a file"):
        TableContainer(SiloConfig(modality="text", path=f"texts.{kind}"), tmp_path / f"texts.{kind}")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"text": "sentence"}, "no text column 'sentence'"),
        ({"label": "class"}, "no label column 'class'"),
        ({"group": "author"}, "no group column 'author'"),
        ({"modality": "image"}, "no file column 'path'"),
        ({"modality": "table", "columns": ["text", "age"]}, "no sample column 'age'"),
        ({"modality": "series", "series": "person"}, "no series column 'person'"),
        ({"modality": "vector"}, "no column of numbers"),
    ],
)
def test_missing_columns_are_named(tmp_path, kind, keys, words):
    frame = pd.DataFrame({"text": ["one", "two"], "label": ["a", "b"]})
    refused(words, tmp_path, f"texts.{kind}", frame, **keys)


@pytest.mark.parametrize("kind", ["csv", "tsv"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n\n", "is empty"),
        (b"text,label\none,a\ntwo,b,c,d\n", "cannot be read"),
        (b"text,label\none,a,b\ntwo,b,c\n", "cannot be read"),
        (b'text,label\n"one,a\n', "cannot be read"),
        (b"text,label\ncaf\xe9,a\n", "cannot be read"),
        ("text,label\none,a\n".encode("utf-16"), "cannot be read"),
        (b"text,label,text\none,a,two\n", "column 'text' stands twice"),
        (b"text;label\none;a\n", "no text column 'text'"),
        (b"PK\x03\x04\0\0\0\0\x80\x81", "cannot be read"),
        (b"\0" * 100, "no text column"),
    ],
)
def test_damaged_csv_is_refused(tmp_path, kind, content, words):
    refused(words, tmp_path, f"texts.{kind}", content.replace(b",", b"\t") if kind == "tsv" else content)


@pytest.mark.parametrize("modality", ["text", "table", "vector"])
def test_ragged_rows_name_their_line(tmp_path, modality):
    refused("line 3", tmp_path, "texts.csv", b"text,label\n1,a\n2,b,c,d\n", modality=modality)


@pytest.mark.parametrize("content", [b"", b"\n", b'{"text": 1', b'text,label\n"one","a"\n', b"\0\0\0", b"[1]\n[2]\n"])
def test_damaged_json_lines_are_refused(tmp_path, content):
    refused("no line is a JSON object|no text column", tmp_path, "texts.jsonl", content)


def parquet(**columns):
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns or {"text": ["one", "two"] * 99, "label": ["a", "b"] * 99}), sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PAR1",
        b"PAR1 no more than the name",
        parquet()[:-9],
        parquet()[99:],
        parquet()[:200],
        b"text,label\none,a\n",
    ],
)
def test_damaged_parquet_is_refused(tmp_path, content):
    refused("cannot be read", tmp_path, "texts.parquet", content)


def test_a_column_twice_in_parquet_is_refused(tmp_path):
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table([["one"], ["a"], ["b"]], names=["text", "label", "label"]), sink)
    refused("column 'label' stands twice", tmp_path, "texts.parquet", sink.getvalue().to_pybytes())


def test_parquet_of_text_that_is_none_is_refused(tmp_path):
    column = pa.array([b"one", b"\xff\xfe"]).view(pa.string())
    refused("cannot be read", tmp_path, "texts.parquet", parquet(text=column, label=["a", "b"]))


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(KINDS),
    st.sampled_from(["text", "table", "vector", "series"]),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=9),
)
def test_any_damage_is_a_user_error_or_text(tmp_path_factory, kind, modality, changes):
    folder = tmp_path_factory.mktemp("fuzz")
    frame = pd.DataFrame({"text": ["one", "two, three"], "label": ["a", "b"], "x": [1.5, 2], "y": [3, 4]})
    write(frame, folder / f"whole.{kind}")
    content = bytearray((folder / f"whole.{kind}").read_bytes())
    for place, byte in changes:
        content[int(place * len(content))] = byte
    try:
        entries = samples(table(folder, f"some.{kind}", bytes(content), modality))
    except UserError:
        return
    for entry in entries:
        json.dumps({key: value for key, value in entry.items() if key != "sample"}, ensure_ascii=False).encode()


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet"])
def test_a_table_of_no_rows_has_no_entries(tmp_path, kind):
    frame = pd.DataFrame({"text": [], "label": [], "path": [], "x": []}).astype({"x": float})
    for modality in ("text", "table", "image"):
        assert list(table(tmp_path, f"none.{kind}", frame, modality).entries()) == []


# Cells


@pytest.mark.parametrize("kind", KINDS)
def test_cells(tmp_path, kind):
    frame = pd.DataFrame(
        {
            "age": [39, 50, 38],
            "weight": [70.5, None, 81.25],
            "children": pd.array([None, 2, 3], "Int64"),
            "job": ["clerk", None, "7"],
            "member": [True, False, True],
            "label": ["NA", "poor", "rich"],
            "split": ["train", "test", "val"],
        }
    )
    container = table(tmp_path, f"rows.{kind}", frame, "table")
    entries = samples(container)
    assert entries[0] == {
        "path": f"rows.{kind}#0",
        "label": "NA",
        "split": "train",
        "sample": {"age": 39, "weight": 70.5, "children": None, "job": "clerk", "member": True},
    }
    assert entries[1]["sample"] == {"age": 50, "weight": None, "children": 2, "job": None, "member": False}
    assert entries[2]["sample"] == {"age": 38, "weight": 81.25, "children": 3, "job": "7", "member": True}
    assert type(entries[2]["sample"]["children"]) is int
    assert type(entries[2]["sample"]["member"]) is bool


def test_only_the_columns_that_are_named(tmp_path):
    content = b"id,a,b,label\n1,2,x,y\n"
    assert samples(table(tmp_path, "rows.csv", content, "table", columns=["b", "a"]))[0]["sample"] == {"b": "x", "a": 2}


def test_row_numbers_without_a_name_are_no_cells(tmp_path):
    frame = pd.DataFrame({"a": [5, 6], "label": ["x", "y"]})
    frame.to_csv(tmp_path / "rows.csv")
    assert samples(table(tmp_path, "rows.csv", (tmp_path / "rows.csv").read_bytes(), "table"))[1]["sample"] == {"a": 6}
    refused("no column is left", tmp_path, "rows.csv", b",label\n0,x\n1,y\n", "table")


def test_a_column_with_one_word_is_text(tmp_path):
    rows = [entry["sample"] for entry in samples(table(tmp_path, "rows.csv", b"a,label\n1,x\n2,x\nmany,x\n", "table"))]
    assert rows == [{"a": "1"}, {"a": "2"}, {"a": "many"}]


def test_parquet_has_further_types(tmp_path):
    columns = {
        "day": pa.array([date(2026, 5, 1), None]),
        "moment": pa.array([datetime(2026, 5, 1, 12, 30), None]),
        "price": pa.array([Decimal("1.50"), None]),
        "size": pa.array(["L", None]).dictionary_encode(),
        "tags": pa.array([["a", "b"], None]),
        "count": pa.array([2**60 + 1, None]),
        "small": pa.array([1, None], pa.uint8()),
        "ratio": pa.array([float("nan"), 0.5]),
        "label": pa.array(["x", "y"]),
    }
    first, second = samples(table(tmp_path, "rows.parquet", parquet(**columns), "table"))
    assert first["sample"].pop("tags")
    assert first["sample"] == {
        "day": "2026-05-01",
        "moment": "2026-05-01T12:30:00",
        "price": 1.5,
        "size": "L",
        "count": 2**60 + 1,
        "small": 1,
        "ratio": None,
    }
    assert {key for key, cell in second["sample"].items() if cell is not None} == {"ratio"}


@pytest.mark.parametrize("modality", ["table", "vector", "series"])
@pytest.mark.parametrize(
    "path", ["rows.csv#2", "rows.csv#-1", "rows.csv#", "rows.csv#x", "rows.csv", "other.csv#0", "", "#0"]
)
def test_other_rows_are_refused(tmp_path, modality, path):
    container = table(tmp_path, "rows.csv", b"a,label\n1,x\n2,y\n", modality)
    with pytest.raises(UserError) as caught:
        container.read(path)
    assert caught.value.where is not None
    assert caught.value.fix


def test_a_damaged_line_is_no_row_of_cells(tmp_path):
    entries = samples(table(tmp_path, "rows.jsonl", b'{"a": 1, "label": "x"}\n{\n{"a": 3, "label": "y"}\n', "table"))
    assert [entry.get("bad") for entry in entries] == [None, "not a JSON object", None]
    assert entries[2] == {"path": "rows.jsonl#2", "label": "y", "sample": {"a": 3}}


# Vectors


@pytest.mark.parametrize("kind", KINDS)
def test_vectors(tmp_path, kind):
    frame = pd.DataFrame({"label": ["x", "y"], "a": [1, 2], "name": ["p", "q"], "b": [0.5, -0.5], "who": ["1", "2"]})
    entries = samples(table(tmp_path, f"rows.{kind}", frame, "vector", group="who"))
    assert [entry["path"] for entry in entries] == [f"rows.{kind}#0", f"rows.{kind}#1"]
    assert entries[0]["sample"].dtype == np.float32
    assert np.array_equal([entry["sample"] for entry in entries], [[1, 0.5], [2, -0.5]])
    assert samples(table(tmp_path, f"rows.{kind}", frame, "vector", columns=["b"]))[1]["sample"].tolist() == [-0.5]


def test_a_damaged_cell_takes_no_column_from_the_others(tmp_path):
    content = b"a,b,label\n1,2,x\noops,3,x\n,4,x\n1e99,5,x\n6,7,x\n"
    vectors = [entry["sample"] for entry in samples(table(tmp_path, "rows.csv", content, "vector"))]
    assert np.array_equal(vectors, [[1, 2], [np.nan, 3], [np.nan, 4], [np.inf, 5], [6, 7]], equal_nan=True)


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_vectors_in_lists(tmp_path, kind):
    frame = pd.DataFrame({"id": [7, 8, 9], "label": ["x"] * 3, "embedding": [[1.0, 2.0], [3.0], None]})
    entries = samples(table(tmp_path, f"rows.{kind}", frame, "vector"))
    assert [entry["sample"].tolist() for entry in entries[:2]] == [[1, 2], [3]]
    assert entries[2]["bad"]
    refused("several columns", tmp_path, f"rows.{kind}", frame.assign(more=frame["embedding"]), "vector")


# Series


@pytest.mark.parametrize("kind", KINDS)
def test_one_row_a_step(tmp_path, kind):
    frame = pd.DataFrame(
        {
            "person": ["b", "a", "b", "b", "a#/1", ""],
            "x": [1, 10, 2, 3, 20, 0],
            "note": ["p", "q", "r", "s", "t", "u"],
            "y": [0.5, 0, None, 1.5, 2.5, 0],
            "label": ["run", "walk", "run", "run", "walk", "walk"],
        }
    )
    entries = samples(table(tmp_path, f"rows.{kind}", frame, "series", series="person"))
    assert [entry["path"] for entry in entries] == [f"rows.{kind}#{name}" for name in ("b", "a", "a#/1", "")]
    assert entries[0]["label"] == "run"
    assert np.array_equal(entries[0]["sample"], [[1, 0.5], [2, np.nan], [3, 1.5]], equal_nan=True)
    assert entries[0]["sample"].dtype == np.float32
    assert entries[2]["sample"].tolist() == [[20, 2.5]]
    assert entries[3] == {"path": f"rows.{kind}#", "bad": "no series"}


def test_what_changes_within_a_series_is_bad(tmp_path):
    steps = ["1 a p train", "1 b p train", "2 a p train", "2 a q train", "3 a p train", "3 a p val", "4 a p val"]
    content = "\n".join(["id,label,who,split,x", *(step.replace(" ", ",") + ",0" for step in steps)]).encode()
    entries = samples(table(tmp_path, "rows.csv", content, "series", series="id", group="who"))
    assert [entry.get("bad") for entry in entries] == [
        "its label changes",
        "its group changes",
        "its split changes",
        None,
    ]


def test_names_of_series_keep_their_zeros(tmp_path):
    entries = samples(table(tmp_path, "rows.csv", b"id,x\n01,1\n1,2\n01,3\n", "series", series="id", label=None))
    assert [(entry["path"], entry["sample"].tolist()) for entry in entries] == [
        ("rows.csv#01", [[1], [3]]),
        ("rows.csv#1", [[2]]),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_one_row_a_series(tmp_path, kind):
    frame = pd.DataFrame({"label": ["x"] * 4, "0": [1, 4, 6, None], "1": [2, 5, None, None], "2": [3, None, 7, None]})
    entries = samples(table(tmp_path, f"rows.{kind}", frame, "series"))
    expected = [[[1], [2], [3]], [[4], [5]], [[6], [np.nan], [7]]]
    assert all(
        np.array_equal(entry["sample"], one, equal_nan=True) for entry, one in zip(entries, expected, strict=False)
    )
    assert entries[3]["bad"] == "the series is empty"


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_series_in_lists(tmp_path, kind):
    single = pd.DataFrame({"label": ["x", "y"], "values": [[1.0, 2.0, 3.0], [4.0]]})
    entries = samples(table(tmp_path, f"rows.{kind}", single, "series"))
    assert [entry["sample"].tolist() for entry in entries] == [[[1], [2], [3]], [[4]]]
    several = pd.DataFrame({"label": ["x", "y"], "values": [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0]]]})
    entries = samples(table(tmp_path, f"rows.{kind}", several, "series"))
    assert entries[0]["sample"].tolist() == [[1, 2], [3, 4]]
    assert entries[1]["bad"]


# Files beside the table


@pytest.mark.parametrize("kind", KINDS)
def test_images_beside_the_table(tmp_path, kind):
    photos = tmp_path / "data" / "photos"
    for name in ("images/dog/1.jpg", "images/cat/1.png"):
        (photos / name).parent.mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(photos / name)
    (photos / "images/notes.txt").touch()
    (tmp_path / "secret.png").touch()
    (photos / "images/out.png").symlink_to(tmp_path / "secret.png")
    cells = {
        "images/dog/1.jpg": None,
        "./images/cat/1.png": None,
        "images/dog": "unsupported file type",
        "images/notes.txt": "unsupported file type",
        "images/gone.png": "not a file",
        "images/../../../secret.png": "leads out of the silo's folder",
        "/etc/passwd.png": "leads out of the silo's folder",
        "images/out.png": "leads out of the silo's folder",
        "https://example.org/1.png": "not a file",
        "": "no file",
    }
    frame = pd.DataFrame({"file": list(cells), "label": "dog", "split": "train"})
    write(frame, photos / f"manifest.{kind}")
    container = open_container(SiloConfig(modality="image", path="data/photos", file="file"), tmp_path)
    entries = samples(container)
    assert [entry.get("bad") for entry in entries] == list(cells.values())
    assert entries[0]["path"] == "data/photos/images/dog/1.jpg"
    assert entries[1]["path"] == "data/photos/images/cat/1.png"
    assert entries[-1]["path"] == f"data/photos/manifest.{kind}#9"
    assert all((entry["label"], entry["split"]) == ("dog", "train") for entry in entries)
    assert read_image(entries[0]["sample"]).size == (8, 8)
    for path in ("data/photos/../../secret.png", "elsewhere/1.png", "data/photos/images/out.png"):
        with pytest.raises(UserError):
            container.read(path)


def test_sounds_beside_the_table(tmp_path):
    soundfile.write(tmp_path / "1.wav", np.zeros(80), 8000)
    entries = samples(table(tmp_path, "sounds.csv", b"path,label\n1.wav,hush\n1.png,hush\n", "audio"))
    assert read_audio(entries[0]["sample"])[1] == 8000
    assert entries[0]["path"] == "1.wav"
    assert entries[1]["bad"] == "unsupported file type"


def test_arrays_beside_the_table(tmp_path):
    values = np.arange(12, dtype=np.float64).reshape(2, 3, 2)
    np.savez(tmp_path / "features.npz", x=values)
    np.save(tmp_path / "one.npy", values[0])
    np.save(tmp_path / "objects.npy", np.array([{}, []], dtype=object), allow_pickle=True)
    (tmp_path / "steps.csv").write_text("x,y\n1,2\n3,4\n")
    (tmp_path / "words.csv").write_text("x,y\na,b\n")
    (tmp_path / "cut.npy").write_bytes((tmp_path / "one.npy").read_bytes()[:-9])
    lines = [
        "features.npz#0",
        "features.npz#1",
        "one.npy",
        "steps.csv",
        "features.npz#2",
        "features.npz#x",
        "features.npz",
        "objects.npy",
        "cut.npy",
        "words.csv",
        "gone.npy",
        "../steps.csv",
        "features.txt#1",
    ]
    content = "\n".join(["path,label", *(f"{line},a" for line in lines)]).encode()
    entries = samples(table(tmp_path, "rows.csv", content, "series"))
    assert [entry["path"] for entry in entries[:-2]] == lines[:-2]
    assert [entry["sample"].tolist() for entry in entries[:4]] == [
        values[0].tolist(),
        values[1].tolist(),
        values[0].tolist(),
        [[1, 2], [3, 4]],
    ]
    assert all("bad" in entry for entry in entries[4:])
    assert [entry["bad"] for entry in entries[-3:]] == [
        "not a file",
        "leads out of the silo's folder",
        "unsupported file type",
    ]


# Real data


@pytest.mark.realdata
@pytest.mark.parametrize(("modality", "name", "count"), [("image", "caltech50", 3135), ("audio", "esc10", 400)])
def test_real_files(data_dir, modality, name, count):
    path = f"{name}/{modality}_silo"
    container = open_container(SiloConfig(modality=modality, path=path), data_dir / "datasets")
    entries = list(container.entries())
    assert len(entries) == count
    assert {entry["split"] for entry in entries} == {"train", "val", "test"}
    assert not any("bad" in entry for entry in entries)
    assert all(container.read(entry["path"]).is_file() for entry in entries)


@pytest.mark.realdata
def test_real_texts(data_dir):
    files = sorted(data_dir.glob("datasets/*/text_silo/manifest.csv"))
    counts = {}
    for file in files:
        frame = pd.read_csv(file)
        if "text" in frame:
            container = open_container(SiloConfig(modality="text", path=file.name), file.parent)
            entries = list(container.entries())
            assert [entry["text"] for entry in entries] == frame["text"].str.strip().tolist()
            counts[file.parts[-3]] = len(entries)
    assert counts == {
        "animals_trimodal": 426,
        "caltech50": 1396,
        "esc10": 180,
        "mnist_fsdd": 140,
        "tinyimagenet40": 1107,
    }


@pytest.mark.realdata
@pytest.mark.parametrize(("name", "dim"), [("text", 100), ("audio", 73), ("video", 100)])
def test_real_arrays(data_dir, name, dim):
    path = f"mosi/{name}_silo"
    config = SiloConfig(modality="vector", path=f"{path}/manifest.csv")
    container = open_container(config, data_dir / "datasets")
    entries = list(container.entries())
    assert len(entries) == 1199 + 248 + 752
    assert entries[17]["path"] == f"{path}/features.npz#17"
    vectors = np.stack([container.read(entry["path"]) for entry in entries])
    assert vectors.shape == (2199, dim)
    assert np.isfinite(vectors).all()
