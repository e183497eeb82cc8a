"""What every frozen encoder promises, and how one is made from its name in params.yaml."""

import difflib
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from urllib.parse import parse_qsl

import numpy as np
import yaml

from uml_pipeline.errors import UserError
from uml_pipeline.samples import Sample
from uml_pipeline.silo.config import Modality

if TYPE_CHECKING:
    from torch import Tensor, nn

WEIGHTS = "encoder.safetensors"
TRAINED = "encoder."
"""Begins the names of an encoder's trained weights, where they stand among other tensors."""


@dataclass(frozen=True)
class Spec:
    """What an encoder is made from. `encoder: family/rest?option=value` in params.yaml."""

    name: str
    modality: Modality
    folder: Path
    """Local paths are relative to it: the study, or the folder that `export` wrote into."""
    checkpoint: Path | None = None
    flip: bool = False
    crops: int = 0
    fitted: Mapping[str, Any] | None = None
    """What `fit` learnt from the training samples, for encoders that do."""
    exported: bool = False
    """Made again from what `export` wrote: no hub, no study."""

    @property
    def family(self) -> str:
        """What stands before the first slash: the name of an entry point."""
        return self.name.partition("/")[0]

    @property
    def rest(self) -> str:
        """What stands between the first slash and the question mark."""
        return self.name.partition("/")[2].partition("?")[0]

    @property
    def options(self) -> dict[str, Any]:
        """What follows the question mark, each value read as YAML.

        Raises:
            UserError: a value is no YAML.
        """
        try:
            pairs = parse_qsl(self.name.partition("?")[2], keep_blank_values=True)
            return {key: yaml.safe_load(value) for key, value in pairs}
        except yaml.YAMLError as error:
            where, fix = f"encoder: {self.name}", "write `?key=value&key=value`, lists as `[1, 2]`"
            raise UserError(f"an option cannot be read: {error}", where=where, fix=fix) from None

    def chosen(self, *known: str) -> dict[str, Any]:
        """The options of an encoder that knows these.

        Raises:
            UserError: there are others.
        """
        options = self.options
        for wrong in options.keys() - {*known}:
            fix = f"use {' or '.join(f'`{one}`' for one in known)}" if known else "remove what follows the `?`"
            raise UserError(f"unknown option {wrong!r}", where=f"encoder: {self.name}", fix=fix)
        return options


