import json
import os
from collections import Counter

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from uml_pipeline.errors import UserError
from uml_pipeline.samples import open_container
from uml_pipeline.samples.audio import read_audio
from uml_pipeline.samples.folder import FolderContainer
from uml_pipeline.samples.images import read_image
from uml_pipeline.silo.config import SiloConfig


def picture(path, colour="red"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), colour).save(path)


def folder(study, modality="image", **keys):
    return open_container(SiloConfig(modality=modality, path="data/photos", **keys), study)


def listed(container):
    """Entries by their path below the silo, in their order."""
    return {entry.pop("path").removeprefix("data/photos/"): entry for entry in container.entries()}


@pytest.fixture
def photos(tmp_path):
    """Two classes of two images."""
    for name in ("cat/1.png", "cat/2.JPG", "dog/1.webp", "dog/more/2.gif"):
        picture(tmp_path / "data" / "photos" / name)
    return tmp_path / "data" / "photos"


def test_images_are_listed_and_read(tmp_path, photos):
    container = folder(tmp_path)
    assert isinstance(container, FolderContainer)
    assert list(container.entries()) == [
        {"path": "data/photos/cat/1.png", "label": "cat"},
        {"path": "data/photos/cat/2.JPG", "label": "cat"},
        {"path": "data/photos/dog/1.webp", "label": "dog"},
        {"path": "data/photos/dog/more/2.gif", "label": "dog"},
    ]
    for entry in container.entries():
        assert read_image(container.read(entry["path"])).size == (8, 8)


def test_sounds_are_listed_and_read(tmp_path):
    wave = np.random.default_rng(0).normal(0, 0.1, 800)
    for name in ("bark/1.wav", "bark/2.flac", "purr/1.ogg"):
        (tmp_path / "data/photos" / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "data/photos" / name, wave, 8000)
    picture(tmp_path / "data/photos/purr/spectrum.png")
    container = folder(tmp_path, "audio")
    assert listed(container)["purr/spectrum.png"] == {"label": "purr", "bad": "unsupported file type"}
    good = [entry["path"] for entry in container.entries() if "bad" not in entry]
    assert [read_audio(container.read(path))[1] for path in good] == [8000] * 3


def test_paths_come_in_their_own_order(tmp_path, photos):
    for name in ("cat-like/1.png", "cat.png", "cat 2/1.png", "dog/more.png", "dog/more-2.png"):
        picture(photos / name)
    names = list(listed(folder(tmp_path)))
    assert len(names) == 9
    assert names == sorted(names)


def test_classes_without_samples_are_known(tmp_path, photos):
    (photos / "bird").mkdir()
    (photos / ".git").mkdir()
    (photos / "elsewhere").symlink_to(tmp_path)
    assert folder(tmp_path).classes() == {"bird", "cat", "dog"}
    assert folder(tmp_path, label=None).classes() == set()


def test_a_silo_without_labels(tmp_path, photos):
    assert all(entry == {} for entry in listed(folder(tmp_path, label=None)).values())


@pytest.mark.parametrize("names", [("train", "val", "test"), ("Train", "Valid"), ("training", "validation", "testing")])
def test_folders_of_splits_are_no_classes(tmp_path, names):
    for name in names:
        picture(tmp_path / "data/photos" / name / "cat" / "1.png")
        picture(tmp_path / "data/photos" / name / "dog" / "deep" / "1.png")
        picture(tmp_path / "data/photos" / name / "loose.png")
    (tmp_path / "data/photos/empty").mkdir()
    (tmp_path / "data/photos" / names[0] / "bird").mkdir()
    (tmp_path / "data/photos" / names[0] / "README.md").touch()
    container = folder(tmp_path)
    entries = listed(container)
    assert len(entries) == 3 * len(names)
    for name in names:
        assert entries[f"{name}/cat/1.png"] == {"label": "cat", "split": name}
        assert entries[f"{name}/dog/deep/1.png"] == {"label": "dog", "split": name}
        assert entries[f"{name}/loose.png"] == {"split": name}
    assert container.classes() == {"bird", "cat", "dog"}


