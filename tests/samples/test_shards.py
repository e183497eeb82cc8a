import io
import json
import shutil
import tarfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
import webdataset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from upath import UPath
from webdataset.tariterators import base_plus_ext

from uml_pipeline.errors import UserError
from uml_pipeline.samples.audio import read_audio
from uml_pipeline.samples.images import read_image
from uml_pipeline.samples.shards import ShardsContainer
from uml_pipeline.silo.config import SiloConfig

PATH = "data/shards"
KEYS = [f"{row:06d}" for row in range(6)]


def picture(row):
    file = io.BytesIO()
    Image.new("RGB", (5, 4), (row, 0, 0)).save(file, "png")
    return file.getvalue()


def sound(row):
    file = io.BytesIO()
    soundfile.write(file, np.full(50, row / 100), 8000, format="FLAC")
    return file.getvalue()


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def sample(row):
    return {
        "__key__": f"{row:06d}",
        "png": picture(row),
        "flac": sound(row),
        "txt": f"text {row}",
        "npy": np.full((row + 1, 2), row, np.float32),
        "cls": row % 2,
        "json": {"label": "odd" if row % 2 else "even", "who": row // 2, "caption": f"caption {row}"},
    }


def write(shard, samples):
    shard.parent.mkdir(parents=True, exist_ok=True)
    with webdataset.TarWriter(str(shard), encoder=True) as writer:
        for one in samples:
            writer.write(one)
    return shard


def tar(shard, *members, format=tarfile.PAX_FORMAT):
    """Members are (name, content), or TarInfo."""
    shard.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(shard, "w", format=format, errors="surrogateescape") as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            name, content = member
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return shard


def silo(modality="image", path=PATH, **keys):
    return SiloConfig(modality=modality, path=path, **keys)


def listed(source, modality="image", **keys):
    return list(ShardsContainer(silo(modality, **keys), source).entries())


@pytest.fixture
def shards(tmp_path):
    write(tmp_path / "shards/train-0000.tar", map(sample, range(4)))
    write(tmp_path / "shards/val/0.tar", map(sample, range(4, 6)))
    return tmp_path / "shards"


PLACES = [f"train-0000.tar#{key}" for key in KEYS[:4]] + [f"val/0.tar#{key}" for key in KEYS[4:]]


def test_entries(shards):
    assert listed(shards, group="who") == [
        {
            "path": f"{PATH}/{place}.png",
            "label": "odd" if row % 2 else "even",
            "group": str(row // 2),
            "split": "train" if row < 4 else "val",
        }
        for row, place in enumerate(PLACES)
    ]


def test_entries_of_a_single_shard(shards):
    entries = listed(shards / "train-0000.tar", path="data/train-0000.tar")
    assert [entry["path"] for entry in entries] == [f"data/train-0000.tar#{key}.png" for key in KEYS[:4]]
    assert {entry["split"] for entry in entries} == {"train"}


def test_samples_come_as_they_were_written(shards):
    for modality, suffix, expected in (("image", "png", picture), ("audio", "flac", sound)):
        container = ShardsContainer(silo(modality), shards)
        for row, place in enumerate(PLACES):
            assert container.read(f"{PATH}/{place}.{suffix}") == expected(row)
    assert read_audio(sound(3))[1] == 8000
    assert read_image(picture(3)).size == (5, 4)
    series = ShardsContainer(silo("series"), shards)
    for row, place in enumerate(PLACES):
        steps = series.read(f"{PATH}/{place}.npy")
        assert steps.dtype == np.float32
        assert np.array_equal(steps, np.full((row + 1, 2), row))


def test_texts(shards):
    assert [entry["text"] for entry in listed(shards, "text")] == [f"text {row}" for row in range(6)]
    tar(shards / "val/0.tar", ("a.json", b'{"caption": "a dog", "label": "dog"}'))
    assert listed(shards, "text", text="caption")[4:] == [{"text": "a dog", "label": "dog", "split": "val"}]


def test_labels_of_class_files(tmp_path):
    write(tmp_path / "0.tar", [{"__key__": "a", "png": picture(1), "cls": 3}, {"__key__": "b", "png": picture(2)}])
    assert [entry.get("label") for entry in listed(tmp_path)] == ["3", None]
    assert ["label" in entry for entry in listed(tmp_path, label=None)] == [False, False]


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train-0000.tar", "train"),
        ("Valid_3.tar", "valid"),
        ("dev0.tar", "dev"),
        ("test.tar", "test"),
        ("test/train-0.tar", "test"),
        ("validation/deep/x.tar", "validation"),
        ("training.tar", "training"),
        ("testimonials-0.tar", None),
        ("0.tar", None),
        ("cats/0.tar", None),
    ],
)
def test_splits_by_name(tmp_path, name, split):
    tar(tmp_path / name, ("a.png", picture(1)), ("a.cls", b"x"))
    assert [entry.get("split") for entry in listed(tmp_path)] == [split]
    tar(tmp_path / name, ("a.png", picture(1)), ("a.json", b'{"label": "x", "split": "mine"}'))
    assert [entry.get("split") for entry in listed(tmp_path)] == ["mine"]


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_keys_are_webdatasets(tmp_path, format):
    long = "long" * 20 + "/" + "name" * 20
    names = ["a.png", "dir.v2/b.x.PNG", "ünï#code.png", ".hidden.png", "noextension", "./c.png", long + ".png"]
    tar(tmp_path / "0.tar", *((name, picture(1)) for name in names), ("a.cls", b"x"), format=format)
    container = ShardsContainer(silo(), tmp_path)
    paths = [entry["path"] for entry in container.entries()]
    assert paths == [f"{PATH}/0.tar#{name}" for name in names if base_plus_ext(name)[0]]
    assert len(paths) == 5
    assert all(container.read(path) == picture(1) for path in paths)


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_that_are_not_utf_8_can_be_written_down(tmp_path, format):
    tar(tmp_path / "0.tar", ("a\udcff.png", picture(1)), ("a\udcff.cls", b"x"), format=format)
    container = ShardsContainer(silo(), tmp_path)
    (entry,) = container.entries()
    assert entry["path"].encode()
    assert container.read(entry["path"]) == picture(1)