class Encoder(ABC):
    """A frozen map from raw samples to vectors. A sample's bits never depend on the samples encoded beside it.

    A new encoder sets the attributes, and writes `prepare` and, if it has a network, `net` and `compute`. The engine
    (extract.py) calls `prepare` in threads, stacks what has one shape into batches of `size(shape)`, and calls
    `compute` on the device. Its family's name is an entry point of the group `uml_pipeline.encoders`: a callable that
    takes a Spec.
    """

    name: str
    """As in params.yaml."""
    modality: Modality
    dim: int
    """Width of its vectors."""
    views: int = 1
    """Vectors of one sample; the first is that of the sample as it is."""
    space: str
    """Encoders of the same space put the same meaning at the same place: a head serves both without a projection."""
    fingerprint: str
    """Hex digest of weights, revision, preprocessing and architecture, not of the views: same fingerprint, same
    vectors."""
    chunk: int = 8
    """How many samples one call of `prepare` is given; texts are tokenised many at a time."""
    fits: ClassVar[bool] = False
    """Whether `fit` must see the training samples first."""
    fitted: Mapping[str, Any] | None = None
    """What `fit` gave, as it came in the Spec."""
    sequential: ClassVar[bool] = False
    """Whether `sequences` gives more than the vector."""
    stepwise: ClassVar[bool] = False
    """Whether `states` gives what the network makes of a sample's parts."""
    net: "nn.Module | None" = None
    """The network, if there is one: the engine moves it to the device. A cached_property loads it when first asked."""

    @abstractmethod
    def prepare(self, samples: Sequence[Sample]) -> "Sequence[Tensor]":
        """Decode and preprocess; one tensor a sample, of any shape. Runs in several threads at once.

        Raises:
            UserError: a sample cannot be read.
        """

    def size(self, shape: tuple[int, ...]) -> int:
        """How many prepared samples of this shape make a batch. Batches are filled up to exactly that: kernels, and
        with them the last bits of a result, are chosen by shape.
        """
        return 8

    def compute(self, batch: "Tensor") -> "Tensor":
        """Vectors of prepared samples on the device: [sample, *shape] -> [sample, view, dim] or [sample, dim]."""
        return batch

    def states(self, batch: "Tensor", longest: int) -> "Tensor":
        """The network's own vectors of the parts of prepared samples, before anything is pooled, at most `longest` of
        each sample: [sample, *shape] -> [sample, step, d]. For encoders that are `stepwise`.
        """
        raise NotImplementedError

    def fit(self, samples: Iterable[Sample]) -> dict[str, Any]:
        """Learn from the training samples what `prepare` needs (means, categories), for encoders with `fits`: plain
        JSON that comes back as `Spec.fitted`.
        """
        raise NotImplementedError

    def export(self, folder: Path) -> None:  # noqa: B027
        """Write into `folder` what `load_encoder` needs besides `describe`, unless an installed package has it."""

    def encode(self, samples: Sequence[Sample]) -> np.ndarray:
        """Vectors of all samples as they are, in their order: float32 [sample, dim]."""
        from uml_pipeline.features.extract import batches

        vectors = np.empty((len(samples), self.dim), np.float32)
        for indices, batch in batches(self, samples):
            vectors[indices] = batch[:, 0]
        return vectors

    def sequences(self, samples: Sequence[Sample]) -> "list[Tensor]":
        """Samples as sequences, before anything is pooled: float [step, d], or tokens [step]. By default the vector is
        the only step. Same fingerprint, same sequences. Runs in several threads at once where `sequential`.

        Raises:
            UserError: a sample cannot be read.
        """
        import torch

        return list(torch.from_numpy(self.encode(samples))[:, None])

    def describe(self) -> dict[str, Any]:
        """The encoder in words and numbers, for config.json files."""
        return {
            "encoder": self.name,
            "modality": self.modality,
            "dim": self.dim,
            "space": self.space,
            "fingerprint": self.fingerprint,
        } | ({"fitted": dict(self.fitted)} if self.fitted is not None else {})


class EncoderConfig(Protocol):
    """The part of a silo's configuration that names an encoder."""

    @property
    def encoder(self) -> str: ...  # noqa: D102
    @property
    def modality(self) -> Modality: ...  # noqa: D102
    @property
    def checkpoint(self) -> str | None: ...  # noqa: D102
    @property
    def flip(self) -> bool: ...  # noqa: D102
    @property
    def crops(self) -> int: ...  # noqa: D102


_SHOWN = 12  # of the names that there are: all of ours; timm has a thousand
_FAMILIES = {
    "builtin": "uml_pipeline.features.builtin:create",
    "vectors": "uml_pipeline.features.vectors:VectorsEncoder",
    "timm": "uml_pipeline.features.timm_images:TimmEncoder",
    "transformers": "uml_pipeline.features.hub:create",
}
GROUP = "uml_pipeline.encoders"
"""Entry points of this group add families: `family = "package.module:callable"`, called with a Spec."""


def list_encoders() -> list[str]:
    """What `encoder` in params.yaml may be; those in angle brackets are patterns. Installed plug-ins come last."""
    from uml_pipeline.features.builtin import NAMES

    plugins = [f"{name}/<...>" for name in sorted(_plugins())]
    return [*NAMES, "vectors", "timm/<name>", "transformers/<name or folder>", *plugins]


def create_encoder(config: EncoderConfig, folder: Path = Path(), fitted: Mapping[str, Any] | None = None) -> Encoder:
    """The encoder that a silo's configuration names; local paths in it are relative to `folder` (the study's).

    `fitted` is what an earlier `fit` gave; without it, an encoder that `fits` can do nothing but `fit`.

    Raises:
        UserError: no such encoder, one of another modality, or its weights cannot be had.
    """
    checkpoint = folder / config.checkpoint if config.checkpoint else None
    spec = Spec(config.encoder, config.modality, folder, checkpoint, config.flip, config.crops, fitted)
    encoder = _create(spec)
    if encoder.modality != config.modality:
        raise UserError(
            f"encoder {config.encoder!r} reads {encoder.modality}s, but the silo's modality is {config.modality}",
            where=f"encoder: {config.encoder}",
            fix="correct `encoder` or `modality` in params.yaml",
        )
    if encoder.views != 1 + config.flip + config.crops:
        fix = "remove `flip` and `crops` from this silo"
        raise UserError(f"encoder {config.encoder!r} has no further views", where=f"encoder: {config.encoder}", fix=fix)
    return encoder