def test_a_class_may_be_called_like_a_split(tmp_path, photos):
    picture(photos / "test" / "1.png")
    assert listed(folder(tmp_path))["test/1.png"] == {"label": "test"}


def test_metadata_adds_label_group_and_split(tmp_path, photos):
    lines = ["file_name,label,split,author", "cat/1.png,NA,dev,ada", "./dog/1.webp,,Test,bob"]
    (photos / "metadata.csv").write_text("\n".join(lines))
    container = folder(tmp_path, group="author")
    entries = listed(container)
    assert entries["cat/1.png"] == {"label": "NA", "split": "dev", "group": "ada"}  # a word, no absent value
    assert entries["dog/1.webp"] == {"label": "", "split": "Test", "group": "bob"}
    assert entries["dog/more/2.gif"] == {"label": "dog"}
    assert container.classes() == set()  # labels are not the folders' names


def test_metadata_as_hugging_face_writes_it(tmp_path):
    for split in ("train", "test"):
        picture(tmp_path / "data/photos" / split / "1.png")
        line = {"file_name": "1.png", "label": 7, "caption": "a cat"}
        (tmp_path / "data/photos" / split / "metadata.jsonl").write_text(json.dumps(line))
    entries = listed(folder(tmp_path))
    assert entries == {f"{split}/1.png": {"label": "7", "split": split} for split in ("test", "train")}


def test_what_is_damaged_does_not_stop_the_others(tmp_path, photos):
    whole = (photos / "cat/1.png").read_bytes()
    (photos / "cat/cut.png").write_bytes(whole[:40])
    (photos / "cat/empty.png").touch()
    (photos / "cat/notes.txt").touch()
    (photos / "cat/folder.png").mkdir()
    (photos / "cat/.hidden.png").touch()
    (photos / ".hidden").mkdir()
    picture(photos / ".hidden" / "1.png")
    (photos / "README.md").touch()
    (tmp_path / "secret.png").write_bytes(whole)
    (photos / "cat/out.png").symlink_to(tmp_path / "secret.png")
    (photos / "cat/in.png").symlink_to(photos / "dog/1.webp")
    (photos / "cat/dead.png").symlink_to("nowhere.png")
    (photos / "cat/loop.png").symlink_to("loop.png")
    (photos / "cat/dogs").symlink_to(photos / "dog")
    (photos / "elsewhere").symlink_to(tmp_path)
    os.mkfifo(photos / "cat/pipe.png")
    (photos / "metadata.csv").write_text(
        "file_name\n../../secret.png\ncat/gone.png\n/etc/passwd\nelsewhere/secret.png\n"
    )
    container = folder(tmp_path)
    reasons = Counter()
    good = []
    for entry in container.entries():
        try:
            if "bad" not in entry:
                read_image(container.read(entry["path"]))
                good.append(entry["path"].removeprefix("data/photos/"))
        except UserError as error:
            assert error.where
            assert error.fix
            entry["bad"] = error.what
        reasons[entry.get("bad")] += 1
    assert good == ["cat/1.png", "cat/2.JPG", "cat/in.png", "dog/1.webp", "dog/more/2.gif"]
    assert reasons == {
        None: 5,
        "leads out of the silo's folder": 5,  # two links, three lines of the metadata
        "not a file": 5,  # dead, loop, dogs, pipe, gone
        "not a readable image": 2,
        "unsupported file type": 1,
    }


def test_a_name_that_is_no_text(tmp_path, photos):
    os.mkdir(os.fsencode(photos) + b"/caf\xe9")  # noqa: PTH102
    with open(os.fsencode(photos) + b"/caf\xe9/1.png", "wb"):  # noqa: PTH123
        pass
    container = folder(tmp_path)
    bad = [entry for entry in container.entries() if "bad" in entry]
    assert bad == [{"path": "data/photos/caf?/1.png", "bad": "its name is not UTF-8"}]
    assert container.classes() == {"cat", "dog"}


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("data/photos/../../secret.png", "leads out of the silo's folder"),
        ("data/photos/cat/../../../secret.png", "leads out of the silo's folder"),
        ("data/photos//etc/passwd", "leads out of the silo's folder"),
        ("/etc/passwd", "not in the silo's folder"),
        ("data/photos/cat", "not a file"),
        ("data/photos/cat/\0.png", "not a file"),
        (f"data/photos/{'x' * 5000}", "not a file"),
        ("data/photos/", "not a file"),
    ],
)
def test_other_paths_are_refused(tmp_path, photos, path, what):
    (tmp_path / "secret.png").touch()
    with pytest.raises(UserError) as caught:
        folder(tmp_path).read(path)
    assert caught.value.what == what
    assert caught.value.where
    assert caught.value.fix


