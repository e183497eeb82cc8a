import os
import pickle
import pickletools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uml_pipeline.errors import UserError
from uml_pipeline.samples.affect import AffectContainer
from uml_pipeline.silo.config import SiloConfig

PATH = "data/mosi_data.pkl"
SIZES = {"train": 6, "valid": 2, "test": 3}
DIMS = {"vision": 4, "audio": 3, "text": 5}
STEPS = 8


def split(name, labels=None):
    """As MultiBench has it: sequences end at the last step, zeros stand before them."""
    size, rng = SIZES[name], np.random.default_rng(len(name))
    arrays = {key: rng.normal(size=(size, STEPS, dim)).astype(np.float32) for key, dim in DIMS.items()}
    for row in range(size):
        for key in DIMS:
            arrays[key][row, : row + 1] = 0
    arrays["vision"][:, 2] = 7  # somebody is seen before a word is said
    arrays["labels"] = rng.uniform(-3, 3, (size, 1, 1)) if labels is None else labels(size)
    arrays["id"] = [f"video{row // 2}$_${row}" for row in range(size)]
    return arrays


def corpus(**keys):
    return {name: split(name, **keys) for name in SIZES}


def silo(**keys):
    return SiloConfig(**{"modality": "series", "path": PATH, "array": "vision"} | keys)


def opened(folder, content, protocol=4, **keys):
    file = folder / "mosi_data.pkl"
    file.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, protocol))
    return AffectContainer(silo(**keys), file)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("array", DIMS)
def test_round_trip(tmp_path, protocol, array):
    content = corpus()
    container = opened(tmp_path, content, protocol, array=array, group="id")
    entries = list(container.entries())
    assert [entry["path"] for entry in entries] == [f"{PATH}#{s}/{row}" for s in SIZES for row in range(SIZES[s])]
    for entry in entries:
        name, row = entry["split"], int(entry["path"].rpartition("/")[2])
        assert entry["label"] == ("positive" if content[name]["labels"][row] >= 0 else "negative")
        assert entry["group"] == f"video{row // 2}"
        sequence = container.read(entry["path"])
        assert sequence.dtype == np.float32
        assert np.array_equal(sequence, content[name][array][row, row + 1 :])


@pytest.mark.parametrize("old", [False, True])
def test_modules_of_both_numpys_are_known(tmp_path, old):
    content = pickle.dumps(corpus(), 0)
    if old:
        content = content.replace(b"numpy._core", b"numpy.core")
    assert len(list(opened(tmp_path, content).entries())) == 11


def test_layouts_of_arrays(tmp_path):
    a, b, c = corpus(), corpus(), corpus()
    for arrays in b.values():
        arrays["vision"] = np.asfortranarray(arrays["vision"]).astype(">f8")
        arrays["labels"] = arrays["labels"][:, 0]
        arrays["id"] = np.array(arrays["id"], dtype=object)
    for arrays in c.values():
        arrays["vision"] = np.ascontiguousarray(arrays["vision"].transpose(1, 0, 2)).transpose(1, 0, 2)
        arrays["labels"] = [np.float32(label) for label in arrays["labels"].ravel()]
        arrays["id"] = np.array([[name, "0.5", "1.5"] for name in arrays["id"]])
    one, two, three = (
        [(entry, container.read(entry["path"]).tobytes()) for entry in container.entries()]
        for container in (opened(tmp_path, content, 5, group="id") for content in (a, b, c))
    )
    assert one == two == three


IDS = [
    ["v[1]", "v[22]"],
    [b"v$_$1", b"v$_$2"],
    [["v[1]"], ["v[2]"]],
    np.array([b"v[1]", b"v[2]"]),
    np.array([["v", 0.5], ["v", 1.5]], dtype=object),
    [np.array(["v[1]"]), np.array(["v[2]"])],
]


@pytest.mark.parametrize("ids", IDS)
def test_segments_of_a_video_are_a_group(tmp_path, ids):
    content = {"train": split("valid") | {"id": ids}}
    assert [entry["group"] for entry in opened(tmp_path, content, group="id").entries()] == ["v", "v"]


@pytest.mark.parametrize(
    ("ids", "groups"), [([7, 8], ["7", "8"]), (["1_60", "2_5"], ["1_60", "2_5"]), ([None, "a"], [None, "a"])]
)
def test_other_ids_are_groups_as_they_stand(tmp_path, ids, groups):
    content = {"train": split("valid") | {"id": ids}}
    assert [entry.get("group") for entry in opened(tmp_path, content, group="id").entries()] == groups


def test_an_id_that_is_no_name_is_bad(tmp_path):
    content = {"train": split("valid") | {"id": [0.5, "a"]}}
    bad = [entry.get("bad") for entry in opened(tmp_path, content, group="id").entries()]
    assert bad == ["its group is not a name", None]


