import csv
import zipfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from upath import UPath

from uml_pipeline.errors import UserError
from uml_pipeline.samples.arrays import ArraysContainer, _load, read_row
from uml_pipeline.silo.config import SiloConfig

PATH = "data/features.npz"
LABELS = ["cat", "dog", "cat", "cow"]
VECTORS = np.random.default_rng(0).normal(size=(4, 3))
STEPS = np.random.default_rng(1).normal(size=(4, 6, 2)).astype(np.float32)


def silo(modality="vector", **keys):
    return SiloConfig(modality=modality, path=PATH, **keys)


def saved(file, save=np.savez, **arrays):
    save(file, **arrays)
    return file


def opened(folder, modality="vector", save=np.savez, arrays=None, **keys):
    arrays = {"x": VECTORS, "label": LABELS} if arrays is None else arrays
    return ArraysContainer(silo(modality, **keys), saved(folder / "features.npz", save, **arrays))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f8", "i2"])
def test_vectors_round_trip(tmp_path, save, dtype):
    values = (9 * VECTORS).astype(dtype)
    container = opened(
        tmp_path, save=save, arrays={"x": values, "label": LABELS, "split": ["train"] * 3 + ["test"]}, array="x"
    )
    assert list(container.entries()) == [
        {"path": f"{PATH}#{row}", "label": label, "split": "test" if row == 3 else "train"}
        for row, label in enumerate(LABELS)
    ]
    for row in range(4):
        vector = container.read(f"{PATH}#{row}")
        assert vector.dtype == np.float32
        assert np.array_equal(vector, values[row].astype(np.float32))


@pytest.mark.parametrize("order", ["C", "F"])
def test_series_round_trip(tmp_path, order):
    container = opened(
        tmp_path,
        "series",
        arrays={"x": np.array(STEPS, order=order), "y": [3, 1, 2, 3], "who": list("abab")},
        group="who",
    )
    assert [(entry["label"], entry["group"]) for entry in container.entries()] == [
        ("3", "a"),
        ("1", "b"),
        ("2", "a"),
        ("3", "b"),
    ]
    assert all(np.array_equal(container.read(f"{PATH}#{row}"), STEPS[row]) for row in range(4))


def test_padding_is_left_out(tmp_path):
    container = opened(tmp_path, "series", arrays={"x": STEPS, "labels": LABELS, "lengths": [6, 1, 3, 2]})
    for row, length in enumerate([6, 1, 3, 2]):
        assert np.array_equal(container.read(f"{PATH}#{row}"), STEPS[row, :length])


def test_series_of_any_length_in_a_row(tmp_path):
    flat, offsets = STEPS.reshape(-1, 2), np.array([0, 1, 9, 20, 24], np.uint64)
    container = opened(tmp_path, "series", arrays={"x": flat, "label": LABELS, "offsets": offsets})
    for row in range(4):
        assert np.array_equal(container.read(f"{PATH}#{row}"), flat[int(offsets[row]) : int(offsets[row + 1])])


@pytest.mark.parametrize("arrays", [{"lengths": [6, 0, 7, -1]}, {"lengths": [6, 0, 2**40, 0]}])
def test_wrong_lengths_do_not_stop_the_others(tmp_path, arrays):
    container = opened(tmp_path, "series", arrays={"x": STEPS, "label": LABELS} | arrays)
    assert ["bad" in entry for entry in container.entries()] == [False, True, True, True]
    assert len(container.read(f"{PATH}#0")) == 6
    with pytest.raises(UserError, match="not in the array"):
        container.read(f"{PATH}#2")


@pytest.mark.parametrize("offsets", [[0, 24, 3, 3, 99], [0, 2, 2, -1, 9**9]])
def test_wrong_offsets_do_not_stop_the_others(tmp_path, offsets):
    container = opened(tmp_path, "series", arrays={"x": STEPS.reshape(-1, 2), "label": LABELS, "offsets": offsets})
    bad = ["bad" in entry for entry in container.entries()]
    assert bad == [False, True, True, True]


def test_labels_may_be_bytes_or_missing(tmp_path):
    container = opened(tmp_path, arrays={"x": VECTORS, "label": [b"a", b"", b"\xff", b"b"]})
    assert [(entry.get("label"), entry.get("bad")) for entry in container.entries()] == [
        ("a", None), (None, None), (None, "its label is not a name"), ("b", None),
    ]  # fmt: skip


def test_the_array_is_named_where_there_are_several(tmp_path):
    arrays = {"text": VECTORS, "audio": -VECTORS, "label": LABELS}
    assert np.array_equal(
        opened(tmp_path, arrays=arrays, array="audio").read(f"{PATH}#1"), -VECTORS[1].astype(np.float32)
    )
    with pytest.raises(UserError, match="which array") as caught:
        opened(tmp_path, arrays=arrays)
    assert "text, audio" in caught.value.fix