def test_names_lead_nowhere(tmp_path):
    (tmp_path / "secret.png").write_bytes(picture(9))
    names = ["../secret.png", "/etc/passwd.png", str(tmp_path / "secret.png")]
    tar(tmp_path / "shards/0.tar", *((name, picture(row)) for row, name in enumerate(names)), ("x.cls", b"x"))
    container = ShardsContainer(silo(label=None), tmp_path / "shards")
    paths = [entry["path"] for entry in container.entries() if "bad" not in entry]
    assert [container.read(path) for path in paths] == [picture(row) for row in range(3)]
    assert {path.name for path in tmp_path.rglob("*")} == {"shards", "0.tar", "secret.png"}


def special(name, kind, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def good(key):
    return (f"{key}.png", picture(1)), (f"{key}.cls", b"x")


IRREGULAR = "not a regular file in the shard"
BAD_SAMPLES = {
    "a link": ([special("b.png", tarfile.SYMTYPE, "/etc/passwd")], IRREGULAR),
    "a hard link": ([special("b.png", tarfile.LNKTYPE, "a.png")], IRREGULAR),
    "a device": ([special("b.png", tarfile.CHRTYPE)], IRREGULAR),
    "a pipe": ([special("b", tarfile.FIFOTYPE)], IRREGULAR),
    "a link for a label": ([("b.png", picture(1)), special("b.cls", tarfile.SYMTYPE, "a.cls")], IRREGULAR),
    "twice": ([*good("b"), ("b.png", picture(2))], "the shard has the sample twice"),
    "twice in other letters": ([*good("b"), ("b.PNG", picture(2))], "the shard has the sample twice"),
    "two images": ([*good("b"), ("b.jpg", picture(2))], "the sample has several files of its modality"),
    "no image": ([("b.cls", b"x"), ("b.txt", b"x")], "the sample has no file of its modality"),
    "torn json": ([*good("b"), ("b.json", b'{"label": ')], "its json is not readable"),
    "deep json": ([*good("b"), ("b.json", b"[" * 100_000)], "its json is not readable"),
    "binary json": ([*good("b"), ("b.json", b"\xff\xfe\x00")], "its json is not readable"),
    "a list for json": ([*good("b"), ("b.json", b"[1]")], "its json holds no fields"),
    "a list for a label": ([*good("b"), ("b.json", b'{"label": [1]}')], "its label is not a name"),
    "a fraction for a label": ([*good("b"), ("b.json", b'{"label": 0.5}')], "its label is not a name"),
    "half a character": ([*good("b"), ("b.json", b'{"label": "\\ud800"}')], "its label is not a name"),
    "a huge number": ([*good("b"), ("b.json", b'{"label": 1' + b"0" * 5000 + b"}")], "its json is not readable"),
    "a group of groups": ([*good("b"), ("b.json", b'{"who": {}}')], "its group is not a name"),
    "a binary class": ([("b.png", picture(1)), ("b.cls", b"\xff")], "its text is not UTF-8"),
}  # fmt: skip


@pytest.mark.parametrize(("members", "why"), BAD_SAMPLES.values(), ids=BAD_SAMPLES.keys())
def test_bad_samples_do_not_stop_the_others(tmp_path, members, why):
    who = ("a.json", b'{"who": "ada"}')
    tar(tmp_path / "0.tar", *good("a"), who, *members, *good("c"))
    entries = listed(tmp_path, group="who")
    assert [entry.get("bad") for entry in entries] == [None, why, None]
    assert entries[1]["path"].startswith(f"{PATH}/0.tar#b")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (("b.txt", b"\xff"), "its text is not UTF-8"),
        (("b.txt", b" \n"), "empty text"),
        (("b.json", b'{"text": 3}'), "the sample has no text"),
        (("b.json", b'{"text": "\\udfff"}'), "its text is not Unicode"),
        (("b.jpg", b""), "the sample has no text"),
    ],
)
def test_bad_texts_do_not_stop_the_others(tmp_path, content, why):
    tar(tmp_path / "0.tar", ("a.txt", b"one"), ("a.cls", b"x"), content, ("c.txt", b"three"))
    entries = listed(tmp_path, "text")
    assert [entry.get("bad") for entry in entries] == [None, why, None]
    assert [entry["text"] for entry in entries] == ["one", f"{PATH}/0.tar#b", "three"]