@pytest.mark.parametrize("low", [-1, 0])
def test_binary_labels_are_not_sentiments(tmp_path, low):
    content = corpus(labels=lambda size: np.where(np.arange(size) % 2, 1, low)[:, None])
    labels = [entry["label"] for entry in opened(tmp_path, content).entries()]
    assert labels == ["0", "1"] * 3 + ["0", "1"] + ["0", "1", "0"]


def test_without_labels(tmp_path):
    assert all("label" not in entry for entry in opened(tmp_path, corpus(), label=None).entries())


def test_a_missing_label_is_none(tmp_path):
    content = corpus()
    content["train"]["labels"][0] = np.nan
    labels = [entry.get("label") for entry in opened(tmp_path, content).entries()]
    assert labels[0] is None
    assert None not in labels[1:]


def test_the_only_modality_needs_no_name(tmp_path):
    content = {"train": {"audio": np.ones((2, 3, 1)), "labels": np.array([0.5, -2])}}
    assert len(list(opened(tmp_path, content, array=None).entries())) == 2


def test_long_sequences_are_cut(tmp_path):
    content = {"train": {"audio": np.ones((1, 70, 1)), "labels": np.ones(1)}}
    assert opened(tmp_path, content, array="audio").read(f"{PATH}#train/0").shape == (50, 1)


def test_what_runs_at_its_own_pace_begins_at_its_own_start(tmp_path):
    audio = np.zeros((1, 20, 1))
    audio[0, 12:] = 3
    content = {"train": {"audio": audio, "text": np.ones((1, 5, 2)), "labels": np.ones(1)}}
    assert opened(tmp_path, content, array="audio").read(f"{PATH}#train/0").shape == (8, 1)


def test_infinite_values_stay(tmp_path):
    content = corpus()
    content["train"]["audio"][0, 3] = -np.inf
    assert np.isneginf(opened(tmp_path, content, array="audio").read(f"{PATH}#train/0")).any()


@pytest.mark.parametrize("key", ["vision", "text"])
def test_empty_sequences_do_not_stop_the_others(tmp_path, key):
    content = corpus()
    content["train"][key][3] = 0
    entries = list(opened(tmp_path, content).entries())
    assert [entry.get("bad") for entry in entries] == [None] * 3 + ["the sequence is empty"] + [None] * 7


@pytest.mark.parametrize(
    "place", ["train/6", "train/-1", "train/", "train", "dev/0", "train/1/2", "../../x", "train/²", ""]
)
def test_what_is_not_there_is_a_user_error(tmp_path, place):
    container = opened(tmp_path, corpus())
    with pytest.raises(UserError, match="not there"):
        container.read(f"{PATH}#{place}")
    with pytest.raises(UserError, match="not in this silo"):
        container.read(f"other.pkl#{place}")


def without(key):
    content = corpus()
    del content["valid"][key]
    return content


def with_array(key, value):
    content = corpus()
    content["valid"][key] = value
    return content


DAMAGED = {
    "empty": b"",
    "text": b"no pickle at all",
    "a list": [1, 2],
    "no split": {},
    "unknown splits": {"rows": split("train")},
    "no dict in a split": {"train": [1]},
    "no modality": without("vision"),
    "no labels": without("labels"),
    "no group": without("id"),
    "flat": with_array("vision", np.ones((2, 4), np.float32)),
    "no channels": with_array("vision", np.ones((2, 4, 0), np.float32)),
    "no steps, and many": with_array("text", np.ones((2, 0, 5), np.float32)),
    "text for numbers": with_array("vision", np.full((2, 4, 1), "x")),
    "objects": with_array("vision", np.array([[[None, "x"]]] * 2)),
    "a list for an array": with_array("vision", [[[1.0] * 3]] * 2),
    "words for labels": with_array("labels", ["good", "bad"]),
    "two labels a sample": with_array("labels", np.ones((2, 2))),
    "too few labels": with_array("labels", np.ones(1)),
    "too few ids": with_array("id", ["a"]),
    "ids of nothing": with_array("id", np.ones((2, 0))),
    "a number for labels": with_array("labels", 3),
    "long lists for labels": with_array("labels", [[1.0] * 99] * 2),
    "rows of unequal length": with_array("id", [["a", "b"], ["a"]]),
    "dates": with_array("labels", np.array(["2020-01-01", "2020-01-02"], "M8[D]")),
    "records": with_array("labels", np.zeros(2, [("a", "f4"), ("b", "O")])),
    "complex": with_array("vision", np.ones((2, 3, 1), complex)),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_damage_is_a_user_error(tmp_path, content):
    with pytest.raises(UserError) as caught:
        opened(tmp_path, content, group="id")
    assert str(tmp_path) in caught.value.where
    assert caught.value.fix


@pytest.mark.parametrize("keys", [{"array": None}, {"array": "smell"}, {"modality": "vector"}])
def test_a_wrong_configuration_is_a_user_error(tmp_path, keys):
    with pytest.raises(UserError) as caught:
        opened(tmp_path, corpus(), **keys)
    assert caught.value.fix


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.9, 0.999])
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_truncated_pickle_is_a_user_error(tmp_path, share, protocol):
    whole = pickle.dumps(corpus(), protocol)
    with pytest.raises(UserError, match=r"damaged|more than data"):  # half a name is another name
        opened(tmp_path, whole[: int(share * len(whole))])