def test_without_labels(tmp_path):
    entries = list(opened(tmp_path, arrays={"x": VECTORS}, label=None).entries())
    assert entries == [{"path": f"{PATH}#{row}"} for row in range(4)]


def test_not_finite_values_stay(tmp_path):
    values = VECTORS.copy()
    values[0, 0], values[1, 1], values[2, 2] = np.nan, -np.inf, 1e300
    container = opened(tmp_path, arrays={"x": values, "label": LABELS})
    assert [np.isfinite(container.read(f"{PATH}#{row}")).all() for row in range(4)] == [False, False, False, True]


OBJECTS = np.array([{"a": 1}, None, 3, "x"], dtype=object)
DAMAGED = {
    "no array": ({"label": LABELS}, {}),
    "objects": ({"x": OBJECTS, "label": LABELS}, {"array": "x"}),
    "labels of objects": ({"x": VECTORS, "label": OBJECTS}, {}),
    "a name that is not there": ({"x": VECTORS, "label": LABELS}, {"array": "z"}),
    "words": ({"x": np.full((4, 2), "a"), "label": LABELS}, {"array": "x"}),
    "complex": ({"x": VECTORS.astype(complex), "label": LABELS}, {"array": "x"}),
    "records": ({"x": np.zeros((4, 2), [("a", "f4")]), "label": LABELS}, {"array": "x"}),
    "a number": ({"x": np.float32(3), "label": LABELS}, {"array": "x"}),
    "flat": ({"x": VECTORS[0], "label": LABELS}, {"array": "x"}),
    "no channel": ({"x": VECTORS[:, :0], "label": LABELS}, {}),
    "a series for a vector": ({"x": STEPS, "label": LABELS}, {}),
    "a vector for a series": ({"x": VECTORS, "label": LABELS}, {"modality": "series"}),
    "an array for an image": ({"x": VECTORS, "label": LABELS}, {"modality": "image"}),
    "too few lengths": ({"x": STEPS, "lengths": [1]}, {"modality": "series"}),
    "lengths of floats": ({"x": STEPS, "lengths": np.ones(4)}, {"modality": "series"}),
    "no offsets": ({"x": STEPS[0], "offsets": np.ones(0, int)}, {"modality": "series"}),
    "offsets of offsets": ({"x": STEPS[0], "offsets": np.ones((2, 2), int)}, {"modality": "series"}),
    "no labels": ({"x": VECTORS}, {}),
    "no group": ({"x": VECTORS, "label": LABELS}, {"group": "who"}),
    "too few labels": ({"x": VECTORS, "label": LABELS[:2]}, {}),
    "labels of floats": ({"x": VECTORS, "label": [0.5, 1, 2, 3]}, {}),
    "two labels a sample": ({"x": VECTORS, "label": [LABELS] * 4}, {}),
    "too many splits": ({"x": VECTORS, "label": LABELS, "split": ["train"] * 5}, {}),
}


@pytest.mark.parametrize(("arrays", "keys"), DAMAGED.values(), ids=DAMAGED.keys())
def test_damage_is_a_user_error(tmp_path, arrays, keys):
    with pytest.raises(UserError) as caught:
        list(opened(tmp_path, arrays=arrays, **keys).entries())
    assert str(tmp_path) in caught.value.where
    assert caught.value.fix


class Called:
    called = False

    def __reduce__(self):
        return setattr, (Called, "called", True)


def test_pickles_inside_are_not_loaded(tmp_path):
    np.savez(tmp_path / "features.npz", x=np.array([[Called()]], dtype=object), label=["a"])
    with pytest.raises(UserError, match="damaged"):
        ArraysContainer(silo(array="x"), tmp_path / "features.npz")
    assert not Called.called


def whole(save=np.savez):
    file = BytesIO()
    save(file, x=VECTORS, label=LABELS)
    return file.getvalue()


def npy(array):
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()


def zipped(**members):
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


HUGE = npy(VECTORS).replace(b"(4, 3), }" + b" " * 20, b"(%d, 3), }" % 10**15 + b" " * 6)
FILES = {
    "empty": b"",
    "text": b"no arrays at all",
    "truncated": whole()[:-200],
    "truncated early": whole()[:300],
    "wrong bytes": whole().replace(VECTORS[2].tobytes(), bytes(24)),
    "wrong compressed bytes": whole(np.savez_compressed).replace(whole(np.savez_compressed)[90:120], bytes(30)),
    "an npy": npy(VECTORS),
    "no npy inside": zipped(x=b"hello", label=npy(np.array(LABELS))),
    "half an npy inside": zipped(x=npy(VECTORS)[:-9], label=npy(np.array(LABELS))),
    "a huge shape": zipped(x=HUGE, label=npy(np.array(LABELS))),
    "a path inside": zipped(**{"../../x": b"evil", "label": npy(np.array(LABELS))}),
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES.keys())
def test_a_damaged_file_is_a_user_error(tmp_path, content):
    assert npy(VECTORS) != HUGE
    (tmp_path / "features.npz").write_bytes(content)
    with pytest.raises(UserError) as caught:
        list(ArraysContainer(silo(), tmp_path / "features.npz").entries())
    assert str(tmp_path) in caught.value.where
    assert caught.value.fix


