"""What every frozen encoder promises, and how one is made from its name in params.yaml."""

import difflib
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from uml_pipeline.errors import UserError
from uml_pipeline.silo.config import Modality

Sample = Path | str
Batch = tuple[list[int], np.ndarray]
"""Indices into the samples asked for, and their vectors: float32 [len(indices), dim]."""
WEIGHTS = "encoder.safetensors"
_BUILTIN = ("builtin/emoji", "builtin/minilm")


class Encoder(ABC):
    """A frozen map from raw samples to vectors. A sample's bits never depend on the samples encoded beside it."""

    name: str
    """As in params.yaml."""
    modality: Modality
    dim: int
    """Width of its vectors."""
    space: str
    """Encoders of the same space put the same meaning at the same place: a head serves both without a projection."""
    fingerprint: str
    """Hex digest of weights, preprocessing and architecture: same fingerprint, same vectors."""

    @abstractmethod
    def batches(self, samples: Sequence[Sample]) -> Iterator[Batch]:
        """Encode paths of images, or texts, in whatever order suits; every sample comes once.

        Raises:
            UserError: an image cannot be read.
        """

    @abstractmethod
    def export(self, folder: Path) -> None:
        """Write into `folder` what `load_encoder` needs besides `describe`, unless an installed package has it."""

    def encode(self, samples: Sequence[Sample]) -> np.ndarray:
        """Vectors of all samples, in their order: float32 [sample, dim]."""
        vectors = np.empty((len(samples), self.dim), np.float32)
        for indices, batch in self.batches(samples):
            vectors[indices] = batch
        return vectors

    def describe(self) -> dict[str, Any]:
        """The encoder in words and numbers, for config.json files."""
        return {
            "encoder": self.name,
            "modality": self.modality,
            "dim": self.dim,
            "space": self.space,
            "fingerprint": self.fingerprint,
        }


class EncoderConfig(Protocol):
    """The part of a silo's configuration that names an encoder."""

    @property
    def encoder(self) -> str: ...  # noqa: D102
    @property
    def modality(self) -> Modality: ...  # noqa: D102
    @property
    def checkpoint(self) -> str | None: ...  # noqa: D102


def list_encoders() -> list[str]:
    """What `encoder` in params.yaml may be; the last two are patterns."""
    return [*_BUILTIN, "timm/<name>", "transformers/<name or folder>"]


def create_encoder(config: EncoderConfig, folder: Path = Path()) -> Encoder:
    """The encoder that a silo's configuration names; local paths in it are relative to `folder` (the study's).

    Raises:
        UserError: no such encoder, one of another modality, or its weights cannot be had.
    """
    checkpoint = folder / config.checkpoint if config.checkpoint else None
    encoder = _create(config.encoder, folder, checkpoint)
    if encoder.modality != config.modality:
        raise UserError(
            f"encoder {config.encoder!r} reads {encoder.modality}s, but the silo's modality is {config.modality}",
            where=f"encoder: {config.encoder}",
            fix="correct `encoder` or `modality` in params.yaml",
        )
    return encoder


def load_encoder(description: Mapping[str, Any], folder: Path) -> Encoder:
    """The encoder that `describe` described, from the folder that `export` wrote into: no hub, no study.

    Raises:
        UserError: the folder or the installed package holds other weights than described.
    """
    weights = folder / WEIGHTS
    encoder = _create(description["encoder"], folder, weights if weights.is_file() else None, exported=True)
    if encoder.fingerprint != description["fingerprint"]:
        raise UserError(
            f"encoder {encoder.name!r} is not the one this model was trained with: its weights or preprocessing differ",
            where=str(folder),
            fix="install the package versions that the model's lineage names, or train again",
        )
    return encoder


def _create(name: str, folder: Path, checkpoint: Path | None, *, exported: bool = False) -> Encoder:
    family, _, rest = name.partition("/")
    if name == "builtin/emoji":
        from uml_pipeline.features.emoji import EmojiEncoder

        return EmojiEncoder()
    if name == "builtin/minilm":
        from uml_pipeline.features.minilm import MiniLMEncoder

        return MiniLMEncoder()
    if family == "timm" and rest:
        from uml_pipeline.features.timm_images import TimmEncoder

        return TimmEncoder(name, checkpoint)
    if family == "transformers" and rest:
        from uml_pipeline.features.transformers_text import EXPORTED, TransformersEncoder

        local = folder / (EXPORTED if exported else rest)
        return TransformersEncoder(name, local if local.is_dir() else rest)
    raise unknown(name, list_encoders())


def unknown(name: str, known: list[str]) -> UserError:
    """The error for a name that nobody knows, with near ones."""
    near = difflib.get_close_matches(name, known, n=3) or known[:5]
    fix = f"use one of: {', '.join(near)}"
    return UserError(f"unknown encoder {name!r}", where="`encoder` in params.yaml", fix=fix)


def digest(parts: Iterable[bytes]) -> str:
    """Hex sha256 over parts, each preceded by its length: no two lists of parts run together."""
    hasher = hashlib.sha256()
    for part in parts:
        hasher.update(len(part).to_bytes(8, "little"))
        hasher.update(part)
    return hasher.hexdigest()
