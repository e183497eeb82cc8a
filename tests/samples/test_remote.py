import json
import uuid

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from upath import UPath

from uml_pipeline.errors import UserError
from uml_pipeline.samples import open_container
from uml_pipeline.samples.images import read_image
from uml_pipeline.silo.config import SiloConfig


@pytest.fixture(params=["memory", "file"])
def far(request, tmp_path):
    """A folder of two images by its URL, in memory and on disk."""
    folder = UPath(f"memory://{uuid.uuid4()}/photos" if request.param == "memory" else f"file://{tmp_path}/photos")
    for name in ("cat/1.png", "dog/deep/1.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("wb") as file:
            Image.new("RGB", (8, 8)).save(file, "PNG")
    return folder


def content(sample):
    return sample if isinstance(sample, bytes) else sample.read_bytes()


def far_container(far, path="", modality="image", **keys):
    return open_container(SiloConfig(modality=modality, path=f"{far}{path}", **keys), None)


@pytest.mark.parametrize("end", ["", "/"])
def test_a_folder(far, end):
    (far / "cat/notes.txt").write_text("notes")
    (far / "cat/.hidden.png").write_text("hidden")
    (far / "README.md").write_text("notes")
    container = far_container(far, end)
    entries = list(container.entries())
    assert entries == [
        {"path": f"{far}/cat/1.png", "label": "cat"},
        {"path": f"{far}/cat/notes.txt", "label": "cat", "bad": "unsupported file type"},
        {"path": f"{far}/dog/deep/1.png", "label": "dog"},
    ]
    assert read_image(container.read(f"{far}/cat/1.png")).size == (8, 8)
    assert container.classes() == {"cat", "dog"}


def test_a_folder_with_metadata(far):
    (far / "metadata.csv").write_text("file_name,label,artist\ncat/1.png,lion,ada\ncat/2.png,lion,bob\n../x.png,x,x\n")
    container = far_container(far, group="artist")
    bad, first, second, third = container.entries()
    assert bad["bad"] == "leads out of the silo's folder"
    assert first == {"path": f"{far}/cat/1.png", "label": "lion", "group": "ada"}
    assert third == {"path": f"{far}/dog/deep/1.png", "label": "dog"}
    with pytest.raises(UserError, match="not a file"):
        container.read(second["path"])


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_texts(far, kind):
    frame = pd.DataFrame({"text": ["one", "zwölf"], "label": ["a", "b"]})
    with (far / f"texts.{kind}").open("wb") as file:
        match kind:
            case "csv":
                file.write(frame.to_csv(index=False).encode())
            case "jsonl":
                file.write(b"\n".join(json.dumps(row).encode() for row in frame.to_dict("records")))
            case "parquet":
                frame.to_parquet(file)
    entries = list(far_container(far, f"/texts.{kind}", "text").entries())
    assert entries == [{"text": "one", "label": "a"}, {"text": "zwölf", "label": "b"}]


def test_images_beside_a_table(far):
    lines = ["path,label", "cat/1.png,cat", "cat/2.png,cat", "../secret.png,cat", "/etc/passwd.png,cat", "cat,cat"]
    (far / "manifest.csv").write_text("\n".join(lines))
    (far.parent / "secret.png").write_text("secret")
    container = far_container(far)
    entries = list(container.entries())
    assert [entry.get("bad") for entry in entries] == [
        None, None, "leads out of the silo's folder", "leads out of the silo's folder", "unsupported file type",
    ]  # fmt: skip
    assert entries[0]["path"] == f"{far}/cat/1.png"
    assert content(container.read(entries[0]["path"])) == (far / "cat/1.png").read_bytes()
    for entry in entries[1:]:
        with pytest.raises(UserError):
            container.read(entry["path"])


def test_cells(far):
    (far / "rows.csv").write_text("a,label\n1,x\n2,y\n")
    container = far_container(far, "/rows.csv", "table")
    path = [entry["path"] for entry in container.entries()][1]
    assert path == f"{far}/rows.csv#1"
    assert container.read(path) == {"a": 2}


def test_arrays_must_be_local(far):
    with (far / "one.npy").open("wb") as file:
        np.save(file, np.arange(3.0))
    (far / "rows.csv").write_text("path,label\none.npy,x\n")
    container = far_container(far, "/rows.csv", "vector")
    if far.protocol == "file":
        assert container.read(f"{far}/one.npy").tolist() == [0, 1, 2]
        return
    with pytest.raises(UserError, match="local files only"):
        container.read(f"{far}/one.npy")


def test_links_lead_out_on_disk(tmp_path):
    (tmp_path / "secret.png").touch()
    (tmp_path / "photos/cat").mkdir(parents=True)
    (tmp_path / "photos/cat/1.png").symlink_to(tmp_path / "secret.png")
    (entry,) = far_container(f"file://{tmp_path}/photos").entries()
    assert entry["bad"] == "leads out of the silo's folder"


class Broken(Exception):
    """What only one file system knows."""


def test_a_broken_connection_is_a_user_error(monkeypatch):
    far = UPath(f"memory://{uuid.uuid4()}/photos")
    (far / "cat").mkdir(parents=True)
    (far / "cat/1.png").write_bytes(b"1")
    container = far_container(far)

    def broken(*_, **__):
        raise Broken("connection lost")

    monkeypatch.setattr(far.fs, "cat_file", broken)
    with pytest.raises(UserError, match="cannot be read") as caught:
        container.read(f"{far}/cat/1.png")
    assert "connection lost" in caught.value.where
    monkeypatch.setattr(far.fs, "ls", broken)
    with pytest.raises(UserError, match="connection lost"):
        list(container.entries())