@pytest.mark.filterwarnings("ignore:Duplicate name")  # zipfile's, as the test writes it
def test_an_array_that_stands_twice_is_a_user_error(tmp_path):
    with zipfile.ZipFile(tmp_path / "features.npz", "w") as archive:
        for _ in range(2):
            archive.writestr("x.npy", npy(VECTORS))
    with pytest.raises(UserError, match="stands twice"):
        ArraysContainer(silo(label=None), tmp_path / "features.npz")


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([np.savez, np.savez_compressed]),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_any_damage_is_a_user_error_or_numbers(tmp_path, save, changes):
    content = bytearray(whole(save))
    for place, byte in changes:
        content[int(place * len(content))] = byte
    (tmp_path / "features.npz").write_bytes(content)
    try:
        container = ArraysContainer(silo(), tmp_path / "features.npz")
        entries = list(container.entries())
    except UserError:
        return
    assert all(container.read(entry["path"]).dtype == np.float32 for entry in entries)


@pytest.mark.parametrize("place", ["4", "-1", "", "1.0", "x", "../1", "²", "9" * 5000])
def test_rows_that_are_not_there_are_user_errors(tmp_path, place):
    container = opened(tmp_path)
    with pytest.raises(UserError, match="not there"):
        container.read(f"{PATH}#{place}")
    with pytest.raises(UserError, match="not there"):
        read_row(tmp_path / "features.npz", place, None)
    with pytest.raises(UserError, match="not in this silo"):
        container.read(f"other.npz#{place}")


def test_rows_of_files_are_read_by_many_threads_and_loaded_once(tmp_path):
    files = [saved(tmp_path / f"{number}.npz", x=VECTORS + number) for number in range(3)]
    before = _load.cache_info().misses
    jobs = [(number, row) for number in range(3) for row in range(4)] * 5
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda job: read_row(files[job[0]], str(job[1]), None), jobs))
    for found, (number, row) in zip(read, jobs, strict=True):
        assert np.array_equal(found, (VECTORS[row] + number).astype(np.float32))
    assert _load.cache_info().misses == before + 3


def test_a_changed_file_is_read_again(tmp_path):
    for values in (VECTORS, np.zeros((4, 5))):
        file = saved(tmp_path / "features.npz", x=values)
        assert np.array_equal(read_row(file, "1", "x"), values[1].astype(np.float32))


def test_rows_of_a_file_may_be_series(tmp_path):
    padded = saved(tmp_path / "padded.npz", x=STEPS, lengths=[6, 1, 3, 2])
    assert np.array_equal(read_row(padded, "2", None), STEPS[2, :3])
    ragged = saved(tmp_path / "ragged.npz", x=STEPS.reshape(-1, 2), offsets=[0, 4, 24])
    assert np.array_equal(read_row(ragged, "1", None), STEPS.reshape(-1, 2)[4:])


@pytest.mark.parametrize("content", [None, b"", b"no arrays"])
def test_a_damaged_file_beside_a_table_does_not_stop_the_others(tmp_path, content):
    if content is not None:
        (tmp_path / "bad.npz").write_bytes(content)
    for _ in range(2):
        with pytest.raises(UserError) as caught:
            read_row(tmp_path / "bad.npz", "0", None)
        assert caught.value.fix
    assert len(read_row(saved(tmp_path / "good.npz", x=VECTORS), "0", None)) == 3


def test_a_file_far_away_is_read():
    file = UPath("memory://arrays/features.npz")
    with file.open("wb") as stream:
        np.savez(stream, x=VECTORS, label=LABELS)
    container = ArraysContainer(SiloConfig(modality="vector", path=str(file)), file)
    assert len(container.read([entry["path"] for entry in container.entries()][3])) == 3


@pytest.mark.realdata
@pytest.mark.parametrize(("name", "dim"), [("text", 100), ("audio", 73), ("video", 100)])
def test_the_features_of_mosi(data_dir, name, dim):
    folder = data_dir / "datasets" / "mosi" / f"{name}_silo"
    container = ArraysContainer(silo(group="video_id"), folder / "features.npz")
    entries = list(container.entries())
    with (folder / "manifest.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert len(entries) == len(lines) == 2199
    assert len({entry["group"] for entry in entries}) == 93
    for entry, line in list(zip(entries, lines, strict=True))[::50]:
        file_name, _, place = line["path"].partition("#")
        assert entry["split"] == line["split"]
        assert entry["label"] == {"negative": "0", "positive": "1"}[line["label"]]
        vector = container.read(entry["path"])
        assert vector.shape == (dim,)
        assert np.array_equal(vector, read_row(folder / file_name, place, None))
