"""Load and use a shipped model: an encoder, perhaps a reader of its sequences, and one linear map. No study needed."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import TRAINED
from uml_pipeline.learn.geometry import Array, standardise
from uml_pipeline.learn.sequence.config import READER
from uml_pipeline.workspace import fingerprint_of, read_json, sha256

if TYPE_CHECKING:
    from uml_pipeline.features.encoders import Encoder
    from uml_pipeline.learn.sequence.reader import Reader
    from uml_pipeline.samples import Sample

WEIGHTS, CONFIG, LABELS = "model.safetensors", "config.json", "labels.json"
STANDARDISED, PLAIN, READ = "unit(unit(x) - centre)", "x", "reader(sequence)"
"""What is done to the encoder's vectors, or sequences, before the linear map."""
HASHED = (WEIGHTS, CONFIG, LABELS)  # what the model is; never its card, lineage or any time


def model_hash(folder: Path) -> str:
    """Hex digest of weights, labels and configuration (which names encoder and preprocessing)."""
    return fingerprint_of({name: sha256(folder / name) for name in HASHED})


class Model:
    """A single-modality classifier: logits = weight @ standardise(encode(sample), centre); of a fine-tuned encoder,
    which learnt where its classes are, weight @ encode(sample); of self-supervised training, bias + weight @ the mean
    over the steps of what its reader makes of the encoder's sequence.
    """

    def __init__(self, folder: Path, config: dict[str, Any], labels: list[str], weights: dict[str, Array]) -> None:
        self.folder, self.config, self.labels = folder, config, labels
        self.weight = weights["weight"]  # [class, d]
        self.centre, self.bias = weights.get("centre"), weights.get("bias")  # [d], [class]
        if self.centre is None and config["preprocessing"] not in (PLAIN, READ):
            raise KeyError("centre")
        self._reader = _reopened(config["reader"], weights) if "reader" in config else None
        self._trained = {
            name.removeprefix(TRAINED): value for name, value in weights.items() if name.startswith(TRAINED)
        }

    @cached_property
    def encoder(self) -> "Encoder":
        """The encoder, loaded when first needed and checked against the recorded fingerprint."""
        from uml_pipeline.features import load_encoder

        encoder = load_encoder(self.config["encoder"], self.folder)
        if self._trained and encoder.net is not None:
            import torch

            encoder.net.load_state_dict({name: torch.from_numpy(value) for name, value in self._trained.items()})
        return encoder

    def features(self, samples: Sequence["Sample"]) -> Array:
        """What the linear map reads, but for its standardisation: [sample, d].

        Raises:
            UserError: a sample cannot be read.
        """
        if self._reader is None:
            return self.encoder.encode(samples)
        from uml_pipeline.features.steps import sequences
        from uml_pipeline.learn.sequence.reader import represent

        about = self.config["reader"]
        return represent(self._reader, sequences(self.encoder, samples, about["steps"], about["network"]["longest"]))

    def logits(self, features: Array) -> Array:
        """Scores of what `features` gave: [n, d] -> [n, class]."""
        x = features if self.centre is None else standardise(features, self.centre)
        return x @ self.weight.T + (0 if self.bias is None else self.bias)

    def predict_proba(self, samples: Sequence["Sample"]) -> Array:
        """Softmax over the labels: [sample, class]. Samples are files of images or audio (or their content), texts,
        rows (cells by column), series [step, channel] or vectors [d].

        Raises:
            UserError: a sample cannot be read.
        """
        files = self.config["modality"] in ("image", "audio")
        opened = [Path(one) if files and isinstance(one, str) else one for one in samples]
        logits = self.logits(self.features(opened))
        shares = np.exp(logits - logits.max(1, keepdims=True))
        return shares / shares.sum(1, keepdims=True)

    def predict(self, samples: Sequence["Sample"], top: int = 1) -> list[list[tuple[str, float]]]:
        """The `top` most probable labels of each sample with their probabilities, best first.

        Raises:
            UserError: a sample cannot be read.
        """
        shares = self.predict_proba(samples)
        best = np.argsort(-shares, axis=1, kind="stable")[:, :top]
        return [[(self.labels[one], float(row[one])) for one in order] for row, order in zip(shares, best, strict=True)]


def _reopened(description: dict[str, Any], weights: dict[str, Array]) -> "Reader":
    import torch

    from uml_pipeline.learn.sequence.reader import reopen

    own = {name.removeprefix(READER): torch.from_numpy(one) for name, one in weights.items() if name.startswith(READER)}
    return reopen(description, own)


def load(folder: Path | str) -> Model:
    """Open a shipped model's folder.

    Raises:
        UserError: it is no model folder, or its files do not fit each other.
    """
    from safetensors.numpy import load_file

    folder = Path(folder)
    try:
        config, labels = (read_json(folder / name) for name in (CONFIG, LABELS))
        weights = load_file(folder / WEIGHTS)
        config["encoder"]["encoder"], config["encoder"]["fingerprint"]  # what prediction will ask for
        model = Model(folder, config, labels, weights)
    except FileNotFoundError as error:
        raise UserError(
            "not a model folder",
            where=str(error.filename or folder),
            fix="name the folder of a shipped model, e.g. artifacts/model",
        ) from None
    except Exception as error:  # safetensors and json have many ways to say that a file is damaged
        raise UserError(
            "the model's files are damaged", where=f"{folder}: {error}", fix="make the model again: `uml model`"
        ) from None
    wide = model.weight.shape[1] if model.centre is None else len(model.centre)
    if model.weight.shape != (len(labels), wide):
        raise UserError(
            "the model's weights and labels do not fit each other",
            where=str(folder),
            fix="make the model again: `uml model`",
        )
    return model