def check_encoder(config: EncoderConfig, folder: Path = Path()) -> None:
    """Refuse what `create_encoder` would, as far as names tell: no weights are read, and no hub is asked.

    Raises:
        UserError: no such encoder, or its checkpoint is not there.
    """
    spec = Spec(config.encoder, config.modality, folder)
    _require_family(spec)
    _require_name(spec)
    if config.checkpoint and not (folder / config.checkpoint).exists():
        raise no_checkpoint(folder / config.checkpoint)


def no_checkpoint(path: Path) -> UserError:
    """What the user is told of a `checkpoint` that is not there."""
    fix = "correct `checkpoint` in params.yaml: it is relative to the study"
    return UserError("there is no such checkpoint", where=str(path), fix=fix)


def load_encoder(description: Mapping[str, Any], folder: Path) -> Encoder:
    """The encoder that `describe` described, from the folder that `export` wrote into: no hub, no study. It gives one
    vector a sample, whatever views the training had.

    Raises:
        UserError: the folder or the installed package holds other weights than described.
    """
    encoder = reopen(description, folder)
    if encoder.fingerprint != description["fingerprint"]:
        raise UserError(
            f"encoder {encoder.name!r} is not the one this model was trained with: its weights or preprocessing differ",
            where=str(folder),
            fix="install the package versions that the model's lineage names, or train again",
        )
    return encoder


def reopen(description: Mapping[str, Any], folder: Path) -> Encoder:
    """As `load_encoder`, with whatever weights are there: nobody has described those of a training yet.

    Raises:
        UserError: the folder holds no such encoder.
    """
    weights = folder / WEIGHTS
    spec = Spec(
        name=description["encoder"],
        modality=description["modality"],
        folder=folder,
        checkpoint=weights if weights.is_file() else None,
        fitted=description.get("fitted"),
        exported=True,
    )
    return _create(spec)


def _create(spec: Spec) -> Encoder:
    _require_family(spec)
    if spec.family in _FAMILIES:
        module, _, name = _FAMILIES[spec.family].partition(":")
        return getattr(import_module(module), name)(spec)
    return _plugins()[spec.family].load()(spec)


def _require_family(spec: Spec) -> None:
    families = [*_FAMILIES, *_plugins()]
    if spec.family not in families:
        near = difflib.get_close_matches(spec.family, families)
        raise unknown(spec.name, [one for one in list_encoders() if one.partition("/")[0] in near] or list_encoders())


def _require_name(spec: Spec) -> None:
    """Of the families that can list their names."""
    from uml_pipeline.features.builtin import NAMES

    if spec.family == "builtin" and f"builtin/{spec.rest}" not in NAMES:
        raise unknown(spec.name, NAMES)
    if spec.family == "timm":
        import timm

        if not timm.is_model(spec.rest):
            raise unknown(f"timm/{spec.rest}", [f"timm/{known}" for known in timm.list_models()])


def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def unknown(name: str, known: list[str]) -> UserError:
    """The error for a name that nobody knows, with near ones."""
    near = difflib.get_close_matches(name, known, n=3)
    fix = f"did you mean {' or '.join(map(repr, near))}?" if near else f"use one of: {', '.join(known[:_SHOWN])}"
    return UserError(f"unknown encoder {name!r}", where="`encoder` in params.yaml", fix=fix)


def digest(parts: Iterable[bytes]) -> str:
    """Hex sha256 over parts, each preceded by its length: no two lists of parts run together."""
    hasher = hashlib.sha256()
    for part in parts:
        hasher.update(len(part).to_bytes(8, "little"))
        hasher.update(part)
    return hasher.hexdigest()