OBJECTS = npy(np.array([{"a": 1}], dtype=object))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no array",
        npy(np.ones((3, 2)))[:-9],
        OBJECTS,
        npy(np.ones(3)),
        npy(np.full((2, 2), "1")),
        npy(np.ones((0, 2))),
    ],
)
def test_bad_arrays_do_not_stop_the_others(tmp_path, content):
    tar(tmp_path / "0.tar", ("a.npy", npy(np.ones((3, 2)))), ("b.npy", content))
    container = ShardsContainer(silo("series", label=None), tmp_path)
    one, two = container.entries()
    assert container.read(one["path"]).shape == (3, 2)
    with pytest.raises(UserError) as caught:
        container.read(two["path"])
    assert caught.value.fix


def test_one_of_several_images_may_be_named(tmp_path):
    tar(tmp_path / "0.tar", ("a.left.png", picture(1)), ("a.right.png", picture(2)), ("a.cls", b"x"))
    assert [entry["path"] for entry in listed(tmp_path, file="right.png")] == [f"{PATH}/0.tar#a.right.png"]


@pytest.mark.parametrize("share", [0.999, 0.95, 0.6, 0.3])
@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_whole_samples_of_a_truncated_shard_are_listed(tmp_path, share, format):
    tar(tmp_path / "0.tar", *(member for key in KEYS for member in good(key)), format=format)
    with tarfile.open(tmp_path / "0.tar") as archive:
        end = archive.getmembers()[-1].offset_data + 512  # before the two blocks of zeros and the padding
    cut = int(share * end)
    (tmp_path / "0.tar").write_bytes((tmp_path / "0.tar").read_bytes()[:cut])
    container = ShardsContainer(silo(), tmp_path)
    *samples, last = container.entries()
    assert last == {"path": f"{PATH}/0.tar", "bad": "the shard is truncated"}
    count = len(samples)
    assert [entry["path"] for entry in samples] == [f"{PATH}/0.tar#{key}.png" for key in KEYS[:count]]
    assert all(entry["label"] == "x" for entry in samples)
    assert all(container.read(entry["path"]) == picture(1) for entry in samples)
    assert count >= int(share * 6) - 1