class Calls:
    """Pickles as a call of anything."""

    def __init__(self, function, *arguments, state=None):
        self.call = (function, arguments, state) if state is not None else (function, arguments)

    def __reduce__(self):
        return self.call


def touch(tmp_path):
    return f"touch {tmp_path / 'owned'}"


def assembled(*codes):
    return b"\x80\x04" + b"".join(codes) + b"."


def text(value):
    return b"\x8c" + bytes([len(value)]) + value.encode()


def named(module, name):
    return text(module) + text(name) + pickle.STACK_GLOBAL


GLOBALS = [
    ("os", "system"),
    ("posix", "system"),
    ("builtins", "eval"),
    ("builtins", "exec"),
    ("__builtin__", "eval"),
    ("builtins", "getattr"),
    ("builtins", "__import__"),
    ("subprocess", "Popen"),
    ("pickle", "loads"),
    ("_pickle", "loads"),
    ("operator", "attrgetter"),
    ("functools", "partial"),
    ("importlib", "import_module"),
    ("types", "FunctionType"),
    ("torch.storage", "_load_from_bytes"),
    ("numpy", "load"),
    ("numpy", "dtype.__class__"),
    ("numpy", "ndarray.tofile"),
    ("numpy", "f2py.crackfortran.myeval"),
    ("numpy.core.multiarray", "_reconstruct.__globals__"),
    ("numpy.core.multiarray", "fromfile"),
    ("numpy._core.multiarray", "_reconstruct.__self__"),
    ("numpy.core", "multiarray._reconstruct"),
    ("numpy.testing._private.utils", "runstring"),
    ("numpy.f2py.diagnose", "run_command"),
    ("numpy.memmap", ""),
    ("_codecs", "lookup"),
    ("_codecs", "encode.__self__"),
    ("codecs", "open"),
    ("", "numpy"),
    ("uml_pipeline.samples._unpickling", "_KNOWN"),
    ("__main__", "x"),
    ("numpy\n", "dtype"),
]


@pytest.mark.parametrize(("module", "name"), GLOBALS)
@pytest.mark.parametrize("call", [True, False])
def test_nothing_but_arrays_is_loaded(tmp_path, monkeypatch, module, name, call):
    monkeypatch.chdir(tmp_path)
    code = named(module, name)
    if call:
        code += text("touch owned") + pickle.TUPLE1 + pickle.REDUCE
    with pytest.raises(UserError, match="asks for more than data") as caught:
        opened(tmp_path, assembled(code))
    assert ascii(f"{module}.{name}") in caught.value.where
    assert not Path("owned").exists()


def test_pickled_calls_are_not_made(tmp_path):
    for function in (os.system, eval, exec, pickle.loads):
        for protocol in range(6):
            content = corpus() | {"dev": Calls(function, touch(tmp_path))}
            with pytest.raises(UserError, match="asks for more than data"):
                opened(tmp_path, content, protocol)
    assert not (tmp_path / "owned").exists()


NUMPY = named("numpy", "ndarray"), named("numpy._core.multiarray", "_reconstruct"), named("numpy", "dtype")
NDARRAY, RECONSTRUCT, DTYPE = NUMPY
HUGE = b"\x8a\x08" + (2**62).to_bytes(8, "little")  # LONG1
ZERO, TRUE = b"K\x00", b"\x88"
FLOATS = DTYPE + b"(" + text("f8") + b"\x89\x88t" + b"R"
OBJECTS = DTYPE + b"(" + text("O8") + b"\x89\x88t" + b"R"


def state(shape, dtype, content):
    return (
        RECONSTRUCT
        + b"("
        + NDARRAY
        + ZERO
        + b"\x85"
        + b"C\x01b"
        + b"t"
        + b"R"
        + b"("
        + b"K\x01"
        + shape
        + dtype
        + b"\x89"
        + content
        + b"tb"
    )


def test_a_pickle_of_python_2_is_read(tmp_path):
    raw = np.arange(-3, 3, dtype="<f8").tobytes()  # a str of bytes, there
    array = state(b"K\x02K\x03K\x01\x87", FLOATS, b"U" + bytes([len(raw)]) + raw)
    content = assembled(b"}" + text("train") + b"}" + text("vision") + array + b"ss")
    container = opened(tmp_path, content, label=None)
    assert np.array_equal(container.read(f"{PATH}#train/0"), [[-3], [-2], [-1]])


