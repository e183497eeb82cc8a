"""A model's signature by an SSH key, as OpenSSH makes and checks it."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.model.shipped import shipped
from uml_pipeline.errors import UserError
from uml_pipeline.model import UnimodalModel
from uml_pipeline.model.signature import sign, signer
from uml_pipeline.workspace import seal

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return shipped(tmp_path / "model", "vector", "vectors", {"dim": 4, "origin": "a"})


@pytest.fixture
def key(tmp_path: Path) -> Callable[[str], tuple[Path, Path]]:
    """`key("ada")`: a new private key, and a file of allowed signers that knows ada alone."""

    def make(name: str) -> tuple[Path, Path]:
        private, signers = tmp_path / name, tmp_path / f"{name}.signers"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", private], check=True)
        signers.write_text(f"{name}@example.org {private.with_suffix('.pub').read_text()}")
        return private, signers

    return make


def test_who_signed_is_told(model: Path, key: Callable[[str], tuple[Path, Path]]) -> None:
    private, signers = key("ada")
    with pytest.raises(UserError, match="not signed"):
        signer(model, signers)
    for _ in range(2):  # again is no question
        assert sign(model, private) == model / "fingerprint.json.sig"
        assert signer(model, signers) == "ada@example.org"
    UnimodalModel.load(model)


def test_a_stranger_s_signature_is_refused(model: Path, key: Callable[[str], tuple[Path, Path]]) -> None:
    (ada, _), (_, signers) = key("ada"), key("eve")
    sign(model, ada)
    with pytest.raises(UserError, match="know who signed") as error:
        signer(model, signers)
    assert str(signers) in error.value.fix


def test_a_forged_seal_is_refused(model: Path, key: Callable[[str], tuple[Path, Path]]) -> None:
    """Whoever rewrites the folder can seal it again, but not sign for ada."""
    private, signers = key("ada")
    sign(model, private)
    (model / "labels.json").write_text('["green", "blue", "red"]')
    with pytest.raises(UserError, match=r"labels.json was changed"):
        signer(model, signers)
    seal(model)
    with pytest.raises(UserError, match="refuses to vouch") as error:
        signer(model, signers)
    assert "incorrect signature" in error.value.where


@pytest.mark.parametrize("content", ["", "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"])
def test_a_damaged_signature_is_refused(model: Path, key: Callable[[str], tuple[Path, Path]], content: str) -> None:
    private, signers = key("ada")
    sign(model, private).write_text(content)
    with pytest.raises(UserError, match="know who signed"):
        signer(model, signers)


def test_a_signature_for_another_purpose_is_none(model: Path, key: Callable[[str], tuple[Path, Path]]) -> None:
    private, signers = key("ada")
    command = ["ssh-keygen", "-q", "-Y", "sign", "-f", private, "-n", "file", model / "fingerprint.json"]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    with pytest.raises(UserError, match="refuses to vouch"):
        signer(model, signers)


def test_what_cannot_be_signed_is_told(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="refuses to sign") as error:
        sign(model, tmp_path / "nowhere")
    assert "No such file" in error.value.where
    (model / "labels.json").write_text("[]")
    with pytest.raises(UserError, match=r"labels.json was changed"):
        sign(model, tmp_path / "nowhere")
    seal(model)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="no ssh-keygen"):
        sign(model, tmp_path / "nowhere")