def test_a_shard_cut_between_two_files_is_truncated(tmp_path):
    tar(tmp_path / "0.tar", *good("a"), *good("b"))
    with tarfile.open(tmp_path / "0.tar") as archive:
        cut = archive.getmembers()[-1].offset  # b.cls begins here
    (tmp_path / "0.tar").write_bytes((tmp_path / "0.tar").read_bytes()[:cut])
    assert [entry.get("bad") for entry in listed(tmp_path)] == [None, "the shard is truncated"]


def test_wrong_bytes_end_a_shard(tmp_path):
    tar(tmp_path / "0.tar", *(member for key in "abcd" for member in good(key)))
    content = bytearray((tmp_path / "0.tar").read_bytes())
    with tarfile.open(tmp_path / "0.tar") as archive:
        at = archive.getmembers()[4].offset
    content[at : at + 300] = b"x" * 300
    (tmp_path / "0.tar").write_bytes(content)
    assert [entry.get("bad") for entry in listed(tmp_path)] == [None, "the shard is damaged"]


NO_TAR = {"empty": b"", "text": b"no tar at all" * 99, "half a header": bytes(100), "an image": picture(1) * 9}


@pytest.mark.parametrize("content", NO_TAR.values(), ids=NO_TAR.keys())
def test_what_is_no_tar(tmp_path, content):
    (tmp_path / "0.tar").write_bytes(content)
    tar(tmp_path / "1.tar", *good("a"))
    entries = listed(tmp_path)
    assert entries[0] == {"path": f"{PATH}/0.tar", "bad": "not a tar file"}
    assert [entry.get("bad") for entry in entries] == ["not a tar file", None]
    with pytest.raises(UserError, match="not a tar file") as caught:
        listed(tmp_path / "0.tar")
    assert str(tmp_path) in caught.value.where
    assert caught.value.fix


@pytest.mark.parametrize("name", ["0.tar.gz", "0.TGZ", "deep/0.tar.zst"])
def test_compressed_shards_are_a_user_error(tmp_path, name):
    tar(tmp_path / "1.tar", *good("a"))
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"x")
    for source in (tmp_path, tmp_path / name):
        with pytest.raises(UserError, match="compressed") as caught:
            listed(source)
        assert caught.value.where
        assert "uncompress" in caught.value.fix


def test_odd_shards_are_bad(tmp_path):
    tar(tmp_path / "outside.tar", *good("a"))
    tar(tmp_path / "shards/1.tar", *good("a"))
    (tmp_path / "shards/0.tar").symlink_to(tmp_path / "outside.tar")
    (tmp_path / "shards/2.tar").symlink_to(tmp_path / "nowhere.tar")
    (tmp_path / "shards/3.tar").mkdir()
    shutil.copy(tmp_path / "outside.tar", tmp_path / "shards/4\udcff.tar")
    bad = [entry.get("bad") for entry in listed(tmp_path / "shards")]
    assert bad == ["leads out of the silo's folder", None, "leads out of the silo's folder", "its name is not UTF-8"]
    assert all(entry["path"].encode() for entry in listed(tmp_path / "shards"))