@given(st.text(st.sampled_from("./a~\\"), max_size=12))
def test_no_path_leads_out(tmp_path_factory, name):
    study = tmp_path_factory.mktemp("study")
    (study / "data/photos/a").mkdir(parents=True)
    (study / "data/photos/a/a").touch()
    (study / "data/a").touch()
    (study / "a").touch()
    try:
        read = folder(study).read(f"data/photos/{name}")
    except UserError:
        return
    assert read.resolve().is_relative_to(study / "data/photos")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"file_name,author\ncaf\xe9.png,ada\n", "cannot be read"),
        (b"file_name,author\ncat/1.png,ada,bob,cem\n", "cannot be read"),
        (b'file_name,author\n"cat/1.png,ada\n', "cannot be read"),
        (b"name,author\ncat/1.png,ada\n", "no file column 'file_name'"),
        (b"file_name,painter\ncat/1.png,ada\n", "no group column 'author'"),
        (b"file_name,author,author\ncat/1.png,ada,bob\n", "stands twice"),
        (b"\xff\xfef\0i\0", "cannot be read"),
    ],
)
def test_damaged_metadata_is_refused(tmp_path, photos, content, words):
    (photos / "metadata.csv").write_bytes(content)
    with pytest.raises(UserError, match=words) as caught:
        list(folder(tmp_path, group="author").entries())
    assert "metadata.csv" in caught.value.where
    assert caught.value.fix


def test_a_group_needs_metadata(tmp_path, photos):
    with pytest.raises(UserError, match=r"file_name,artist"):
        list(folder(tmp_path, group="artist").entries())


def test_an_empty_folder_has_no_entries(tmp_path):
    (tmp_path / "data/photos/train/cat").mkdir(parents=True)
    assert list(folder(tmp_path).entries()) == []
    assert folder(tmp_path).classes() == {"cat"}


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "photos").touch()
    with pytest.raises(UserError, match="must be a folder"):
        FolderContainer(SiloConfig(modality="image", path="data/photos"), tmp_path / "data/photos")


@pytest.mark.parametrize("modality", ["text", "table", "series", "vector"])
def test_other_modalities_have_no_folders(tmp_path, photos, modality):
    with pytest.raises(UserError, match=f"unsupported file type for a {modality} silo"):
        folder(tmp_path, modality)


def test_a_silo_may_be_the_study_itself_or_far_from_it(tmp_path, photos):
    for study, path in ((photos, "."), (photos / "cat", ".."), (tmp_path, str(photos)), (tmp_path, "./data//photos/")):
        container = open_container(SiloConfig(modality="image", path=path), study)
        paths = [entry["path"] for entry in container.entries()]
        assert len(paths) == 4
        assert [container.read(one).resolve() for one in paths] == [(study / one).resolve() for one in paths]


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("modality", "path", "count", "classes"),
    [("image", "caltech50/image_silo/images", 3135, 50), ("audio", "esc10/audio_silo/audio", 400, 10)],
)
def test_real_folders(data_dir, modality, path, count, classes):
    container = open_container(SiloConfig(modality=modality, path=path), data_dir / "datasets")
    entries = list(container.entries())
    assert len(entries) == count
    assert not any("bad" in entry for entry in entries)
    assert {entry["label"] for entry in entries} == container.classes()
    assert len(container.classes()) == classes
    sample = container.read(entries[-1]["path"])
    assert read_image(sample).width if modality == "image" else len(read_audio(sample)[0])