TRICKS = {
    "an array called": NDARRAY + HUGE + b"\x85\x85R",
    "an array of a huge shape": RECONSTRUCT + b"(" + NDARRAY + HUGE + b"\x85" + b"C\x01b" + b"tR",
    "a huge state": state(HUGE + b"\x85", FLOATS, b"C\x08" + b"\x00" * 8),
    "a shape of huge product": state(HUGE + HUGE + b"\x86", FLOATS, b"C\x08" + b"\x00" * 8),
    "a huge shape of nothing": state(HUGE + ZERO + HUGE + b"\x87", FLOATS, b"C\x00"),
    "objects from bytes": state(b"K\x01\x85", OBJECTS, b"C\x08" + b"A" * 8),
    "no list of objects": state(b"K\x01\x85", OBJECTS, HUGE),
    "objects too few": state(HUGE + b"\x85", OBJECTS, b"]"),
    "a callable among objects": state(b"K\x01\x85", OBJECTS, b"](" + NDARRAY + b"e"),
    "a list in itself": b"]q\x01" + b"h\x01a",
    "a new object": DTYPE + text("f8") + b"\x85" + pickle.NEWOBJ,
    "an instance": b"(" + text("f8") + b"inumpy\ndtype\n",
    "an object": b"(" + DTYPE + text("f8") + b"o",
    "an extension": b"\x82\x01",
    "a persistent id": text("x") + b"Q",
    "a persistent id in text": b"Px\n",
    "a buffer from outside": b"\x97",
    "a dtype of dtypes": DTYPE + b"(" + FLOATS + b"\x89\x88tR",
    "a dtype of words": DTYPE + b"(" + text("f8,O") + b"\x89\x88tR",
    "a state for a callable": DTYPE + b"}" + text("__call__") + NDARRAY + b"sb",
    "attributes of a callable": DTYPE + b"N}" + text("name") + text("encode") + b"s\x86b",
    "a codec": named("_codecs", "encode") + b"(" + text("x") + text("unicode_escape") + b"tR",
    "a huge text": b"\x8d" + (2**62).to_bytes(8, "little") + b"x",
    "huge bytes": b"\x8e" + (2**40).to_bytes(8, "little") + b"x",
    "a huge bytearray": b"\x96" + (2**40).to_bytes(8, "little") + b"x",
    "a huge memo": b"N" + b"r\xff\xff\xff\xff",
    "a huge frame": b"\x95" + (2**62).to_bytes(8, "little") + b"N",
    "an append to a note": FLOATS + b"Na",
    "an item of a note": FLOATS + text("x") + b"Ns",
    "no mark": b"t",
    "a memo that is not there": b"h\x07",
    "a text that is none": state(b"K\x01\x85", DTYPE + b"(" + text("U1") + b"\x89\x88tR", b"C\x04\xff\xff\xff\xff"),
    "text of no length": state(HUGE + b"\x85", DTYPE + b"(" + text("U0") + b"\x89\x88tR", b"C\x00"),
}


@pytest.mark.parametrize("role", ["itself", "text", "vision", "labels", "id"])
@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS.keys())
def test_tricks_are_user_errors(tmp_path, trick, role):
    if role != "itself":
        whole = pickle.dumps({"train": split("valid") | {role: "the trick"}}, 4)
        place = b"\x8c\x09the trick"
        body = whole[11:] if whole[2:3] == b"\x95" else whole[2:]  # without its frame
        trick = body.replace(place, trick)[:-1]
    with pytest.raises(UserError) as caught:
        opened(tmp_path, assembled(trick), group="id")
    assert str(tmp_path) in caught.value.where
    assert caught.value.fix


def test_a_small_pickle_that_grows_is_refused_in_no_time(tmp_path):
    lists = [[1.0] * 9]
    for _ in range(40):
        lists = [lists] * 9
    for key in ("vision", "labels", "id"):
        with pytest.raises(UserError):
            opened(tmp_path, with_array(key, lists), group="id")


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_damage_is_a_user_error_or_numbers(tmp_path, data):
    whole = bytearray(pickle.dumps({"train": split("valid")}, data.draw(st.sampled_from([0, 2, 4, 5]))))
    spots = [spot for _, _, spot in pickletools.genops(bytes(whole))]
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.sampled_from(spots) | st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        container = opened(tmp_path, bytes(whole), group="id")
    except UserError:
        return
    for entry in container.entries():
        if "bad" not in entry:  # what is huge is now infinite
            assert container.read(entry["path"]).dtype == np.float32