@pytest.mark.parametrize(
    ("keys", "match"),
    [
        ({"label": "kind"}, "no sample has a label"),
        ({"group": "maker"}, "no sample has a group"),
        ({"modality": "table"}, "no tables"),
    ],
)
def test_what_is_configured_and_nowhere_is_a_user_error(tmp_path, keys, match):
    tar(tmp_path / "0.tar", ("a.png", picture(1)), ("a.json", b'{"label": "x"}'))
    with pytest.raises(UserError, match=match) as caught:
        listed(tmp_path, **keys)
    assert str(tmp_path) in caught.value.where
    assert caught.value.fix


def test_no_shard_is_a_user_error(tmp_path):
    (tmp_path / "README").write_text("no shards")
    with pytest.raises(UserError, match="no shard"):
        listed(tmp_path)


@pytest.mark.parametrize("place", ["/0.tar#b.png", "/1.tar#a.png", "#a.png", "/0.tar#../0.tar", "/0.tar", ""])
def test_what_is_not_there_is_a_user_error(tmp_path, place):
    tar(tmp_path / "0.tar", *good("a"))
    with pytest.raises(UserError, match="not in the shard"):
        ShardsContainer(silo(), tmp_path).read(PATH + place)


def test_a_shard_that_goes_away_is_a_user_error(tmp_path):
    tar(tmp_path / "0.tar", *good("a"))
    container = ShardsContainer(silo(), tmp_path)
    (entry,) = container.entries()
    (tmp_path / "0.tar").write_bytes(b"short")
    with pytest.raises(UserError, match="truncated"):
        container.read(entry["path"])
    (tmp_path / "0.tar").unlink()
    with pytest.raises(UserError, match="cannot be read"):
        container.read(entry["path"])


def test_many_threads_read_the_same(shards):
    container = ShardsContainer(silo(), shards)
    paths = [entry["path"] for entry in container.entries()] * 50
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(container.read, paths)) == [picture(row) for row in range(6)] * 50


def test_shards_far_away(shards):
    far = UPath("memory://bucket/shards")
    for name in ("train-0000.tar", "val/0.tar"):
        (far / name).parent.mkdir(parents=True, exist_ok=True)
        (far / name).write_bytes((shards / name).read_bytes())
    container = ShardsContainer(silo(path="memory://bucket/shards"), far)
    near = ShardsContainer(silo(), shards)
    entries = list(container.entries())
    assert [entry["path"].removeprefix("memory://bucket/shards") for entry in entries] == [
        entry["path"].removeprefix(PATH) for entry in near.entries()
    ]
    assert [container.read(entry["path"]) for entry in entries] == [picture(row) for row in range(6)]
    single = ShardsContainer(silo(path="memory://bucket/shards/val/0.tar"), far / "val/0.tar")
    assert len([single.read(entry["path"]) for entry in single.entries()]) == 2


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 511), st.integers(0, 255)), min_size=1, max_size=5),
)
def test_any_damage_is_an_entry_or_a_user_error(tmp_path, format, changes):
    long = "d" * 60 + "/" + "n" * 60
    tar(
        tmp_path / "0.tar",
        *good("a"),
        *good(long),
        *good("ü"),
        ("b.json", json.dumps({"label": "x"}).encode()),
        format=format,
    )
    content = bytearray((tmp_path / "0.tar").read_bytes())
    for block, place, byte in changes:
        at = (512 * block + place) % len(content)
        content[at] = byte
    for block, _, _ in changes[::2]:  # a header is not even looked at if its sum is wrong
        head = content[512 * block : 512 * block + 512]
        if len(head) == 512:
            head[148:156] = b" " * 8
            content[512 * block + 148 : 512 * block + 156] = b"%06o\0 " % sum(head)
    (tmp_path / "0.tar").write_bytes(content)
    try:
        container = ShardsContainer(silo(label=None), tmp_path / "0.tar")
    except UserError:
        return
    for entry in container.entries():
        assert entry["path"].encode()
        if "bad" not in entry:
            assert isinstance(container.read(entry["path"]), bytes)
