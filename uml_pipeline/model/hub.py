"""A model's folder is a repository of the Hugging Face hub: put it there, fetch it from there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from uml_pipeline.errors import UserError
from uml_pipeline.extras import optional
from uml_pipeline.features.hub_reach import impatient

PREFIX = "hf://"
_FILES = ["*.safetensors", "*.json", "*.md", "*.txt", "*.model", "*.sig"]  # nothing that could execute


def fetched(path: Path | str) -> Path:
    """The folder itself, or of `hf://user/name[@revision]` what the hub (or its local cache) has: data files alone.

    Raises:
        UserError: the hub cannot be reached, or has no such repository.
    """
    if not str(path).startswith(PREFIX):
        return Path(path)
    name, _, revision = str(path).removeprefix(PREFIX).partition("@")
    with _asking(str(path), "check the name and the network; a private one: `hf auth login`"):
        from huggingface_hub import snapshot_download

        with impatient(f"model {name!r}", "copy the model's folder here"):
            return Path(snapshot_download(name, revision=revision or None, allow_patterns=_FILES))


def push(folder: Path, repository: str, *, private: bool = False) -> str:
    """Upload a model's folder as `user/name`, which is made if need be; the address of the commit.

    Raises:
        UserError: it is no model, the hub refuses it or cannot be reached.
    """
    from uml_pipeline.model.folder import model_hash
    from uml_pipeline.model.unimodal import UnimodalModel

    UnimodalModel.load(folder)  # a damaged one stays here
    with _asking(
        repository, "check the network, and log in: `hf auth login`, with a token that may write; the name is USER/NAME"
    ):
        from huggingface_hub import HfApi

        api = HfApi()
        api.create_repo(repository, private=private, exist_ok=True)
        said = f"Model {model_hash(folder)[:12]}"
        return str(api.upload_folder(repo_id=repository, folder_path=folder, commit_message=said))


@contextmanager
def _asking(where: str, fix: str) -> Iterator[None]:
    with optional():
        from huggingface_hub.errors import HTTPError  # of whichever library it speaks to the network with
    try:
        yield
    except (HTTPError, OSError, ValueError) as error:  # ValueError: of a name that it does not allow
        why = (str(error) or repr(error)).strip().splitlines()[0]
        raise UserError("the Hugging Face hub refuses", where=f"{where}: {why}", fix=fix) from None
