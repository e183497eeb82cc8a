"""No way to the model hub: said at once, and its cache is read all the same."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from assets.faults import transient
from tests.features.test_audio_hub import save, silo
from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder, hub_reach
from uml_pipeline.silo.config import SiloConfig


@pytest.fixture(autouse=True)
def cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that refuses, an empty cache, and nobody who waits before another try."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail("waited"))


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes calls and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    ("encoder", "way_out"),
    [("timm/vit_small_patch14_dinov2.lvd142m", "`checkpoint:`"), ("transformers/someone/net", "transformers/<folder>")],
)
def test_what_the_cache_lacks_is_told_at_once(encoder: str, way_out: str) -> None:
    config = SiloConfig(modality="image", path="x", encoder=encoder)
    with pytest.raises(UserError, match="the model hub cannot be reached") as caught:
        create_encoder(config)
    assert "refused" in caught.value.where
    assert way_out in caught.value.fix
    assert transient(caught.value), "Dagster tries again later"


def test_what_the_cache_has_is_used(tmp_path: Path) -> None:
    repository = tmp_path / "cache" / "models--someone--net"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("a" * 40)
    save(repository / "snapshots" / ("a" * 40), "hubert")
    assert create_encoder(silo("someone/net")).dim == 16


def test_nobody_answers(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", silent)
    monkeypatch.setattr(hub_reach, "_PATIENCE", 0.1)
    assert "timed out" in str(hub_reach.unreachable())


def test_told_to_stay_offline_no_hub_is_asked(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", silent)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in str(hub_reach.unreachable())
