"""A model's folder as a repository of the hub: what is sent, what is fetched. The hub itself is played."""

import shutil

import huggingface_hub
import pytest
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from tests.model.shipped import pictures, shipped
from uml_pipeline.errors import UserError
from uml_pipeline.model import UnimodalModel
from uml_pipeline.model.folder import model_hash
from uml_pipeline.model.hub import push


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Repositories as folders: what the real one does with the arguments that it is given."""
    root = tmp_path / "hub"

    class Api:
        def create_repo(self, repo_id, *, private, exist_ok):
            (root / repo_id).mkdir(parents=True, exist_ok=exist_ok)
            (root / repo_id / f".{'private' if private else 'public'}").touch()

        def upload_folder(self, *, repo_id, folder_path, commit_message):
            shutil.copytree(folder_path, root / repo_id, dirs_exist_ok=True)
            return f"https://hub/{repo_id} {commit_message}"

    def snapshot_download(repo_id, *, revision, allow_patterns):
        if not (root / repo_id).is_dir():
            raise LocalEntryNotFoundError("no such repository")
        names = [path.name for path in (root / repo_id).iterdir()]
        kept = huggingface_hub.utils.filter_repo_objects(names, allow_patterns=allow_patterns)
        fetched = tmp_path / f"fetched-{revision}"
        fetched.mkdir()
        for name in kept:
            shutil.copy(root / repo_id / name, fetched / name)
        return str(fetched)

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return root


def test_there_and_back(hub, tmp_path):
    model, paths = shipped(tmp_path / "model", "image", "builtin/emoji"), pictures(tmp_path / "new", 3)
    assert push(model, "someone/shapes", private=True) == f"https://hub/someone/shapes Model {model_hash(model)[:12]}"
    assert (hub / "someone/shapes/.private").exists()
    (hub / "someone/shapes/run_me.py").write_text("never fetched")
    (hub / "someone/shapes/weights.pkl").write_text("never fetched")
    opened = UnimodalModel.load("hf://someone/shapes@v1")
    assert opened.folder.name == "fetched-v1"
    assert {path.name for path in opened.folder.iterdir()} == {
        "config.json", "labels.json", "model.safetensors", "fingerprint.json"
    }  # fmt: skip
    assert opened.predict(paths).tolist() == UnimodalModel.load(model).predict(paths).tolist()
    assert UnimodalModel.load("hf://someone/shapes").folder.name == "fetched-None"


def test_what_the_hub_does_not_give_or_take_is_told(hub, tmp_path, monkeypatch):
    with pytest.raises(UserError, match="someone/nothing"):
        UnimodalModel.load("hf://someone/nothing")
    damaged = shipped(tmp_path / "damaged", "image", "builtin/emoji")
    (damaged / "labels.json").write_text("[]")
    with pytest.raises(UserError, match=r"labels.json was changed"):
        push(damaged, "someone/damaged")
    assert not hub.exists()

    def refuse(*_, **__):
        import httpx2

        request = httpx2.Request("POST", "https://hub")
        raise HfHubHTTPError("401 Unauthorized", response=httpx2.Response(401, request=request))

    monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", refuse)
    with pytest.raises(UserError, match="hf auth login"):
        push(shipped(tmp_path / "model", "image", "builtin/emoji"), "someone/shapes")
